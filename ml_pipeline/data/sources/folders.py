"""One folder per class, of any number and any names, also below folders such as train and test.

The class of a photo is the folder that holds it directly. A mapping file, a CSV with the columns folder and label,
names the classes otherwise; the columns name, malignant (yes, no or empty), severity (Low, Moderate or High) and advice
may say what a model made from the photos is to say of a class.
"""

import filecmp
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ml_models.classification import Modality
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.class_names import label_of
from ml_pipeline.data.sources.source import (
    LabelFacts,
    Reading,
    canonical_id,
    index_rows,
    is_isic_id,
    label_facts,
    photos_below,
    read_table,
)
from ml_pipeline.errors import SourceError

LICENCE = "Terms not stated: ask whoever gave out this folder before you publish anything made from it"

_NAME = re.compile(r"[\w.-]+")
_NO_CLASSES = frozenset({"train", "training", "test", "testing", "val", "valid", "validation", "images"})


def read(name: str, folder: Path, *, modality: Modality, mapping: Path | None = None) -> Reading:
    """Find the photos and name their classes; a mapping leaves out the classes that it gives an empty label.

    An image id is ISIC's number where the file's stem is one, else the name and the path below the folder; its suffix
    stays only where two files of one class folder share a stem. Raises SourceError.
    """
    if not _NAME.fullmatch(name):
        raise SourceError(f"{name!r} cannot name a data set. Use letters, digits, dots, dashes and underscores.")
    root = folder.resolve()
    if not root.is_dir():
        raise SourceError(f"No folder {root}. Point --folder {name}=DIR at a folder that holds one folder per class.")
    photos = tuple(photos_below(root))
    _check_layout(root, photos)
    classes = sorted({path.parent.name for path in photos})
    labels = _mapped(classes, mapping.resolve(), root) if mapping else _named(classes, root)
    kept = [path for path in photos if path.parent.name in labels]
    records: dict[str, Record] = {}
    for image_id, path in sorted(_identified(name, root, kept)):
        record = _record(name, image_id, path, labels[path.parent.name].code, modality)
        if image_id in records:
            _check_twin(record, records[image_id])
        else:
            records[image_id] = record
    return Reading(
        name,
        tuple(records.values()),
        tables=(mapping.resolve(),) if mapping else (),
        unlisted=tuple(path for path in photos if path.parent.name not in labels),
        labels=tuple(labels.values()),
    )


def _check_layout(root: Path, photos: Sequence[Path]) -> None:
    if not photos:
        raise SourceError(f"No photo below {root}. Put each class into a folder of its own there.")
    for path in photos:
        if path.parent == root or path.parent.name.lower() in _NO_CLASSES:
            raise SourceError(f"{path} lies in no class folder. Move it to {path.parent}/CLASS/{path.name}.")


def _named(classes: Sequence[str], root: Path) -> dict[str, LabelFacts]:
    labels = {name: LabelFacts(label_of(name), where=str(root), called=name) for name in classes}
    for name, label in labels.items():
        if not label.code:
            raise SourceError(f"{root}: class folder {name!r} has no letter to make a label of. Rename or map it.")
    return labels


def _mapped(classes: Sequence[str], mapping: Path, root: Path) -> dict[str, LabelFacts]:
    """What the mapping says of each class folder, without those that it gives an empty label."""
    rows = index_rows(
        read_table(mapping, ("folder", "label"), remedy="A mapping has the columns folder and label."),
        key=lambda row: row.required("folder"),
        remedy="Keep one row for each folder.",
    )
    for name in classes:
        if name not in rows:
            raise SourceError(
                f"{mapping}: no row for class folder {name!r} of {root}. Add it; an empty label drops it."
            )
    for name, row in rows.items():
        if name not in classes:
            raise SourceError(f"{row.where}: no folder {name!r} with photos below {root}. Correct or remove the row.")
        if row.cells["label"] and not label_of(row.cells["label"]):
            raise SourceError(f"{row.where}: label {row.cells['label']!r} has no letter. Mend the row.")
    labelled = {name: (row, row.cells["label"]) for name, row in rows.items() if row.cells["label"]}
    return {name: label_facts(row, label_of(label), called=label) for name, (row, label) in labelled.items()}


def _identified(name: str, root: Path, photos: Iterable[Path]) -> list[tuple[str, Path]]:
    """Pairs of image id and path."""
    relative = {path: path.relative_to(root) for path in photos}
    stems = Counter(path.with_suffix("") for path in relative.values())
    pairs = []
    for path, below in relative.items():
        own = below if stems[below.with_suffix("")] > 1 else below.with_suffix("")
        pairs.append((canonical_id(path.stem) if is_isic_id(path.stem) else f"{name}/{own.as_posix()}", path))
    return pairs


def _check_twin(record: Record, first: Record) -> None:
    """Byte-identical files of one ISIC id in one class are one photo; anything else is a contradiction."""
    if record.label != first.label or not filecmp.cmp(record.path, first.path, shallow=False):
        raise SourceError(
            f"{first.path} ({first.label}) and {record.path} ({record.label}) are different files or classes of "
            f"one id, {record.image_id}. Keep the right one."
        )


def _record(name: str, image_id: str, path: Path, label: str, modality: Modality) -> Record:
    return Record(
        source=name,
        image_id=image_id,
        path=str(path),
        label=label,
        lesion_id="",
        patient_id="",
        modality=modality,
        diagnosis_method="",
        age_years=None,
        sex="",
        site="",
        fitzpatrick_type=None,
        licence=LICENCE,
    )
