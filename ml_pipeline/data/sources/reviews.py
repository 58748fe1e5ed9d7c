"""The app's own predictions that a clinician has reviewed, as an export of the app lays them out.

DIR/reviews.csv is a CSV in UTF-8 with one row for each photo and these columns, in any order:

| column | content | if empty |
|---|---|---|
| photo | path of the file below DIR, with `/`, without `..` | refused |
| label | code of the reviewed class: from the label table, or a class that other data of the build brings | refused |
| diagnosis_method | histopathology, confocal, follow_up, consensus, clinical or opinion | not known |
| person | pseudonym of the person in the photo, the same in all exports | anonymous |
| lesion | pseudonym of the lesion, unique across people | not known |
| age_years | number from 0 to 120 | not known |
| sex | female or male | not known |
| site | anatomical site in the app's words | not known |
| fitzpatrick_type | whole number from 1 to 6 | not known |
| modality | dermatoscopic or clinical | refused |

Nobody can say which anonymous photos show one person, so these serve training only and never a test.
"""

from collections.abc import Collection
from pathlib import Path, PurePosixPath, PureWindowsPath

from ml_models.classification import Modality
from ml_models.labels import CODES
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.source import Reading, Row, index_rows, photos_below, read_table
from ml_pipeline.data.sources.vocabulary import (
    AGE_YEARS_HIGH,
    AGE_YEARS_LOW,
    DIAGNOSIS_METHODS,
    FITZPATRICK_HIGH,
    FITZPATRICK_LOW,
    SEXES,
)
from ml_pipeline.errors import SourceError

SOURCE = "reviews"
LICENCE = "Photos reviewed in this app: use them only as the people in them have agreed to"
TABLE = "reviews.csv"
COLUMNS = (
    "photo",
    "label",
    "diagnosis_method",
    "person",
    "lesion",
    "age_years",
    "sex",
    "site",
    "fitzpatrick_type",
    "modality",
)

_MODALITIES = {modality.value: modality.value for modality in Modality}


def read(folder: Path, *, foreign_labels: Collection[str] = ()) -> Reading:
    """Read the export; `foreign_labels` are classes outside our table that may be named. Raises SourceError."""
    root = folder.resolve()
    rows = index_rows(
        read_table(root / TABLE, COLUMNS, remedy="Point --reviews at a folder that the app's export wrote."),
        key=lambda row: f"{SOURCE}/{_relative(row).with_suffix('')}",
        remedy="Keep one row for each photo, and one file for each name.",
    )
    labels = {label: label for label in (*CODES, *sorted(foreign_labels))}
    records = tuple(_record(image_id, row, root, labels) for image_id, row in rows.items())
    used = {record.path for record in records}
    unlisted = tuple(path for path in photos_below(root) if str(path) not in used)
    return Reading(SOURCE, records, tables=(root / TABLE,), unlisted=unlisted)


def _relative(row: Row) -> PurePosixPath:
    text = row.required("photo")
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not path.name or "\\" in text or PureWindowsPath(text).drive:
        raise SourceError(f"{row.where}: photo {text!r} is no path below {row.table.parent}. Mend the row.")
    return path


def _record(image_id: str, row: Row, root: Path, labels: dict[str, str]) -> Record:
    person, lesion = row.cells["person"], row.cells["lesion"]
    return Record(
        source=SOURCE,
        image_id=image_id,
        path=_file(row, root),
        label=row.one_of("label", labels),
        lesion_id=f"{SOURCE}/{lesion}" if lesion else "",
        patient_id=f"{SOURCE}/{person}" if person else "",
        modality=Modality(row.one_of("modality", _MODALITIES)),
        diagnosis_method=row.one_of("diagnosis_method", DIAGNOSIS_METHODS, optional=True),
        age_years=row.number_or_none("age_years", low=AGE_YEARS_LOW, high=AGE_YEARS_HIGH),
        sex=row.one_of("sex", SEXES, optional=True),
        site=row.words("site"),
        fitzpatrick_type=row.whole_or_none("fitzpatrick_type", low=FITZPATRICK_LOW, high=FITZPATRICK_HIGH),
        licence=LICENCE,
        train_only=not person,
    )


def _file(row: Row, root: Path) -> str:
    path = root / _relative(row)
    if not path.resolve().is_relative_to(root):
        raise SourceError(f"{row.where}: photo {row.cells['photo']!r} is a link out of {root}. Put the file there.")
    return str(path) if path.is_file() else ""
