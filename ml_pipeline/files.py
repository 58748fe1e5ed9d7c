"""Files that are either whole or not there."""

import csv
import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Write UTF-8 text beside `path`, and put it there when it is whole; a broken-off write leaves what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_table(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV (UTF-8, lines end in a newline), whole or not at all; the same rows give the same bytes."""
    with replacing(path) as file:
        plain = csv.writer(file, lineterminator="\n")
        quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in itertools.chain([header], rows):
            cells = [str(cell) for cell in row]
            # csv quotes what holds its own line end; a carriage return would end a line for every reader
            (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)
