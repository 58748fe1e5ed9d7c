"""ISIC 2018 Task 3 training data: HAM10000's photos under the challenge's own file names.

Lesions and proofs stand in a table of their own, which the challenge offers as a separate download. Without it the
records carry no lesion, so photos of one lesion are held together only if HAM10000 or ISIC 2019 is read as well.
"""

from pathlib import Path

from ml_models.classification import Modality
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.one_hot import hot_label
from ml_pipeline.data.sources.source import Photos, Reading, Row, first_file, image_files, index_rows, read_table
from ml_pipeline.data.sources.vocabulary import DIAGNOSIS_METHODS
from ml_pipeline.errors import SourceError

SOURCE = "ISIC2018"
LICENCE = (
    "ISIC 2018 Task 3 (Codella 2019, doi 10.48550/arXiv.1902.03368), photos of HAM10000 "
    "(Tschandl 2018, doi 10.1038/sdata.2018.161), CC BY-NC 4.0"
)

_CLASSES = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
_TRUTH = "ISIC2018_Task3_Training_GroundTruth"
_GROUPINGS = "ISIC2018_Task3_Training_LesionGroupings.csv"
_REMEDY = "Point --isic2018 at the unpacked download: images and ground truth of ISIC 2018 Task 3."
_ONCE = "Use the published table with 10,015 unique ids."


def read(folder: Path) -> Reading:
    """Read the ground truth and, where it is, the table of lesions; find the photos. Raises SourceError."""
    truth = first_file(folder, f"{_TRUTH}/{_TRUTH}.csv", f"{_TRUTH}.csv")
    rows = index_rows(
        read_table(truth, ("image", *_CLASSES), remedy=_REMEDY), key=lambda row: row.isic_id("image"), remedy=_ONCE
    )
    table = first_file(folder, _GROUPINGS, f"{_TRUTH}/{_GROUPINGS}")
    lesions = _lesions(table, rows) if table.is_file() else {}
    photos = image_files(folder, rows, below=("isic2018_task3_training_input*",))
    records = tuple(_record(i, hot_label(row, _CLASSES), lesions.get(i), photos) for i, row in rows.items())
    return Reading(SOURCE, records, tables=(truth, table) if lesions else (truth,), unlisted=photos.unlisted)


def _lesions(table: Path, rows: dict[str, Row]) -> dict[str, Row]:
    lesions = index_rows(
        read_table(table, ("image", "lesion_id", "diagnosis_confirm_type"), remedy=_REMEDY),
        key=lambda row: row.isic_id("image"),
        remedy=_ONCE,
    )
    unknown = sorted(set(rows) - set(lesions))
    if unknown:
        raise SourceError(f"{table}: no row for {unknown[0]}, which the ground truth lists. Use the complete table.")
    return lesions


def _record(image_id: str, label: str, lesion: Row | None, photos: Photos) -> Record:
    method = lesion.one_of("diagnosis_confirm_type", DIAGNOSIS_METHODS, optional=True) if lesion else ""
    return Record(
        source=SOURCE,
        image_id=image_id,
        path=photos.path(image_id),
        label=label,
        lesion_id=lesion.required("lesion_id") if lesion else "",
        patient_id="",
        modality=Modality.DERMATOSCOPIC,
        diagnosis_method=method,
        age_years=None,
        sex="",
        site="",
        fitzpatrick_type=None,
        licence=LICENCE,
    )
