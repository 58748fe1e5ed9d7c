"""Which data set a folder holds, told by what lies in it: nobody has to name it."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_models.classification import Modality
from ml_pipeline.data.sources import folders, ham10000, isic2018, isic2019, pad_ufes, reviews
from ml_pipeline.data.sources.source import Reading, photos_below
from ml_pipeline.errors import SourceError

MAPPING = "mapping.csv"
_HAM10000 = ("HAM10000_metadata.csv", "HAM10000_metadata.tab", "HAM10000_metadata")
_ISIC2019_TRUTH, _ISIC2019_METADATA = "ISIC_2019_Training_GroundTruth.csv", "ISIC_2019_Training_Metadata.csv"
_ISIC2018 = "ISIC2018_Task3_Training_GroundTruth.csv"
_PAD_UFES, _PAD_UFES_COLUMNS = "metadata.csv", frozenset({"img_id", "diagnostic", "patient_id"})


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which data sets come: its name, what tells it, and how it is read."""

    name: str
    told_by: str
    fits: Callable[[Path], bool]
    read: Callable[[Path], Reading]


def read_all(places: Sequence[Path], *, dermatoscopic: Iterable[str] = ()) -> tuple[Reading, ...]:
    """Read each folder as what it is; `dermatoscopic` names those class folders whose photos are no clinical ones.

    No photo is opened. Exports of reviews come last: they may name classes that the others bring. Raises SourceError
    for a folder that is no known data set, or several, and for two data sets of one name.
    """
    dermatoscopic = set(dermatoscopic)
    found = [(place, layout_of(place)) for place in places]
    exports = [place for place, layout in found if layout is _REVIEWS]
    named = {place.resolve().name for place, layout in found if layout is _CLASS_FOLDERS}
    if stray := dermatoscopic - named:
        raise SourceError(f"No class folders {sorted(stray)} among the data sets; seen: {sorted(named) or 'none'}.")
    readings = [
        _read_folders(place, dermatoscopic) if layout is _CLASS_FOLDERS else layout.read(place)
        for place, layout in found
        if layout is not _REVIEWS
    ]
    codes = {record.label for reading in readings for record in reading.records}
    readings += [reviews.read(place, foreign_labels=codes) for place in exports]
    names = [reading.source for reading in readings]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(f"Several folders hold {', '.join(twice)}. Give each data set once, or rename the folder.")
    return tuple(readings)


def layout_of(place: Path) -> Layout:
    """The one layout that a folder has. Raises SourceError, which says what was looked for."""
    if not place.is_dir():
        raise SourceError(f"{place} is no folder. Give the folder of an unpacked data set.")
    fitting = [layout for layout in _TABLED if layout.fits(place)]
    if len(fitting) > 1:
        raise SourceError(
            f"{place} holds several data sets: {', '.join(layout.name for layout in fitting)}. "
            "Give each one in a folder of its own."
        )
    if fitting:
        return fitting[0]
    if _CLASS_FOLDERS.fits(place):
        return _CLASS_FOLDERS
    looked_for = "; ".join(f"{layout.name} by {layout.told_by}" for layout in (*_TABLED, _CLASS_FOLDERS))
    raise SourceError(f"{place} is no data set in a known layout. Looked for: {looked_for}.")


def _any_file(*names: str) -> Callable[[Path], bool]:
    return lambda place: any((place / name).is_file() for name in names)


def _is_pad_ufes(place: Path) -> bool:
    table = place / _PAD_UFES
    if not table.is_file():
        return False
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return set(next(csv.reader(file), [])) >= _PAD_UFES_COLUMNS


def _read_isic2019(place: Path) -> Reading:
    """With its metadata a data set; the ground truth alone only tells labels of photos that others hold."""
    if (place / _ISIC2019_METADATA).is_file():
        return isic2019.read(place)
    return isic2019.read_labels(place / _ISIC2019_TRUTH)


def _read_folders(place: Path, dermatoscopic: Iterable[str] = ()) -> Reading:
    name = place.resolve().name
    modality = Modality.DERMATOSCOPIC if name in dermatoscopic else Modality.CLINICAL
    mapping = place / MAPPING
    return folders.read(name, place, modality=modality, mapping=mapping if mapping.is_file() else None)


def _has_class_folders(place: Path) -> bool:
    return any(path.parent != place.resolve() for path in photos_below(place.resolve()))


_REVIEWS = Layout("reviews", reviews.TABLE, _any_file(reviews.TABLE), reviews.read)
_CLASS_FOLDERS = Layout("class folders", "a folder of photos for each class", _has_class_folders, _read_folders)
_TABLED = (
    Layout(ham10000.SOURCE, _HAM10000[0], _any_file(*_HAM10000), ham10000.read),
    Layout(isic2019.SOURCE, _ISIC2019_TRUTH, _any_file(_ISIC2019_TRUTH), _read_isic2019),
    Layout(
        isic2018.SOURCE, _ISIC2018, _any_file(_ISIC2018, f"{_ISIC2018.removesuffix('.csv')}/{_ISIC2018}"), isic2018.read
    ),
    Layout(pad_ufes.SOURCE, f"{_PAD_UFES} with {', '.join(sorted(_PAD_UFES_COLUMNS))}", _is_pad_ufes, pad_ufes.read),
    _REVIEWS,
)
