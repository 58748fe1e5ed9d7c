"""One HTML file out of sections and blocks: the look that all reports share. No script, and nothing from the network.

Blocks hold plain text only; the template escapes it. Reports are builders of sections and know no HTML.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import jinja2

from ml_pipeline.files import replacing

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Text:
    """One paragraph; `strong` is the sentence that says what to see, `aside` small print."""

    kind: ClassVar[str] = "text"
    text: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One headline number."""

    value: str
    name: str
    note: str = ""
    good: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Headline numbers side by side."""

    kind: ClassVar[str] = "facts"
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Points:
    """Sentences to be read one by one."""

    kind: ClassVar[str] = "points"
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar: its width as a share of the whole track, and its colour's name in the look."""

    share: float
    colour: str


@dataclass(frozen=True, slots=True)
class Legend:
    """What the colours of the bars below mean: pairs of colour and name."""

    kind: ClassVar[str] = "legend"
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution on a track: 5, 25, 50, 75 and 95 % quantiles as shares of the track."""

    quantiles: tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of a table; `tint` from 0 to 1 shades it, `code` is for digests."""

    text: str = ""
    tint: float = 0.0
    bar: tuple[Segment, ...] = ()
    spread: Spread | None = None
    code: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A head; numbers stand to the right. `wide` columns hold bars."""

    name: str
    numeric: bool = True
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of one line; `role` is empty, `weak` (unflattering), `chosen`, `sum` or `part`."""

    cells: tuple[Cell, ...]
    role: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    kind: ClassVar[str] = "table"
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot as data URIs, for light and for dark pages; `title` stands above it."""

    light: str
    dark: str
    description: str
    title: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plots:
    """Plots side by side on equal axes, `large` ones three to a line, or a single one over the whole width."""

    kind: ClassVar[str] = "plots"
    plots: tuple[Plot, ...]
    large: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a photo, in percent of its width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Photo:
    """One thumbnail as a data URI (empty: it cannot be decoded), what is said of it, and where others looked at it."""

    uri: str
    name: str
    lines: tuple[str, ...] = ()
    colour: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Album:
    """Photos that belong together."""

    photos: tuple[Photo, ...]
    title: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Albums:
    """Several of them; `large` ones take a line each, with small photos beside each other."""

    kind: ClassVar[str] = "albums"
    albums: tuple[Album, ...]
    large: bool = False


Block = Text | Heading | Facts | Points | Legend | Table | Plots | Albums


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report that can be linked to."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


def row(*cells: str | Cell, role: str = "") -> Row:
    """A row out of texts and cells."""
    return Row(tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in cells), role)


def names_and_numbers(*names: str) -> tuple[Column, ...]:
    """Columns of which the first holds names and the others numbers."""
    return tuple(Column(name, numeric=index > 0) for index, name in enumerate(names))


def write_page(path: Path, *, title: str, subtitle: str, sections: tuple[Section, ...], footer: str) -> None:
    """Write the sections as one file; equal sections give equal bytes."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html").generate(
        title=title, subtitle=subtitle, sections=sections, footer=footer
    )
    with replacing(path) as file:
        file.writelines(page)
