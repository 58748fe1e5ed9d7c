"""Workers and servers that die in the middle of their work."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import numpy as np

from benchmarks.clients import NO_ANSWER, Crowd, posting
from benchmarks.invariants import LogCheck, check_log
from benchmarks.photo_mix import dermatoscopic_mix
from benchmarks.scenarios import Report, log_text, tally, unexpected, unlike, wait_until
from benchmarks.serving import ROOT, Server, running_server, serving_environment

_CLIENTS = 8
_ANSWERS_PER_KILL = 12
_JITTER_S = 0.1  # a kill right after an answer would always meet the same moment of the next write
_PHOTO = ROOT / "sample_images" / "mel.jpg"
_TWO_DAYS_S = timedelta(days=2).total_seconds()


def kill_worker(folder: Path, *, kills: int = 20, apart_s: float = 1.0) -> Report:
    """Kill one random worker after another while clients post."""
    rng = np.random.default_rng(0)
    with running_server(folder, WEB_CONCURRENCY="2") as server:
        with Crowd(server.port, posting(dermatoscopic_mix(), clients=_CLIENTS)) as crowd:
            for _ in range(kills):
                _await_answers(crowd, _ANSWERS_PER_KILL)
                time.sleep(apart_s * rng.uniform(0.5, 1.0))
                os.kill(int(rng.choice(server.worker_pids())), signal.SIGKILL)
            _await_answers(crowd, _ANSWERS_PER_KILL)
        wait_until(lambda: len(server.worker_pids()) == 2, "both workers")  # noqa: PLR2004
        after = server.post_photo(_PHOTO.read_bytes())
    log = check_log(folder / "data", crowd.acknowledged)
    return Report(
        f"{_CLIENTS} clients posted while {kills} times one of 2 workers was killed with SIGKILL",
        (
            tally(crowd.outcomes),
            f"{len(crowd.statuses(NO_ANSWER))} broken connections",
            log_text(log, crowd.acknowledged),
        ),
        (*log.problems, *unexpected(crowd.outcomes, NO_ANSWER), *unlike(after, HTTPStatus.OK, "after the kills")),
    )


def kill_server(folder: Path, *, kills: int = 8) -> Report:
    """Kill every process at once during writes, start over the same folder, and do it again."""
    rng, acknowledged, saw, problems = np.random.default_rng(0), list[str](), list[str](), list[str]()
    for kill in range(kills):
        with running_server(folder, WEB_CONCURRENCY="2") as server:
            with Crowd(server.port, posting(dermatoscopic_mix(), clients=_CLIENTS, rest_after_refusal_s=1.0)) as crowd:
                _await_answers(crowd, _ANSWERS_PER_KILL)
                time.sleep(rng.uniform(0, _JITTER_S))
                server.kill()
            acknowledged += crowd.acknowledged
            problems += unexpected(crowd.outcomes, NO_ANSWER)
        log = check_log(folder / "data", acknowledged)
        problems += log.problems
        saw.append(f"kill {kill + 1}: {tally(crowd.outcomes)}; {log_text(log, acknowledged)}")
    with running_server(folder) as server:
        problems += unlike(server.post_photo(_PHOTO.read_bytes()), HTTPStatus.OK, "after the last restart")
        problems += _purge_problems(server, acknowledged)
    saw.append("purge_expired spared the young files without a row, then removed exactly the aged ones")
    return Report(
        f"{_CLIENTS} clients posted while {kills} times the whole server was killed and started again",
        tuple(saw),
        tuple(dict.fromkeys(problems)),
    )


def _await_answers(crowd: Crowd, count: int) -> None:
    enough = len(crowd.acknowledged) + count
    wait_until(lambda: len(crowd.acknowledged) >= enough, f"{count} more answers")


def _purge_problems(server: Server, acknowledged: list[str]) -> list[str]:
    """Files without a row stay for a day and go then; files with a row stay however old they are."""
    before = check_log(server.data_dir, acknowledged)
    _purge(server)
    young = check_log(server.data_dir, acknowledged)
    for file in (server.data_dir / "media").rglob("*"):
        os.utime(file, (time.time() - _TWO_DAYS_S,) * 2)
    _purge(server)
    aged = check_log(server.data_dir, acknowledged)
    problems = [*young.problems, *aged.problems]
    if young.orphan_files != before.orphan_files:
        problems.append("purge_expired removed a file without a row that was younger than a day")
    if aged.orphan_files:
        problems.append(f"purge_expired left {len(aged.orphan_files)} files without a row that were two days old")
    return problems + _lost_rows(before, aged)


def _lost_rows(before: LogCheck, after: LogCheck) -> list[str]:
    return (
        [] if before.rows == after.rows else [f"purge_expired changed the log from {before.rows} to {after.rows} rows"]
    )


def _purge(server: Server) -> None:
    command = [sys.executable, "manage.py", "purge_expired"]
    environment = serving_environment(server.data_dir)
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603 - our own
