"""The typed row that every later step works on, and its CSV form."""

import csv
import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ml_models.classification import Modality
from ml_pipeline.errors import SourceError


class Split(StrEnum):
    """Which part of the data a record belongs to; choices are made on validation, test is reported once."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Record:
    """One labelled photo.

    `lesion_id` groups photos of one lesion, `group` everything that must stay on one side of a split (lesions joined by
    identical files); `diagnosis_method` says how the label was proven: it leaks the label and is never a model input.
    """

    source: str
    image_id: str
    path: str
    label: str
    lesion_id: str
    modality: Modality
    diagnosis_method: str
    age_years: float | None
    sex: str | None
    site: str | None
    sha256: str
    group: str = ""
    split: Split | None = None


_COLUMNS = tuple(field.name for field in dataclasses.fields(Record))


def write_records(records: Iterable[Record], path: Path) -> None:
    """Write records as CSV, in the order given; the same records give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for record in records:
            writer.writerow(["" if value is None else value for value in dataclasses.astuple(record)])


def read_records(path: Path) -> tuple[Record, ...]:
    """Read what `write_records` wrote. Raises SourceError naming file, row and remedy."""
    if not path.is_file():
        raise SourceError(f"No records file at {path}. Make one: python -m ml_pipeline records --out {path}")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise SourceError(f"{path}: columns {reader.fieldnames} are not {list(_COLUMNS)}. Make the file again.")
        return tuple(_parse(row, path, number) for number, row in enumerate(reader, start=2))


def records_digest(records: Sequence[Record]) -> str:
    """Sha256 over id, label, group, split and file digest of every record: which data a model was made from."""
    lines = sorted(f"{r.source}/{r.image_id},{r.label},{r.group},{r.split},{r.sha256}" for r in records)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def of_split(records: Iterable[Record], split: Split) -> tuple[Record, ...]:
    """The records of one split, in their order."""
    return tuple(record for record in records if record.split is split)


def _parse(row: dict[str, str], path: Path, number: int) -> Record:
    try:
        return Record(
            source=row["source"],
            image_id=row["image_id"],
            path=row["path"],
            label=row["label"],
            lesion_id=row["lesion_id"],
            modality=Modality(row["modality"]),
            diagnosis_method=row["diagnosis_method"],
            age_years=float(row["age_years"]) if row["age_years"] else None,
            sex=row["sex"] or None,
            site=row["site"] or None,
            sha256=row["sha256"],
            group=row["group"],
            split=Split(row["split"]) if row["split"] else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path}, row {number}: {error}. Mend the row or make the file again.") from error
