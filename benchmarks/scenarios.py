"""What every scenario needs: a report, patience without sleeping blindly, and what a server holds at the moment."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import numpy as np

from benchmarks.clients import NO_ANSWER, Outcome
from benchmarks.invariants import LogCheck
from benchmarks.serving import Answer, Server, resident_bytes

PATIENCE_S = 60.0
_POLL_S = 0.01


class Skipped(Exception):
    """The machine cannot stage the scenario; the text says why and what would help."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was done to the server, what was seen, and what should not have been."""

    did: str
    saw: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """What one worker holds, or all of them together."""

    resident_bytes: int
    descriptors: int
    threads: int

    def __str__(self) -> str:
        return f"{self.resident_bytes / 2**20:.0f} MB, {self.descriptors} descriptors, {self.threads} threads"


def holding_of_workers(server: Server) -> list[Holding]:
    """Memory, open descriptors and threads of each worker, now."""
    return [
        Holding(
            resident_bytes(pid),
            len(list(Path(f"/proc/{pid}/fd").iterdir())),
            len(list(Path(f"/proc/{pid}/task").iterdir())),
        )
        for pid in server.worker_pids()
    ]


def holding(server: Server) -> Holding:
    """The same of all workers together."""
    each = holding_of_workers(server)
    return Holding(
        sum(one.resident_bytes for one in each),
        sum(one.descriptors for one in each),
        sum(one.threads for one in each),
    )


def wait_until(condition: Callable[[], bool], what: str, *, timeout_s: float = PATIENCE_S) -> None:
    """Return as soon as the condition holds; TimeoutError says what was waited for."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {timeout_s:.0f} s in vain for: {what}.")
        time.sleep(_POLL_S)


def comes_true(condition: Callable[[], bool], *, timeout_s: float) -> bool:
    """Whether the condition holds within this time."""
    try:
        wait_until(condition, "this", timeout_s=timeout_s)
    except TimeoutError:
        return False
    return True


def quantile_s(outcomes: Sequence[Outcome], share: float) -> float:
    """How long this share of the clients waited at most."""
    return float(np.quantile([outcome.seconds for outcome in outcomes], share)) if outcomes else float("nan")


def tally(outcomes: Sequence[Outcome]) -> str:
    """Statuses with their counts, and the slowest answer."""
    counts = Counter(outcome.status for outcome in outcomes)
    texts = (f"{'no answer' if status == NO_ANSWER else status}: {counts[status]}" for status in sorted(counts))
    return f"{', '.join(texts)}; slowest {quantile_s(outcomes, 1.0):.2f} s"


def unexpected(outcomes: Sequence[Outcome], *allowed: int) -> list[str]:
    """Problems: answers that are neither expected nor allowed here, each kind of them once."""
    wrong = Counter(
        f"{outcome.kind}: {outcome.problem or f'{outcome.status} {outcome.code}'}"
        for outcome in outcomes
        if not outcome.is_expected and outcome.status not in allowed
    )
    return [f"{count} times {text}" for text, count in wrong.items()]


def ill_said_refusals(outcomes: Sequence[Outcome], code: str) -> list[str]:
    """Problems: 503s that do not say when to come back, or whose code is another."""
    refused = [outcome for outcome in outcomes if outcome.status == HTTPStatus.SERVICE_UNAVAILABLE]
    silent = sum(not outcome.retry_after.isdecimal() for outcome in refused)
    codes = Counter(outcome.code for outcome in refused if outcome.code != code)
    problems = [f"{silent} of {len(refused)} refusals have no Retry-After"] if silent else []
    return problems + [f"{count} refusals have the code {other!r}, not {code!r}" for other, count in codes.items()]


def unlike(answer: Answer, status: int, when: str) -> list[str]:
    """Problems: an answer that is not the one expected now."""
    return [] if answer.status == status else [f"{when}: {answer.status} {answer.body[:200]!r}, not {status}"]


def log_text(log: LogCheck, acknowledged: Sequence[str]) -> str:
    """The log's figures for a report."""
    return (
        f"{len(acknowledged)} answers acknowledged, {log.rows} rows in the log, "
        f"{len(log.orphan_files)} files without a row, {len(log.problems)} problems in log and files"
    )
