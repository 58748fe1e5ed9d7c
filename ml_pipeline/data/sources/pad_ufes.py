"""PAD-UFES-20: clinical phone photos with patients, lesions and Fitzpatrick types.

`img_id` ends in .png, whatever the files end in now: they are matched by stem. Lesion numbers are not unique: 118 of
the numbers in a table of 1,577 rows occur with two patients, mostly with other diagnoses and regions. With its
patient each number is one lesion, so that is its id here.
"""

from pathlib import Path, PurePosixPath

from ml_models.classification import Modality
from ml_models.labels import BY_ALIAS
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.source import Photos, Reading, Row, image_files, index_rows, read_table
from ml_pipeline.data.sources.vocabulary import (
    AGE_YEARS_HIGH,
    AGE_YEARS_LOW,
    FITZPATRICK_HIGH,
    FITZPATRICK_LOW,
    SEXES,
    DiagnosisMethod,
)

SOURCE = "PAD-UFES-20"
LICENCE = "PAD-UFES-20 (Pacheco 2020, doi 10.17632/zr7vgbcyr2.1), CC BY 4.0"

_COLUMNS = ("patient_id", "lesion_id", "age", "gender", "fitspatrick", "region", "diagnostic", "img_id", "biopsed")
_LABELS = {name.lower(): BY_ALIAS[name].code for name in ("ACK", "BCC", "MEL", "NEV", "SCC", "SEK")}
_METHODS = {"true": DiagnosisMethod.HISTOPATHOLOGY.value, "false": DiagnosisMethod.CLINICAL.value}


def read(folder: Path) -> Reading:
    """Read the metadata and find the photos. Raises SourceError."""
    table = folder.resolve() / "metadata.csv"
    rows = index_rows(
        read_table(table, _COLUMNS, remedy="Point --pad-ufes at the unpacked download of PAD-UFES-20."),
        key=lambda row: PurePosixPath(row.required("img_id")).stem,
        remedy="Use the published metadata.csv.",
    )
    photos = image_files(folder, rows, below=("imgs_part_*", "images"))
    records = tuple(_record(stem, row, photos) for stem, row in rows.items())
    return Reading(SOURCE, records, tables=(table,), unlisted=photos.unlisted)


def _record(stem: str, row: Row, photos: Photos) -> Record:
    patient_id = f"{SOURCE}/{row.required('patient_id')}"
    return Record(
        source=SOURCE,
        image_id=f"{SOURCE}/{stem}",
        path=photos.path(stem),
        label=row.one_of("diagnostic", _LABELS),
        lesion_id=f"{patient_id}/{row.required('lesion_id')}",
        patient_id=patient_id,
        modality=Modality.CLINICAL,
        diagnosis_method=row.one_of("biopsed", _METHODS, optional=True),
        age_years=row.number_or_none("age", low=AGE_YEARS_LOW, high=AGE_YEARS_HIGH),
        sex=row.one_of("gender", SEXES, optional=True),
        site=row.words("region"),
        fitzpatrick_type=row.whole_or_none("fitspatrick", low=FITZPATRICK_LOW, high=FITZPATRICK_HIGH),
        licence=LICENCE,
    )
