"""Photos of a build as they stand in the report, and which of many are shown."""

import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from ml_pipeline.data.records import SEPARATOR, Record, Split
from ml_pipeline.data.report.thumbnails import thumbnail
from ml_pipeline.report_page.page import Photo

Item = TypeVar("Item")

COLOUR = {Split.TRAIN: "first", Split.VALIDATION: "second", Split.TEST: "third"}


def chosen(items: Iterable[Item], most: int, *, seed: int, purpose: str) -> list[Item]:
    """So many of the items, in their order; the same ones for the same seed and purpose."""
    pool = list(items)
    rng = np.random.default_rng([seed, zlib.crc32(purpose.encode())])
    return [pool[index] for index in sorted(rng.permutation(len(pool))[:most])]


def photo(record: Record, *lines: str) -> Photo:
    """One record, coloured by its split."""
    uri = thumbnail(Path(record.path)).uri
    return Photo(uri, record.image_id, lines, COLOUR[record.split] if record.split else "")


def sources_of(record: Record) -> str:
    """All data sets that hold the photo."""
    return " + ".join((record.sources or record.source).split(SEPARATOR))


def components(links: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Sorted groups of names that the links connect, the largest first."""
    group: dict[str, list[str]] = {}
    for left, right in links:
        one, other = group.setdefault(left, [left]), group.setdefault(right, [right])
        if one is not other:
            one.extend(other)
            group.update(dict.fromkeys(other, one))
    distinct = {id(names): sorted(names) for names in group.values()}
    return sorted(distinct.values(), key=lambda names: (-len(names), names))
