"""One training at a time: a lock of the operating system, which dies with its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ml_pipeline.errors import TrainingError


@contextmanager
def only_one(place: Path) -> Iterator[None]:
    """Hold the lock of a file. Raises TrainingError, with the holder's process id, where another process has it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise TrainingError(
                f"A training is under way (process {holder} holds {place}). Wait for it, or stop that process."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
