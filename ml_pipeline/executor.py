"""The one place where heavy maps run, serially or in processes. Results come in order: outputs do not depend on it."""

import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 4  # chunks a worker may be ahead of the reader: bounds memory, whatever the length of the input


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int, chunk: int = 32
) -> Iterator[Result]:
    """`function` of every item, in their order, by so many processes; 1 stays in this one.

    Function and items must be picklable: processes are spawned, because a fork copies locks that other threads hold.
    Closing the iterator early, or Ctrl-C, ends the processes.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("spawn")
    remaining = iter(items)
    pending: deque[Future[list[Result]]] = deque()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_live_and_end_with_the_parent)
    try:
        while True:
            while len(pending) < workers * _AHEAD and (part := list(itertools.islice(remaining, chunk))):
                pending.append(pool.submit(_each, function, part))
            if not pending:
                break
            yield from pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _each(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]


def _live_and_end_with_the_parent() -> None:
    """Leave Ctrl-C to the parent; and when it is killed, do not stay behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
