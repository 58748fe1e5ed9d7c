"""Any folder of photos with a table of their labels, as records that a model can be judged on.

The table names photos and labels under one of the usual column names, or is the ground truth of an ISIC challenge with
a column per class. What else it says of lesion, patient, age, sex, site, modality and skin type is used where it is.
"""

import dataclasses
import filecmp
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image, UnidentifiedImageError

from ml_models.artefact import file_digest
from ml_models.classification import Modality
from ml_models.labels import BY_ALIAS, Label
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.class_names import label_of
from ml_pipeline.data.sources.one_hot import NO_LABEL, hot_label
from ml_pipeline.data.sources.source import (
    IMAGE_SUFFIXES,
    Row,
    canonical_id,
    index_rows,
    is_isic_id,
    known,
    photos_below,
    read_table,
)
from ml_pipeline.data.sources.vocabulary import (
    AGE_YEARS_HIGH,
    AGE_YEARS_LOW,
    FITZPATRICK_HIGH,
    FITZPATRICK_LOW,
    SEXES,
)
from ml_pipeline.data.split import assign_groups
from ml_pipeline.errors import SourceError

_IMAGE, _LABEL = "image", "label"
# The names under which published tables hold what we call by the first; case does not matter.
_COLUMNS: dict[str, tuple[str, ...]] = {
    _IMAGE: ("image", "image_id", "isic_id", "img_id", "image_name", "filename", "file_name", "file"),
    _LABEL: ("label", "dx", "diagnosis", "diagnostic", "class"),
    "lesion_id": ("lesion_id",),
    "patient_id": ("patient_id",),
    "age": ("age", "age_years", "age_approx"),
    "sex": ("sex", "gender"),
    "site": ("site", "localization", "anatom_site", "anatom_site_general", "anatom_site_special", "region"),
    "modality": ("modality",),
    "fitzpatrick": ("fitzpatrick", "fitzpatrick_type", "fitzpatrick_skin_type", "fitspatrick"),
}
_SEXES = {**SEXES, "f": SEXES["female"], "m": SEXES["male"]}
_MODALITIES = {
    **{str(modality): str(modality) for modality in Modality},
    "dermoscopic": str(Modality.DERMATOSCOPIC),
    "dermoscopy": str(Modality.DERMATOSCOPIC),
}
_UNKNOWN_SHOWN = 8


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """Records of the photos that are there, by id, each with its lesion group; and the rows that are not used.

    `modality_assumed`: for some photo nobody said whether it is dermatoscopic or clinical; ISIC's numbers were then
    taken to be dermatoscopic and all others clinical.
    """

    records: tuple[Record, ...]
    missing: tuple[str, ...]
    unknown_labels: Mapping[str, int]
    modality_assumed: bool


def read_labelled_folder(
    images: Path,
    table: Path,
    labels: Sequence[Label],
    *,
    modality: Modality | None = None,
    skip_unknown_labels: bool = False,
) -> LabelledFolder:
    """Read the table and find its photos below `images`.

    Photos of one lesion or patient, and equal files, are one group; without any of these a photo is its own. Raises
    SourceError naming row and remedy; for labels that the model does not have unless they are to be skipped.
    """
    rows = _rows(table)
    own = _own_names(labels)
    codes = {name: _code(row.cells[_LABEL], own) for name, row in rows.items()}
    strange = _strange(codes, rows, labels, skip=skip_unknown_labels)
    files = _Files(images)
    sought = {name: files.find(row) for name, row in rows.items() if codes[name]}
    found = {name: path for name, path in sought.items() if path is not None}
    if not found:
        raise SourceError(
            f"None of the {len(sought)} photos of {table} is below {images}. Give the folder that holds them."
        )
    _refuse_twice(rows, found)
    records = [_record(rows[name], path, codes[name], modality) for name, path in found.items()]
    groups = assign_groups(records, ())
    return LabelledFolder(
        tuple(dataclasses.replace(record, group=groups[record.image_id]) for record in records),
        tuple(name for name in sought if name not in found),
        strange,
        modality_assumed=modality is None and not all(known(rows[name].cells["modality"]) for name in found),
    )


class _Files:
    """The photos below a folder, by every name that a table may use for them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder.resolve()
        if not self.root.is_dir():
            raise SourceError(f"{folder} is not a folder. Give the folder that holds the photos.")
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in photos_below(self.root):
            relative = PurePosixPath(path.relative_to(self.root))
            for name in {str(relative), str(relative.with_suffix("")), path.name, path.stem, canonical_id(path.stem)}:
                self._by_name[name.casefold()].append(path)

    def find(self, row: Row) -> Path | None:
        """The photo of a row: as written, without its suffix, or by ISIC's number; None where there is none."""
        name = row.cells[_IMAGE].replace("\\", "/").removeprefix("./")
        stem = PurePosixPath(_stem(name)).name
        for candidate in (name, _stem(name), stem, canonical_id(stem)):
            paths = self._by_name.get(candidate.casefold(), [])
            for other in paths[1:]:
                if not filecmp.cmp(paths[0], other, shallow=False):
                    raise SourceError(
                        f"{row.where}: {name} is both {paths[0]} and {other}. Write the path below the folder."
                    )
            if paths:
                return paths[0]
        return None


def _rows(table: Path) -> dict[str, Row]:
    """Rows under our own column names, indexed by photo; a missing optional column is empty."""
    raw = read_table(table, (), remedy="Give a CSV with the columns image and label.")
    present = {name.casefold(): name for name in raw[0].cells}
    columns = {ours: next((present[name] for name in names if name in present), "") for ours, names in _COLUMNS.items()}
    classes = [] if columns[_LABEL] else [name for name in raw[0].cells if name in BY_ALIAS]
    if not columns[_IMAGE] or not (columns[_LABEL] or len(classes) > 1):
        raise SourceError(
            f"{table}: columns {list(raw[0].cells)} do not name photos and labels. Call the column of the file names "
            f"{', '.join(_COLUMNS[_IMAGE])}, and that of the labels {', '.join(_COLUMNS[_LABEL])}, or give an ISIC "
            "ground truth with a column per class."
        )
    rows = (_renamed(row, columns, classes) for row in raw)
    return index_rows(rows, key=lambda row: row.required(_IMAGE), remedy="Keep one row for each photo.")


def _renamed(row: Row, columns: Mapping[str, str], classes: Sequence[str]) -> Row:
    cells = {ours: row.cells.get(name, "") for ours, name in columns.items()}
    if classes:
        cells[_LABEL] = hot_label(row, classes) or NO_LABEL
    renamed = Row(row.table, row.number, cells)
    renamed.required(_LABEL)
    return renamed


def _own_names(labels: Sequence[Label]) -> dict[str, str]:
    """A model's codes by every word for a class, in small letters: a code beats another class's name or alias."""
    aliases = {alias.casefold(): label.code for label in reversed(labels) for alias in label.aliases}
    names = {label.name.casefold(): label.code for label in reversed(labels)}
    return aliases | names | {label.code.casefold(): label.code for label in reversed(labels)}


def _code(text: str, own: Mapping[str, str]) -> str:
    """The model's code for a label: by its own codes, names and aliases, else by what is known of all data sets."""
    return own.get(text.casefold()) or (label_of(text) if label_of(text) in own.values() else "")


def _strange(
    codes: Mapping[str, str], rows: Mapping[str, Row], labels: Sequence[Label], *, skip: bool
) -> dict[str, int]:
    """Labels of the table that the model does not have, with their counts. Raises SourceError unless to be skipped."""
    strange = [rows[name] for name, code in codes.items() if not code]
    counts = dict(sorted(Counter(row.cells[_LABEL] for row in strange).items()))
    if strange and not skip:
        shown = ", ".join(f"{text!r} ({count})" for text, count in list(counts.items())[:_UNKNOWN_SHOWN])
        more = f" and {len(counts) - _UNKNOWN_SHOWN} more" if len(counts) > _UNKNOWN_SHOWN else ""
        raise SourceError(
            f"{strange[0].where}: the model does not know the label {strange[0].cells[_LABEL]!r}; unknown in all: "
            f"{shown}{more}. It knows {', '.join(label.code for label in labels)}. Rename them in the table, or leave "
            "those photos out with --skip-unknown-labels."
        )
    return counts


def _assumed_modality(row: Row, modality: Modality | None) -> Modality:
    """What the caller says of a row that says nothing; else ISIC's numbers are dermatoscopic, as nearly all are."""
    isic = is_isic_id(_stem(row.cells[_IMAGE]))
    return modality or (Modality.DERMATOSCOPIC if isic else Modality.CLINICAL)


def _record(row: Row, path: Path, code: str, modality: Modality | None) -> Record:
    patient = known(row.cells["patient_id"])
    lesion = known(row.cells["lesion_id"])
    told = row.one_of("modality", _MODALITIES, optional=True)
    width_px, height_px = _size_px(path)
    return Record(
        source=row.table.stem,
        image_id=row.cells[_IMAGE],
        path=str(path),
        label=code,
        # PAD-UFES-20's lesion numbers are unique within a patient only
        lesion_id=f"{patient}/{lesion}" if patient and lesion else lesion,
        patient_id=patient,
        modality=Modality(told) if told else _assumed_modality(row, modality),
        diagnosis_method="",
        age_years=row.number_or_none("age", low=AGE_YEARS_LOW, high=AGE_YEARS_HIGH),
        sex=row.one_of("sex", _SEXES, optional=True),
        site=row.words("site"),
        fitzpatrick_type=row.whole_or_none("fitzpatrick", low=FITZPATRICK_LOW, high=FITZPATRICK_HIGH),
        licence="",
        sources=row.table.stem,
        width_px=width_px,
        height_px=height_px,
        sha256=file_digest(path),
    )


def _size_px(path: Path) -> tuple[int, int]:
    """Width and height as the header says; zeros for what Pillow cannot read, which only the resolution slices need."""
    try:
        with Image.open(path) as image:
            return image.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError):
        return 0, 0


def _refuse_twice(rows: Mapping[str, Row], found: Mapping[str, Path]) -> None:
    """One file under two names would count twice."""
    seen: dict[Path, str] = {}
    for name, path in found.items():
        if path in seen:
            raise SourceError(f"{rows[name].where}: {name} and {seen[path]} are one file, {path}. Keep one row.")
        seen[path] = name


def _stem(name: str) -> str:
    """The name without the suffix of a photo; other dots stay."""
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in IMAGE_SUFFIXES else name
