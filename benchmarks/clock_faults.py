"""A wall clock that jumps, as it does when a machine finds its time server.

Staged with a shim of our own: libfaketime 0.9.10 either moves the monotonic clock too, which no real jump does, or
makes `time.sleep` of Python 3.11 fail with EINVAL.
"""

import shutil
import struct
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.clients import Crowd, posting
from benchmarks.invariants import check_log, read_only
from benchmarks.photo_mix import dermatoscopic_mix
from benchmarks.scenarios import Report, Skipped, log_text, tally, unexpected, wait_until
from benchmarks.serving import running_server

_CLIENTS = 4
_ANSWERS = 20
_JUMPS_H = (1, -1, 0)
_SANE_MS = 60_000.0
_LEAST_SPAN = timedelta(hours=1.9)
_SHIM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const long *ahead_s;

__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("CLOCK_AHEAD_FILE"), O_RDONLY);
    ahead_s = mmap(NULL, sizeof *ahead_s, PROT_READ, MAP_SHARED, file, 0);
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME) now->tv_sec += *ahead_s;
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    int failed = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return failed;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
"""


def clock_jump(folder: Path, *, seconds: float = 4.0) -> Report:
    """Set the server's wall clock an hour ahead, an hour back, and right again, while clients post."""
    clock = folder / "clock"
    clock.write_bytes(struct.pack("l", 0))
    faked = {"LD_PRELOAD": str(_shim(folder)), "CLOCK_AHEAD_FILE": str(clock)}
    with running_server(folder, WEB_CONCURRENCY="2", **faked) as server:
        workers = server.worker_pids()
        with Crowd(server.port, posting(dermatoscopic_mix(), clients=_CLIENTS)) as crowd:
            for hours in _JUMPS_H:
                _post_for(crowd, seconds)
                _set_ahead(clock, timedelta(hours=hours))
            _post_for(crowd, seconds)
        replaced = set(workers) - set(server.worker_pids())
    log, times = check_log(folder / "data", crowd.acknowledged), _logged_times(folder / "data")
    problems = [*log.problems, *unexpected(crowd.outcomes)]
    if replaced:
        problems.append(f"{len(replaced)} workers were killed")
    if times.span < _LEAST_SPAN:
        problems.append(f"the clock did not jump: the log spans {times.span}")
    if not 0 < times.shortest_ms <= times.longest_ms < _SANE_MS:
        problems.append(f"durations in the log go from {times.shortest_ms:.0f} to {times.longest_ms:.0f} ms")
    return Report(
        f"{_CLIENTS} clients posted while the server's clock went an hour ahead, an hour back, and right again",
        (
            tally(crowd.outcomes),
            f"the log spans {times.span}, durations {times.shortest_ms:.0f} to {times.longest_ms:.0f} ms",
            log_text(log, crowd.acknowledged),
        ),
        tuple(problems),
    )


@dataclass(frozen=True, slots=True)
class _Times:
    span: timedelta
    shortest_ms: float
    longest_ms: float


def _logged_times(data_dir: Path) -> _Times:
    query = "SELECT min(created_at), max(created_at), min(duration_ms), max(duration_ms) FROM api_prediction"
    with closing(read_only(data_dir)) as database:
        first, last, shortest_ms, longest_ms = database.execute(query).fetchone()
    return _Times(datetime.fromisoformat(last) - datetime.fromisoformat(first), shortest_ms, longest_ms)


def _post_for(crowd: Crowd, seconds: float) -> None:
    """Long enough for answers, and for gunicorn's first process to look at its workers' heartbeats."""
    end, enough = time.monotonic() + seconds, len(crowd.outcomes) + _ANSWERS
    wait_until(lambda: time.monotonic() > end and len(crowd.outcomes) >= enough, "answers after the jump")


def _set_ahead(clock: Path, ahead: timedelta) -> None:
    """In place: the servers have mapped this file."""
    with clock.open("r+b") as stream:
        stream.write(struct.pack("l", round(ahead.total_seconds())))


def _shim(folder: Path) -> Path:
    """The library that lets the wall clock jump; Skipped where it cannot be built."""
    library, compiler = folder / "clock.so", shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        raise Skipped("Building the clock shim needs Linux and a C compiler (Debian, Ubuntu: apt-get install gcc).")
    command = [compiler, "-shared", "-fPIC", "-o", str(library), "-x", "c", "-"]
    built = subprocess.run(command, input=_SHIM, text=True, capture_output=True, check=False)  # noqa: S603
    if built.returncode:
        raise Skipped(f"The clock shim does not build here: {built.stderr.strip()[:500]}")
    return library
