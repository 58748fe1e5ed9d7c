"""Whether a model has seen photos that it is to be judged by: by id, lesion, patient, bytes, and on pixels."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_pipeline.data.cache import Cache
from ml_pipeline.data.deduplicate import File, Limits, find_copies
from ml_pipeline.data.records import SEPARATOR, Record
from ml_pipeline.data.split import Link
from ml_pipeline.data.survey import survey
from ml_pipeline.data.verify import FileStatus
from ml_pipeline.progress import Progress


@dataclass(frozen=True, slots=True)
class Leak:
    """A test photo, a photo that the model has learned from, and what they have in common."""

    tested: str
    seen: str
    why: str


def copies_among(
    records: Iterable[Record], *, cache: Path, workers: int, progress: Progress, limits: Limits | None = None
) -> tuple[Link, ...]:
    """Copies found on pixels among the photos that are still on the disk; what `cache` knows is not decoded again."""
    by_path = {record.path: record.image_id for record in records if Path(record.path).is_file()}
    facts = survey(by_path, cache=cache, workers=workers, progress=progress)
    files = [
        File(by_path[path], Path(path), each)
        for path, each in facts.items()
        if each.status in (FileStatus.OK, FileStatus.WRONG_SUFFIX)
    ]
    store = Cache(cache)
    try:
        pairs = find_copies(files, limits=limits or Limits(), workers=workers, cache=store, progress=progress)
    finally:
        store.close()
    return tuple((files[pair.left].image_id, files[pair.right].image_id) for pair in pairs if pair.is_copy)


def gone(records: Iterable[Record]) -> int:
    """How many photos are no longer on the disk, so that only what the table says of them is compared."""
    return sum(not Path(record.path).is_file() for record in records)


def leaks(test: Sequence[Record], seen: Sequence[Record], copies: Iterable[Link]) -> tuple[Leak, ...]:
    """Every test photo that is bound to a photo that was learned from, once, sorted."""
    holders: dict[tuple[str, str], str] = {}
    for record in seen:
        for bond in _bonds(record):
            holders.setdefault(bond, record.image_id)
    learned = {record.image_id for record in seen}
    alike: dict[str, set[str]] = defaultdict(set)
    for left, right in copies:
        alike[left].add(right)
        alike[right].add(left)
    found = {}
    for record in test:
        known = [
            Leak(record.image_id, holders[bond], f"the same {bond[0]}") for bond in _bonds(record) if bond in holders
        ]
        by_pixels = sorted(alike[record.image_id] & learned)
        known += [Leak(record.image_id, other, "copies of one photograph") for other in by_pixels]
        if known:
            found[record.image_id] = known[0]
    return tuple(found[image_id] for image_id in sorted(found))


def _bonds(record: Record) -> Iterator[tuple[str, str]]:
    yield "photo", record.image_id
    yield "file", record.sha256
    for kind, values in (("lesion", record.lesion_id), ("patient", record.patient_id)):
        yield from ((kind, value) for value in values.split(SEPARATOR) if value)
