"""Resolution and sharpness, which models take for the disease where they go with the class."""

from collections import Counter, defaultdict

import numpy as np

from ml_pipeline.data.build import Build
from ml_pipeline.data.records import Record
from ml_pipeline.data.report.plots import log_histogram
from ml_pipeline.report_page.page import (
    Cell,
    Column,
    Heading,
    Plots,
    Row,
    Section,
    Spread,
    Table,
    Text,
    names_and_numbers,
    row,
)
from ml_pipeline.report_page.words import count, percent, size_px

_COMMON_SIZES = 8
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_UNEVEN = 1.25


def pixels(build: Build) -> Section:
    """Short sides by source, common sizes, and how sharp the classes are."""
    by_source: dict[str, list[int]] = defaultdict(list)
    for record in build.records:
        by_source[record.source].append(min(record.width_px, record.height_px))
    sides = [side for each in by_source.values() for side in each]
    limits = float(min(sides)), float(max(sides))
    plots = tuple(
        log_histogram(by_source[source], title=source, unit="short side, px", limits=limits)
        for source in sorted(by_source)
    )
    medians = [f"{source} {count(float(np.median(by_source[source])))} px" for source in sorted(by_source)]
    see = (
        f"Short side of the copy that is kept, by the source it is from; medians: {', '.join(medians)}. "
        "A model input beyond that adds no detail."
    )
    return Section(
        "pixels",
        "Resolution and sharpness",
        (Text(see, "see"), Plots(plots), *_sizes(build), Heading("By class"), *_by_class(build)),
    )


def _sizes(build: Build) -> tuple[Table, ...]:
    sizes = Counter((record.width_px, record.height_px) for record in build.records).most_common()
    ordered = sorted(sizes, key=lambda item: (-item[1], item[0]))[:_COMMON_SIZES]
    rows = [
        row(size_px(width, height), count(number), percent(number, len(build.records)))
        for (width, height), number in ordered
    ]
    caption = f"The most common of {count(len(sizes))} sizes, width and height."
    return (Table(names_and_numbers("size", "photos", "share"), tuple(rows), caption),)


def _by_class(build: Build) -> tuple[Text, Table]:
    size_bytes = {file.path.as_posix(): file.facts.size_bytes for file in build.files}
    by_class: dict[str, list[Record]] = defaultdict(list)
    for record in build.records:
        by_class[record.label].append(record)
    densities = {
        label: [_bits_per_pixel(record, size_bytes) for record in records] for label, records in by_class.items()
    }
    top = max(float(np.quantile(values, _QUANTILES[-1])) for values in densities.values()) or 1.0
    sources = sorted({record.source for record in build.records})
    rows = []
    for label in sorted(by_class):
        quantiles = [float(value) for value in np.quantile(densities[label], _QUANTILES)]
        low, lower, middle, upper, high = (value / top for value in quantiles)
        records = by_class[label]
        rows.append(
            Row(
                (
                    *(Cell(label), Cell(count(len(records)))),
                    Cell(count(float(np.median([record.width_px * record.height_px for record in records])) / 1000)),
                    *(Cell(f"{quantiles[index]:.2f}") for index in (0, 2, 4)),
                    Cell(spread=Spread((low, lower, middle, upper, high))),
                    *(_share(sum(record.source == source for record in records), len(records)) for source in sources),
                )
            )
        )
    columns = (
        Column("class", numeric=False),
        *(Column(name) for name in ("photos", "kilopixels, median", "bits per pixel, 5 %", "median", "95 %")),
        Column("5 to 95 %, middle half, median", numeric=False, wide=True),
        *(Column(f"from {source}") for source in sources),
    )
    return Text(_unevenness(densities), "see"), Table(columns, tuple(rows))


def _unevenness(densities: dict[str, list[float]]) -> str:
    medians = {label: float(np.median(values)) for label, values in densities.items()}
    soft, sharp = min(sorted(medians), key=medians.__getitem__), max(sorted(medians), key=medians.__getitem__)
    told = (
        "Bits of file per pixel of the kept copy, a plain measure of sharpness and compression (small pictures need "
        f"more): medians run from {medians[soft]:.2f} ({soft}) to {medians[sharp]:.2f} ({sharp})."
    )
    if medians[sharp] > _UNEVEN * medians[soft]:
        return (
            f"{told} Sharpness goes with the class, so a model can score by it: blur and recompress while training, "
            "and report by source."
        )
    return f"{told} The classes are about equally sharp."


def _bits_per_pixel(record: Record, size_bytes: dict[str, int]) -> float:
    return 8 * size_bytes[record.path] / (record.width_px * record.height_px)


def _share(part: int, whole: int) -> Cell:
    return Cell(percent(part, whole), tint=part / whole)
