"""HAM10000 as Kaggle and Dataverse give it: one metadata table beside one or two folders of JPEGs.

Kaggle's archive holds both image folders a second time under lower-case names. HAM's class `akiec` holds two classes
of ISIC 2019 (actinic keratosis and squamous cell carcinoma); it stays as HAM says it until a merge refines it by id.
"""

from pathlib import Path

from ml_models.classification import Modality
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.source import Photos, Reading, Row, first_file, image_files, index_rows, read_table
from ml_pipeline.data.sources.vocabulary import AGE_YEARS_HIGH, AGE_YEARS_LOW, DIAGNOSIS_METHODS, SEXES

SOURCE = "HAM10000"
LICENCE = "HAM10000 (Tschandl, Rosendahl, Kittler 2018, doi 10.7910/DVN/DBW86T), CC BY-NC 4.0"

_TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata.tab", "HAM10000_metadata")
_COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
_LABELS = {code: code for code in ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")}


def read(folder: Path) -> Reading:
    """Read the metadata and find the photos. Raises SourceError."""
    table = first_file(folder, *_TABLES)
    rows = index_rows(
        read_table(table, _COLUMNS, remedy="Point --ham10000 at the unpacked download of HAM10000."),
        key=lambda row: row.isic_id("image_id"),
        remedy="Use the metadata with 10,015 unique ids; copies with 19,945 rows go round.",
    )
    photos = image_files(folder, rows, below=("ham10000_images*",))
    records = tuple(_record(image_id, row, photos) for image_id, row in rows.items())
    return Reading(SOURCE, records, tables=(table,), unlisted=photos.unlisted)


def _record(image_id: str, row: Row, photos: Photos) -> Record:
    return Record(
        source=SOURCE,
        image_id=image_id,
        path=photos.path(image_id),
        label=row.one_of("dx", _LABELS),
        lesion_id=row.required("lesion_id"),
        patient_id="",
        modality=Modality.DERMATOSCOPIC,
        diagnosis_method=row.one_of("dx_type", DIAGNOSIS_METHODS, optional=True),
        age_years=row.number_or_none("age", low=AGE_YEARS_LOW, high=AGE_YEARS_HIGH),
        sex=row.one_of("sex", SEXES, optional=True),
        site=row.words("localization"),
        fitzpatrick_type=None,
        licence=LICENCE,
    )
