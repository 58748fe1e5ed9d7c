"""The typed row that every step works on, and its CSV form."""

import csv
import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ml_models.classification import Modality
from ml_pipeline.errors import SourceError
from ml_pipeline.files import write_table

SEPARATOR = ";"  # between the values of a field that sources fill differently


class Split(StrEnum):
    """Which part of the data a record belongs to; choices are made on validation, test is reported once."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Record:
    """One photo and what is known of it; unknown texts are empty.

    Adapters fill the first part. There `image_id`, `lesion_id` and `patient_id` are unique across all data sets: ISIC's
    registry numbers stand for themselves wherever they occur, others begin with the name of their source. `path` is
    empty where the tables list a photo that is not on the disk. `diagnosis_method` says how the label was proven: it
    leaks the label and is never a model input.

    The build fills the rest: `sources` are all data sets that hold the photo, `cluster` names verified copies of one
    picture, `group` everything that must stay on one side of a split. Where sources differ, lesion, patient, licence
    and sources hold several values between semicolons.
    """

    source: str
    image_id: str
    path: str
    label: str
    lesion_id: str
    patient_id: str
    modality: Modality
    diagnosis_method: str
    age_years: float | None
    sex: str
    site: str
    fitzpatrick_type: int | None
    licence: str
    train_only: bool = False

    sources: str = ""
    width_px: int = 0
    height_px: int = 0
    sha256: str = ""
    cluster: str = ""
    group: str = ""
    split: Split | None = None


_COLUMNS = tuple(field.name for field in dataclasses.fields(Record))
_NEEDED_FOR_TRAINING = ("image_id", "path", "label", "sha256", "group", "split")


def write_records(records: Iterable[Record], path: Path) -> None:
    """Write records as CSV, in the order given; the same records give the same bytes."""
    write_table(path, _COLUMNS, ((_cell(getattr(record, name)) for name in _COLUMNS) for record in records))


def read_records(path: Path) -> tuple[Record, ...]:
    """Read what `write_records` wrote. Raises SourceError naming file, row and remedy."""
    if not path.is_file():
        raise SourceError(f"No records file at {path}. Make one: python -m ml_pipeline build --out {path.parent}")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != _COLUMNS:
                raise SourceError(
                    f"{path}: columns {reader.fieldnames} are not {list(_COLUMNS)}. "
                    "Make the file again: python -m ml_pipeline build"
                )
            return tuple(_parse(row, path, number) for number, row in enumerate(reader, start=2))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path} is not a table of records ({error}). Make the file again.") from error


def records_digest(records: Sequence[Record]) -> str:
    """Sha256 over id, label, group, split and file digest of every record: which data a model was made from."""
    lines = sorted(f"{r.image_id},{r.label},{r.group},{r.split},{r.sha256}" for r in records)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def of_split(records: Iterable[Record], split: Split) -> tuple[Record, ...]:
    """The records of one split, in their order."""
    return tuple(record for record in records if record.split is split)


def _cell(value: object) -> str:
    if value is None or value is False:
        return ""
    return "yes" if value is True else str(value)


def _parse(row: dict[str, str], path: Path, number: int) -> Record:
    try:
        empty = [name for name in _NEEDED_FOR_TRAINING if not row[name]]
        if empty:
            raise ValueError(f"{', '.join(empty)} must not be empty")  # noqa: TRY301 - worded with the row below
        return Record(
            **{
                **row,
                "modality": Modality(row["modality"]),
                "age_years": float(row["age_years"]) if row["age_years"] else None,
                "fitzpatrick_type": int(row["fitzpatrick_type"]) if row["fitzpatrick_type"] else None,
                "train_only": {"": False, "yes": True}[row["train_only"]],
                "width_px": int(row["width_px"]),
                "height_px": int(row["height_px"]),
                "split": Split(row["split"]),
            }  # type: ignore[arg-type]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path}, row {number}: {error}. Mend the row or make the file again.") from error
