"""Measuring: calls in turns, stages inside a call, a running server's throughput, memory and time to ready.

It knows no photo and prints nothing.
"""

import functools
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving import (
    FORM_TYPE,
    PREDICT_PATH,
    Server,
    forget_peak,
    peak_bytes,
    resident_bytes,
    running_server,
)

_PATIENCE_S = 60.0

Call = Callable[[], float]
"""Does something once and returns the seconds that it took."""


class BenchmarkError(Exception):
    """The benchmark cannot go on; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of `count` repeated measurements."""

    median: float
    first_quartile: float
    third_quartile: float
    count: int


@dataclass(frozen=True, slots=True)
class Stage:
    """A function by the name under which the real path finds it: an attribute of a module or class."""

    owner: Any
    attribute: str
    name: str


@dataclass(frozen=True, slots=True)
class Throughput:
    """Photos answered in a second, and the processor seconds that the clients themselves took for each."""

    clients: int
    photos_per_s: float
    client_cpu_s: float


@dataclass(frozen=True, slots=True)
class WorkerMemory:
    """Resident memory of one worker: after its last photo, and at most while it answered."""

    steady_bytes: int
    peak_bytes: int


def spread(values: Sequence[float]) -> Spread:
    """Quartiles, linearly interpolated. Raises ValueError without values."""
    if not values:
        raise ValueError("A spread needs at least one measurement.")
    first, median, third = np.percentile(values, (25, 50, 75)).tolist()
    return Spread(median, first, third, len(values))


def timed(function: Callable[[], object]) -> Call:
    """The function as a call that is timed from outside."""

    def call() -> float:
        started = time.perf_counter()
        function()
        return time.perf_counter() - started

    return call


def in_turns(calls: Sequence[Call], *, rounds: int, seed: int = 0) -> list[list[float]]:
    """Seconds of every call in every round, one list a call.

    A round makes each call once, in an order of its own, so that what disturbs the machine meets all alike. One round
    goes before to warm up; when it takes over a second, a fifth of the rounds is made.
    """
    warm_up_s = sum(call() for call in calls)
    rng, seconds = np.random.default_rng(seed), [list[float]() for _ in calls]
    for _ in range(max(1, rounds // 5) if warm_up_s > 1 else rounds):
        for index in rng.permutation(len(calls)):
            seconds[index].append(calls[index]())
    return seconds


class StageClock:
    """Times stages where the real path calls them, so that they cannot drift from the code.

    A stage's time is without the stages that it calls in turn.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages
        self._running: list[float] = []  # for each stage under way, the seconds of the stages inside it
        self.rounds: list[dict[str, float]] = []

    def time(self, function: Callable[[], object]) -> float:
        """Run the function once and note its stages' seconds. Raises BenchmarkError when a stage's name is gone."""
        self.rounds.append({})
        with self._watching():
            return timed(function)()

    def medians(self, rounds: int) -> dict[str, float]:
        """The median seconds of every stage that took part in the last rounds, in the order of the stages."""
        last = self.rounds[-rounds:]
        names = [name for name in dict.fromkeys(stage.name for stage in self._stages) if any(name in r for r in last)]
        return {name: float(np.median([seconds.get(name, 0.0) for seconds in last])) for name in names}

    @contextmanager
    def _watching(self) -> Iterator[None]:
        originals = [_original(stage) for stage in self._stages]
        try:
            for stage, original in zip(self._stages, originals, strict=True):
                setattr(stage.owner, stage.attribute, self._watched(original, stage.name))
            yield
        finally:
            for stage, original in zip(self._stages, originals, strict=True):
                setattr(stage.owner, stage.attribute, original)

    def _watched(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._running.append(0.0)
            started = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - started
                inside = self._running.pop()
                if self._running:
                    self._running[-1] += took
                self.rounds[-1][name] = self.rounds[-1].get(name, 0.0) + took - inside

        return watched


@contextmanager
def fresh_server(folder: Path, **variables: str) -> Iterator[Server]:
    """A server with a folder of its own inside `folder`, which is removed with the photos that it stored."""
    with tempfile.TemporaryDirectory(dir=folder) as own, running_server(Path(own), **variables) as server:
        yield server


def post(server: Server, form: bytes) -> None:
    """Post a form that was built before, over a connection of its own. Raises BenchmarkError unless it is answered."""
    answer = server.request("POST", PREDICT_PATH, form, {"Content-Type": FORM_TYPE})
    if answer.status != HTTPStatus.OK:
        raise BenchmarkError(f"The server answered {answer.status}, not 200: {answer.body[:500].decode()}")


def throughput(server: Server, form: bytes, *, clients: int, photos: int) -> Throughput:
    """Post the form so many times from so many clients at once; each sends its next when the last is answered."""
    with ThreadPoolExecutor(clients) as pool:
        cpu_s, started = time.process_time(), time.perf_counter()
        for _ in pool.map(lambda _: post(server, form), range(photos)):
            pass
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
    return Throughput(clients, photos / seconds, cpu_s / photos)


def worker_memory(server: Server, form: bytes, *, clients: int, photos: int) -> WorkerMemory:
    """Memory of the only worker over so many posts of the form, from so many clients at once."""
    forget_peak(_only_worker(server))
    throughput(server, form, clients=clients, photos=photos)
    return memory_now(server)


def memory_now(server: Server) -> WorkerMemory:
    """Memory of the only worker; its peak is that since `forget_peak`, or since its start."""
    pid = _only_worker(server)
    return WorkerMemory(resident_bytes(pid), peak_bytes(pid))


def process_age_s(pid: int) -> float:
    """Seconds since the process was started, to a hundredth: proc_pid_stat(5), field 22."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def replacement_s(server: Server) -> float:
    """Kill the only worker; seconds until another one is ready. Raises BenchmarkError when none is within a minute."""
    killed, started, said = _only_worker(server), time.perf_counter(), b"nothing"
    os.kill(killed, signal.SIGKILL)
    while time.perf_counter() - started < _PATIENCE_S:
        with suppress(ConnectionError):  # it may have taken the request with it
            answer = server.request("GET", "/readyz")
            said = answer.body
            if answer.status == HTTPStatus.OK and killed not in server.worker_pids():
                return time.perf_counter() - started
    raise BenchmarkError(f"No worker became ready after one was killed; the last one said: {said[:500].decode()}")


class OtherWork:
    """How busy everything but this process and its ended children keeps the machine, hypervisor included."""

    def __init__(self) -> None:
        self._cpu_s, self._started = _cpu_s_of_others(), time.perf_counter()

    def cores(self) -> float:
        """Cores, on average since the beginning."""
        return max(0.0, (_cpu_s_of_others() - self._cpu_s) / (time.perf_counter() - self._started))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up on a terminal, too; all but the first are set to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(padded)} |"

    rule = [f":{'-' * (widths[0] - 1)}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    return "\n".join([line(header), line(rule), *(line(row) for row in rows)])


def milliseconds(seconds: float) -> str:
    """Three significant figures, as a reader compares them."""
    value = 1000 * seconds
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # noqa: PLR2004


def _cpu_s_of_others() -> float:
    user, nice, system, _, _, interrupts, soft_interrupts, stolen, *_ = (
        int(ticks) for ticks in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    everything_s = (user + nice + system + interrupts + soft_interrupts + stolen) / os.sysconf("SC_CLK_TCK")
    own = os.times()
    return everything_s - sum(own[:4])


def _only_worker(server: Server) -> int:
    pids = server.worker_pids()
    if len(pids) != 1:
        raise BenchmarkError(
            f"The server has {len(pids)} workers, not 1; its log ends:\n{server.log.read_text()[-2000:]}"
        )
    return pids[0]


def _original(stage: Stage) -> Any:
    try:
        return vars(stage.owner)[stage.attribute]
    except KeyError as error:
        where = getattr(stage.owner, "__qualname__", None) or stage.owner.__name__
        raise BenchmarkError(
            f"{where} has no {stage.attribute} any more. Adjust the stage {stage.name!r} in benchmarks/predict.py."
        ) from error
