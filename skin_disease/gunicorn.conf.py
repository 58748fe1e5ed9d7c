# ruff: noqa: N999 - the name by which gunicorn's users look for it
"""gunicorn's configuration: `gunicorn -c skin_disease/gunicorn.conf.py`.

One process per core and one inference thread each: measured faster than threads inside the kernels.
"""

import ctypes
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

chdir = str(Path(__file__).resolve().parent.parent)
sys.path.insert(0, chdir)

from skin_disease import environment  # noqa: E402  (gunicorn reads this file before it enters chdir)

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8  # malloc.h

# numpy and its BLAS read these once, on import, in the workers.
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")


def _bind() -> str:
    host = environment.text("HOST", "127.0.0.1")
    port = environment.integer("PORT", 8000, minimum=1, maximum=65_535)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux; it respects taskset and cpusets
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_SIGNED = re.compile(r"^(/api/(?:photos|explanations)/).+")


class OneLineLogger(Logger):  # type: ignore[misc]
    """Writes the path as it was sent, percent-encoded: decoded, a %0A in it would forge a line of the log.

    Signatures are left out: for hours they open a person's photo to whoever reads them.
    """

    def atoms(self, response: Any, request: Any, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:
        path, _, _ = environ["RAW_URI"].partition("?")
        return {**super().atoms(response, request, environ, request_time), "U": _SIGNED.sub(r"\1...", path)}


wsgi_app = "skin_disease.asgi:application"
bind = _bind()
workers = environment.integer("WEB_CONCURRENCY", _usable_cores(), minimum=1)
# One event loop takes the requests; skin_disease/front.py owns the threads that answer them.
worker_class = "skin_disease.worker.Worker"
asgi_loop = "asyncio"
asgi_lifespan = "off"
asgi_disconnect_grace_period = 0  # a photo that waits for its turn is dropped at once when its client has gone
preload_app = False  # inference libraries start threads, and forking a process that has threads can hang
timeout = 60
graceful_timeout = 30
keepalive = 5
# The heartbeat file must lie in memory, because a slow disk would make workers look dead.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()  # noqa: S108
control_socket_disable = True  # otherwise ~/.gunicorn/gunicorn.ctl takes commands
forwarded_allow_ips = ""  # which proxy header counts is Django's decision alone (TRUST_PROXY)
loglevel = environment.text("LOG_LEVEL", "INFO").lower()
logger_class = OneLineLogger
accesslog = "-" if environment.flag("ACCESS_LOG") else None
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s bytes %(M)s ms'  # no query strings: they may carry signatures


def post_worker_init(_worker: object) -> None:
    """Load the model before the first request arrives, and follow its switches from then on."""
    from api.switching import watch  # noqa: PLC0415 - the workers import the application, never the master

    watch.start()
    _give_memory_back()


def _give_memory_back() -> None:
    """Let glibc return what large photos took: after a few 12 MP HEICs a worker keeps 210 MB, otherwise 490 MB.

    mallopt(3): blocks of 8 MB and more come from the system and go back to it, and threads share one arena. Smaller
    ones stay: asking for the same 4 MB anew for every photo costs 900 page faults.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(_M_MMAP_THRESHOLD, 8 * 2**20)
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_TRIM_THRESHOLD, 32 * 2**20)
        libc.mallopt(_M_TOP_PAD, 8 * 2**20)
