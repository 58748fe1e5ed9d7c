"""ISIC 2019 training data: a folder of JPEGs, a one-hot ground truth and a metadata table.

Its ids contain all of HAM10000's; ids ending in `_downsampled` lose that ending, as the registry's number is the same.
"""

from pathlib import Path

from ml_models.classification import Modality
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.one_hot import hot_label
from ml_pipeline.data.sources.source import Photos, Reading, Row, image_files, index_rows, read_table
from ml_pipeline.data.sources.vocabulary import AGE_YEARS_HIGH, AGE_YEARS_LOW, SEXES
from ml_pipeline.errors import SourceError

SOURCE = "ISIC2019"
LICENCE = (
    "ISIC 2019: HAM10000 (Tschandl 2018, doi 10.1038/sdata.2018.161), BCN20000 (Combalia 2019, "
    "doi 10.48550/arXiv.1908.02288), MSK (Codella 2017, doi 10.48550/arXiv.1710.05006), CC BY-NC 4.0"
)

_CLASSES = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")
_METADATA_COLUMNS = ("image", "age_approx", "anatom_site_general", "lesion_id")
_SEX_COLUMNS = ("sex", "gender")  # the challenge's own table and a public copy of it
_REMEDY = "Point --isic2019 at the unpacked download: images, ground truth and metadata of ISIC 2019."
_ONCE = "Use the published table with 25,331 unique ids."


def read(folder: Path) -> Reading:
    """Read both tables and find the photos; rows of class UNK are left out. Raises SourceError."""
    truth = folder.resolve() / "ISIC_2019_Training_GroundTruth.csv"
    table = folder.resolve() / "ISIC_2019_Training_Metadata.csv"
    labels = _labels(truth, _REMEDY)
    metadata = _metadata(table)
    unknown = sorted(set(labels) - set(metadata))
    if unknown:
        raise SourceError(
            f"{table}: no row for {unknown[0]}, which {truth.name} lists. Use both tables of one download."
        )
    photos = image_files(folder, labels, below=("isic_2019_training_input*",))
    records = tuple(_described(metadata[i], image_id=i, label=label, photos=photos) for i, label in labels.items())
    return Reading(SOURCE, records, tables=(truth, table), unlisted=photos.unlisted)


def read_labels(ground_truth: Path) -> Reading:
    """Labels alone, all records without a file: they tell HAM10000's akiec from scc by id. Raises SourceError."""
    table = ground_truth.resolve()
    labels = _labels(table, "Name the ground truth CSV of ISIC 2019.")
    return Reading(SOURCE, tuple(_record(i, label) for i, label in labels.items()), tables=(table,), labels_only=True)


def _labels(table: Path, remedy: str) -> dict[str, str]:
    rows = index_rows(
        read_table(table, ("image", *_CLASSES), remedy=remedy), key=lambda row: row.isic_id("image"), remedy=_ONCE
    )
    labels = {image_id: hot_label(row, _CLASSES) for image_id, row in rows.items()}
    return {image_id: label for image_id, label in labels.items() if label}


def _metadata(table: Path) -> dict[str, Row]:
    rows = read_table(table, _METADATA_COLUMNS, remedy=_REMEDY)
    if not any(column in rows[0].cells for column in _SEX_COLUMNS):
        raise SourceError(f"{table}: column 'sex' is missing; seen {list(rows[0].cells)}. {_REMEDY}")
    return index_rows(rows, key=lambda row: row.isic_id("image"), remedy=_ONCE)


def _described(row: Row, *, image_id: str, label: str, photos: Photos) -> Record:
    sex = next(column for column in _SEX_COLUMNS if column in row.cells)
    return _record(
        image_id,
        label,
        path=photos.path(image_id),
        lesion_id=row.cells["lesion_id"],
        age_years=row.number_or_none("age_approx", low=AGE_YEARS_LOW, high=AGE_YEARS_HIGH),
        sex=row.one_of(sex, SEXES, optional=True),
        site=row.words("anatom_site_general"),
    )


def _record(
    image_id: str,
    label: str,
    *,
    path: str = "",
    lesion_id: str = "",
    age_years: float | None = None,
    sex: str = "",
    site: str = "",
) -> Record:
    return Record(
        source=SOURCE,
        image_id=image_id,
        path=path,
        label=label,
        lesion_id=lesion_id,
        patient_id="",
        modality=Modality.DERMATOSCOPIC,
        diagnosis_method="",
        age_years=age_years,
        sex=sex,
        site=site,
        fitzpatrick_type=None,
        licence=LICENCE,
    )
