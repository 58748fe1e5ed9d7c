"""`python -m benchmarks.load`: fifty clients for minutes, then every fault; prints figures, exits 1 on any problem.

The clients are tasks of one event loop in this process (see `clients.py`); its own share of a core is printed, so that
a reader can judge whether it slowed the server down. Speeds are printed and never judged: they are the machine's.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients import Crowd, Outcome, posting
from benchmarks.faults import SCENARIOS
from benchmarks.invariants import check_log
from benchmarks.photo_mix import Mix, photo_mix
from benchmarks.scenarios import (
    Holding,
    Report,
    Skipped,
    holding,
    holding_of_workers,
    log_text,
    quantile_s,
    tally,
    unexpected,
)
from benchmarks.serving import Server, running_server

LOAD = "load"
_WINDOW_S = 30.0
_MIN_WINDOWS = 4
_SAMPLE_S = 0.5
_GROWTH_SHARE = 0.1  # allocators settle slowly; a leak of a kilobyte per photo would show in a minute
_GROWTH_THREADS = 8  # pools fill with use, six threads a worker; a leak would go on
_PRINTED_PROBLEMS = 10
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of the load: what clients got, and what the server held.

    `held` is the sample of the median memory of all workers, `workers` what each of them held at the end.
    """

    outcomes: Sequence[Outcome]
    seconds: float
    held: Holding
    workers: Sequence[Holding]
    database_bytes: int
    wal_bytes: int

    def __str__(self) -> str:
        answered = sum(bool(outcome.prediction_id) for outcome in self.outcomes)
        errors = sum(not outcome.is_expected for outcome in self.outcomes)
        p50, p95, p99 = (1000 * quantile_s(self.outcomes, share) for share in (0.5, 0.95, 0.99))
        workers = "; ".join(str(each) for each in self.workers)
        return (
            f"{len(self.outcomes):6} requests {answered / self.seconds:6.1f} photos/s {errors:3} errors  "
            f"p50 {p50:.0f} p95 {p95:.0f} p99 {p99:.0f} ms  workers: {workers}  "
            f"database {self.database_bytes / _MIB:.1f} MB, WAL {self.wal_bytes / _MIB:.1f} MB"
        )


def hold_load(folder: Path, mix: Mix, *, clients: int, minutes: float) -> Report:
    """Keep every client posting for this time; no errors, no growth, and a log that is whole."""
    window_s = min(_WINDOW_S, 60 * minutes / _MIN_WINDOWS)
    windows: list[Window] = []
    with running_server(folder) as server:
        workers, used_s, started_s = server.worker_pids(), time.process_time(), time.monotonic()
        with Crowd(server.port, posting(mix, clients=clients)) as crowd:
            while len(windows) < round(60 * minutes / window_s):
                windows.append(_window(server, crowd, window_s))
                say(f"  {windows[-1]}")
        client_share = (time.process_time() - used_s) / (time.monotonic() - started_s)
        replaced = set(workers) != set(server.worker_pids())
    log = check_log(folder / "data", crowd.acknowledged)
    growth, problems = _growth(windows[1], windows[-1])
    problems += [*unexpected(crowd.outcomes), *log.problems, *(["a worker was replaced"] if replaced else [])]
    if log.rows != len(crowd.acknowledged):
        problems.append(f"{log.rows} rows for {len(crowd.acknowledged)} acknowledged answers")
    return Report(
        f"{clients} clients posted for {minutes:g} min, each as soon as it was answered",
        (
            tally(crowd.outcomes),
            f"the clients used {client_share:.0%} of one core",
            growth,
            log_text(log, crowd.acknowledged),
            *_latency_by_kind(crowd),
        ),
        tuple(problems),
    )


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)  # noqa: T201 - the figures are this program's output


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load and all scenarios, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=3.0, help="of the load alone; the faults take three more")
    parser.add_argument("--photos", type=Path, help="a folder of *.jpg to send instead of the drawn samples")
    parser.add_argument("--only", action="append", choices=[LOAD, *SCENARIOS], help="run this alone; may be repeated")
    options = parser.parse_args(arguments)
    names = options.only or [LOAD, *SCENARIOS]
    failed = [name for name in names if not _run(name, options)]
    say(f"\n{len(names) - len(failed)} of {len(names)} without problems")
    return 1 if failed else 0


def _run(name: str, options: argparse.Namespace) -> bool:
    say(f"\n{name}")
    with tempfile.TemporaryDirectory(prefix=f"skin-{name}-") as folder:
        try:
            if name == LOAD:
                mix = photo_mix(options.photos)
                report = hold_load(Path(folder), mix, clients=options.clients, minutes=options.minutes)
            else:
                report = SCENARIOS[name](Path(folder))
        except Skipped as reason:
            say(f"  SKIPPED: {reason}")
            return True
    say(f"  did: {report.did}")
    for line in report.saw:
        say(f"  saw: {line}")
    for problem in report.problems[:_PRINTED_PROBLEMS]:
        say(f"  PROBLEM: {problem}")
    if len(report.problems) > _PRINTED_PROBLEMS:
        say(f"  and {len(report.problems) - _PRINTED_PROBLEMS} more problems")
    return not report.problems


def _window(server: Server, crowd: Crowd, seconds: float) -> Window:
    first, end_s, samples = len(crowd.outcomes), time.monotonic() + seconds, list[Holding]()
    while time.monotonic() < end_s:
        samples.append(holding(server))
        time.sleep(_SAMPLE_S)
    samples.sort(key=lambda sample: sample.resident_bytes)
    database = server.data_dir / "db.sqlite3"
    return Window(
        crowd.outcomes[first:],
        seconds,
        samples[len(samples) // 2],
        holding_of_workers(server),
        database.stat().st_size,
        database.with_name("db.sqlite3-wal").stat().st_size,
    )


def _growth(early: Window, late: Window) -> tuple[str, list[str]]:
    """Median memory, and descriptors and threads, of the second window against the last."""
    grown = late.held.resident_bytes - early.held.resident_bytes
    share = grown / early.held.resident_bytes
    text = (
        f"from the second window to the last: memory {grown / _MIB:+.1f} MB of {early.held.resident_bytes / _MIB:.0f} "
        f"({share:+.1%}), descriptors {late.held.descriptors - early.held.descriptors:+d}, "
        f"threads {late.held.threads - early.held.threads:+d}"
    )
    has_grown = share > _GROWTH_SHARE or late.held.threads > early.held.threads + _GROWTH_THREADS
    return f"{text}: {'GROWTH' if has_grown else 'no growth'}", [text] if has_grown else []


def _latency_by_kind(crowd: Crowd) -> list[str]:
    texts = []
    for kind in sorted({outcome.kind for outcome in crowd.outcomes}):
        of_kind = [outcome for outcome in crowd.outcomes if outcome.kind == kind]
        p50, p95 = (1000 * quantile_s(of_kind, share) for share in (0.5, 0.95))
        texts.append(f"{kind}: {len(of_kind)}, p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    return texts


if __name__ == "__main__":
    raise SystemExit(main())
