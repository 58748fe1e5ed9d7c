"""Counts hits across the server's processes on one machine. Must not know who or what is counted.

A file of its own beside the database: a photo's throttle must not wait for, or hold, the lock that its row needs.
Django's caches do not fit: local memory is each worker's own, and file and database caches lose parallel increments.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

_LOCK_TIMEOUT_S = 1.0
_TABLE = """
CREATE TABLE IF NOT EXISTS hits (until INTEGER, key TEXT, count INTEGER, PRIMARY KEY (until, key)) WITHOUT ROWID
"""
_COUNT = """
INSERT INTO hits VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count
"""


def count_hit(key: str, *, now: int, until: int) -> int:
    """Count one more hit of `key` in the window that ends at `until` (unix seconds); how many it has now.

    Counts of windows that ended before `now` are forgotten. 0 when the file cannot be written: a broken counter must
    not close the door, and what matters behind the door needs the same disk.
    """
    file = Path(settings.DATA_DIR) / "throttles.sqlite3"
    try:
        return _count(file, key, now=now, until=until)
    except sqlite3.OperationalError:
        logger.warning("A request is not counted: %s cannot be written", file.name, exc_info=True)
    except sqlite3.DatabaseError:
        logger.warning("%s is damaged; counting starts anew", file.name, exc_info=True)
        file.unlink(missing_ok=True)
    return 0


def _count(file: Path, key: str, *, now: int, until: int) -> int:
    with closing(sqlite3.connect(file, timeout=_LOCK_TIMEOUT_S, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous=OFF")  # what a power cut loses is only forgiven
        database.execute(_TABLE)
        ((count,),) = database.execute(_COUNT, (until, key)).fetchall()
        if count == 1:
            database.execute("DELETE FROM hits WHERE until <= ?", (now,))
    return int(count)
