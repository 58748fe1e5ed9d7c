"""The fault scenarios by name. Each stages one fault on a server of its own and reports what it saw.

They end the server's processes, mount disks and hold locks, all in the folder that they are given.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.client_faults import overload, slow_uploads, stalled_clients, vanishing_clients
from benchmarks.clock_faults import clock_jump
from benchmarks.kill_faults import kill_server, kill_worker
from benchmarks.scenarios import Report
from benchmarks.storage_faults import full_database, full_media, locked_database, read_only_media

SCENARIOS: Mapping[str, Callable[[Path], Report]] = {
    "kill-worker": kill_worker,
    "kill-server": kill_server,
    "full-media": full_media,
    "full-database": full_database,
    "read-only-media": read_only_media,
    "locked-database": locked_database,
    "overload": overload,
    "slow-uploads": slow_uploads,
    "stalled-clients": stalled_clients,
    "vanishing-clients": vanishing_clients,
    "clock-jump": clock_jump,
}
