"""What every adapter returns, and the parts that they share: tables, photo files and ids.

A new source is one small file with SOURCE, LICENCE and `read(...) -> Reading`. Nothing here opens a photo; every
complaint names file, row and remedy.
"""

import csv
import filecmp
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from ml_models.classification import Severity
from ml_pipeline.data.records import Record
from ml_pipeline.errors import SourceError

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".heic", ".heif", ".bmp", ".gif", ".tif", ".tiff"}
)
_ISIC_ID = re.compile(r"(ISIC_\d{7})(?:_downsampled)?", re.IGNORECASE | re.ASCII)
_DELIMITERS = ",\t;"  # as published, as Dataverse converts it, as spreadsheets save it in half of Europe


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What a source says of one class, and where; empty or None where it says nothing.

    `called` is what its folder or a mapping calls it, from which a class that nobody names gets a name.
    """

    code: str
    where: str = ""
    name: str = ""
    malignant: bool | None = None
    severity: Severity | None = None
    advice: str = ""
    called: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One data set as its tables and its folder say; no photo has been opened yet.

    `records` come sorted by image id, with an empty path where the tables list a photo that is not on the disk.
    `unlisted` are photos that no usable row names. `tables` are the files that were read beside the photos; with
    `labels_only` there are no others, and no photo is missed. `labels` is what is said of classes.
    """

    source: str
    records: tuple[Record, ...]
    tables: tuple[Path, ...] = ()
    unlisted: tuple[Path, ...] = field(default=())
    labels_only: bool = False
    labels: tuple[LabelFacts, ...] = ()

    @property
    def missing(self) -> tuple[Record, ...]:
        """Rows without a file."""
        return () if self.labels_only else tuple(record for record in self.records if not record.path)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; every method raises SourceError for a cell that it cannot accept."""

    table: Path
    number: int
    cells: dict[str, str]

    @property
    def where(self) -> str:
        return f"{self.table}, row {self.number}"

    def required(self, column: str) -> str:
        """A text that must not be empty."""
        if not self.cells[column]:
            raise SourceError(f"{self.where}: {column} is empty. Mend the row.")
        return self.cells[column]

    def isic_id(self, column: str) -> str:
        """ISIC's registry number, without `_downsampled`."""
        if not is_isic_id(self.cells[column]):
            raise SourceError(
                f"{self.where}: {column} {self.cells[column]!r} is no id such as ISIC_0024306. Mend the row."
            )
        return canonical_id(self.cells[column])

    def words(self, column: str) -> str:
        """Lower-cased text, empty where the table knows nothing."""
        return known(self.cells[column]).lower()

    def one_of(self, column: str, choices: Mapping[str, str], *, optional: bool = False) -> str:
        """What `choices`, whose keys are in lower case, make of the cell; if optional, unknown becomes empty."""
        words = self.words(column)
        if optional and not words:
            return ""
        if words not in choices:
            raise SourceError(
                f"{self.where}: {column} {self.cells[column]!r} is none of {', '.join(choices)}. Mend the row."
            )
        return choices[words]

    def number_or_none(self, column: str, *, low: float, high: float) -> float | None:
        """A number between the bounds, None where the table knows nothing."""
        text = known(self.cells[column])
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise SourceError(f"{self.where}: {column} {text!r} is no number from {low:g} to {high:g}. Mend the row.")
        return value

    def whole_or_none(self, column: str, *, low: int, high: int) -> int | None:
        """A whole number, also if written as 2.0, between the bounds."""
        value = self.number_or_none(column, low=low, high=high)
        if value is not None and value != int(value):
            raise SourceError(f"{self.where}: {column} {self.cells[column]!r} is no whole number. Mend the row.")
        return None if value is None else int(value)


@dataclass(frozen=True, slots=True)
class Photos:
    """Files found for the ids of a table, and those that it does not name."""

    by_id: dict[str, Path]
    unlisted: tuple[Path, ...]

    def path(self, image_id: str) -> str:
        """Absolute path, empty without a file."""
        return str(self.by_id.get(image_id, ""))


def read_table(path: Path, columns: Iterable[str], *, remedy: str) -> tuple[Row, ...]:
    """Rows of a CSV with at least those columns; names and cells are stripped, the delimiter is that of the header.

    Raises SourceError for a file that is absent, empty, not UTF-8 or not a table.
    """
    if not path.is_file():
        raise SourceError(f"No file {path}. {remedy}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(_DELIMITERS, key=header.count), strict=True)
            names = [name.strip() for name in next(reader, [])]
            _check_header(path, names, columns, remedy)
            rows = tuple(_row(path, reader.line_num, names, cells) for cells in reader if any(map(str.strip, cells)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: not a readable CSV in UTF-8 ({error}). {remedy}") from error
    if not rows:
        raise SourceError(f"{path} has no row below its header. {remedy}")
    return rows


def index_rows(rows: Iterable[Row], *, key: Callable[[Row], str], remedy: str) -> dict[str, Row]:
    """Rows by id, in the order of ids. Raises SourceError naming both rows of an id that occurs twice."""
    index: dict[str, Row] = {}
    for row in rows:
        image_id = key(row)
        if image_id in index:
            raise SourceError(f"{row.where}: {image_id} occurs twice, first in row {index[image_id].number}. {remedy}")
        index[image_id] = row
    return dict(sorted(index.items()))


def label_facts(row: Row, code: str, *, called: str = "") -> LabelFacts:
    """What the columns name, malignant (yes or no), severity and advice say of a class; each may be absent or empty."""
    said = {column: known(row.cells.get(column, "")) for column in ("name", "malignant", "severity", "advice")}
    full = Row(row.table, row.number, said)
    malignant = full.one_of("malignant", {"yes": "yes", "no": "no"}, optional=True)
    severity = full.one_of("severity", {each.lower(): each.value for each in Severity}, optional=True)
    return LabelFacts(
        code,
        where=row.where,
        name=said["name"],
        malignant={"yes": True, "no": False, "": None}[malignant],
        severity=Severity(severity) if severity else None,
        advice=said["advice"],
        called=called,
    )


def image_files(folder: Path, ids: Collection[str], *, below: Sequence[str]) -> Photos:
    """Photos directly in the folder and, at any depth, inside subfolders whose name matches a pattern of `below`.

    Patterns are in lower case and ignore case. A file belongs to the canonical id that is its stem, whatever its
    suffix. Byte-identical files of one id are one photo; raises SourceError when they differ.
    """
    root = folder.resolve()
    found: dict[str, Path] = {}
    unlisted = []
    for path in photos_below(root):
        inside = path.relative_to(root).parts[:-1]
        if inside and not any(fnmatch(part.lower(), pattern) for part in inside for pattern in below):
            continue
        image_id = canonical_id(path.stem)
        if image_id not in ids:
            unlisted.append(path)
        elif image_id not in found:
            found[image_id] = path
        elif not filecmp.cmp(found[image_id], path, shallow=False):
            raise SourceError(f"{path} and {found[image_id]} are different files of one id, {image_id}. Keep one.")
    return Photos(found, tuple(unlisted))


def photos_below(folder: Path) -> Iterator[Path]:
    """Files with a suffix of a photo, sorted within each folder; what systems hide or leave behind is passed over."""
    for parent, folders, names in os.walk(folder, onerror=_refuse_folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not _is_litter(name))
        for name in sorted(names):
            path = Path(parent, name)
            if path.suffix.lower() in IMAGE_SUFFIXES and not _is_litter(name) and path.is_file():
                yield _with_writable_name(path)


def first_file(folder: Path, *names: str) -> Path:
    """The first of these files that is there, else the first name, for a reader to complain about."""
    paths = [folder.resolve() / name for name in names]
    return next((path for path in paths if path.is_file()), paths[0])


def canonical_id(name: str) -> str:
    """ISIC's registry number of a name such as `ISIC_0000031_downsampled`; other names as they are."""
    match = _ISIC_ID.fullmatch(name)
    return match[1].upper() if match else name


def is_isic_id(name: str) -> bool:
    """Whether a name is a number of ISIC's registry, which means the same photo in every data set."""
    return _ISIC_ID.fullmatch(name) is not None


def known(value: str) -> str:
    """The text, or nothing where a table says that it knows nothing."""
    return "" if value.lower() in ("", "unknown", "unk", "nan", "none", "null", "na", "n/a") else value


def _check_header(path: Path, names: Sequence[str], columns: Iterable[str], remedy: str) -> None:
    missing = sorted(set(columns) - set(names))
    if missing:
        raise SourceError(f"{path}: columns {missing} are missing; seen {names}. {remedy}")
    if len(set(names)) < len(names):
        raise SourceError(f"{path}: a column name occurs twice in {names}. {remedy}")


def _row(path: Path, number: int, names: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(names):
        raise SourceError(f"{path}, row {number}: {len(cells)} cells under {len(names)} column names. Mend the row.")
    return Row(path, number, {name: cell.strip() for name, cell in zip(names, cells, strict=True)})


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _refuse_folder(error: OSError) -> None:
    raise SourceError(f"Cannot list {error.filename}: {error.strerror}. Check the path and your rights.") from error


def _with_writable_name(path: Path) -> Path:
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise SourceError(f"{str(path)!r} is no name in UTF-8, so no table can hold it. Rename the file.") from error
    return path
