"""Work done at the same time, for tests of races."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connections

WRITERS = 12


def in_threads(work: Callable[[], Any], *, threads: int = WRITERS) -> list[Any]:
    """Run at the same time in threads of their own, each with its own connection that is closed at the end."""
    barrier = Barrier(threads)

    def run(_thread: int) -> Any:
        barrier.wait(timeout=30)
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
