"""HAM10000 (Tschandl 2018) as downloaded: a metadata CSV beside one or two folders of JPEGs.

HAM's class `akiec` holds two classes of ISIC 2019 (actinic keratosis and squamous cell carcinoma), so labels come
**by image id** from the ISIC 2019 ground truth (Combalia 2019), which contains every HAM10000 id.
"""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from ml_models.classification import Modality
from ml_models.labels import BY_ALIAS
from ml_pipeline.data.records import Record
from ml_pipeline.errors import SourceError

SOURCE = "HAM10000"
LICENCE = (
    "HAM10000 (Tschandl, Rosendahl, Kittler 2018, doi 10.7910/DVN/DBW86T), CC BY-NC 4.0; "
    "labels by image id from the ISIC 2019 ground truth (Combalia 2019), CC BY-NC 4.0"
)

_HAM_COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")


def read_ham10000(folder: Path, isic2019_ground_truth: Path) -> tuple[Record, ...]:
    """Read all records, sorted by image id, `group` and `split` still unset.

    Raises SourceError for missing files, ids that are not unique, ids without a ground truth, and labels in
    which the two tables disagree; the text names file, row and remedy.
    """
    truth = read_isic2019_labels(isic2019_ground_truth)
    metadata = folder / "HAM10000_metadata.csv"
    files = {path.stem: path for path in sorted(folder.glob("HAM10000_images*/*.jpg"))}
    records = {}
    for number, row in _rows(metadata, _HAM_COLUMNS):
        where = f"{metadata}, row {number} ({row['image_id']})"
        image_id = row["image_id"]
        if image_id in records:
            raise SourceError(f"{where}: this id occurs twice. Use the metadata with 10,015 unique ids (Dataverse).")
        if image_id not in files:
            raise SourceError(f"{where}: no such JPEG under {folder}/HAM10000_images*. Unpack both image archives.")
        records[image_id] = _record(row, files[image_id], truth.get(image_id), where)
    if not records:
        raise SourceError(f"{metadata} lists no image.")
    return tuple(records[image_id] for image_id in sorted(records))


def read_isic2019_labels(ground_truth: Path) -> dict[str, str]:
    """Map image id to our class code from the one-hot ISIC 2019 ground truth (UNK rows are left out)."""
    labels = {}
    for number, row in _rows(ground_truth, ("image", "MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")):
        hot = [name for name, value in row.items() if name != "image" and value and float(value) == 1.0]
        if len(hot) != 1:
            raise SourceError(f"{ground_truth}, row {number}: exactly one class must be 1, seen {hot}.")
        if hot[0] != "UNK":
            labels[row["image"]] = BY_ALIAS[hot[0]].code
    return labels


def _record(row: dict[str, str], path: Path, label: str | None, where: str) -> Record:
    if label is None:
        raise SourceError(f"{where}: id not in the ISIC 2019 ground truth. Use the complete ground truth file.")
    coarse = "akiec" if label == "scc" else label
    if coarse != row["dx"]:
        raise SourceError(f"{where}: HAM10000 says {row['dx']}, ISIC 2019 says {label}. One of the files is altered.")
    return Record(
        source=SOURCE,
        image_id=row["image_id"],
        path=str(path.resolve()),
        label=label,
        lesion_id=row["lesion_id"],
        modality=Modality.DERMATOSCOPIC,
        diagnosis_method=row["dx_type"],
        age_years=float(row["age"]) if row["age"] else None,
        sex=_known(row["sex"]),
        site=_known(row["localization"]),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _known(value: str) -> str | None:
    return None if value in ("", "unknown") else value


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    if not path.is_file():
        raise SourceError(f"No file {path}. Point --ham10000 and --isic2019-labels at the unpacked downloads.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = set(columns) - set(reader.fieldnames or ())
        if missing:
            raise SourceError(f"{path}: columns {sorted(missing)} are missing; seen {reader.fieldnames}.")
        yield from enumerate(reader, start=2)
