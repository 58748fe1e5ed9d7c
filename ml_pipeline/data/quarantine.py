"""What a build leaves out, each with its reason. Nothing is deleted from the disk."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from enum import StrEnum
from pathlib import Path

from ml_pipeline.data.records import Record
from ml_pipeline.data.verify import FileStatus
from ml_pipeline.files import write_table


class Kind(StrEnum):
    """Why something is not in the table of records: what `FileStatus` finds, and what only the whole build can see."""

    EMPTY = FileStatus.EMPTY.value
    UNREADABLE = FileStatus.UNREADABLE.value
    TRUNCATED = FileStatus.TRUNCATED.value
    WRONG_SUFFIX = FileStatus.WRONG_SUFFIX.value
    TOO_SMALL = FileStatus.TOO_SMALL.value
    TOO_LARGE = FileStatus.TOO_LARGE.value
    BLANK = FileStatus.BLANK.value
    ANIMATED = FileStatus.ANIMATED.value
    NO_FILE = "no file"
    NOT_LISTED = "not listed"
    CONFLICTING_LABELS = "conflicting labels"
    BETWEEN_SPLITS = "between splits"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One photo, or one copy of it, that is left out."""

    source: str
    image_id: str
    path: str
    label: str
    kind: Kind
    reason: str

    @classmethod
    def of(cls, record: Record, kind: Kind, reason: str) -> "Quarantined":
        return cls(record.source, record.image_id, record.path, record.label, kind, reason)


def write_quarantine(path: Path, entries: Iterable[Quarantined]) -> None:
    """Write the list, sorted; the same entries give the same bytes."""
    write_table(path, (field.name for field in fields(Quarantined)), sorted(astuple(entry) for entry in entries))
