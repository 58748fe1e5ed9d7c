"""Who is in the photos: age, sex, skin type, body site, and how the diagnosis was proven."""

from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np

from ml_pipeline.data.build import Build
from ml_pipeline.data.records import Record
from ml_pipeline.data.report.plots import share_histogram, shares
from ml_pipeline.report_page.page import Block, Cell, Column, Heading, Plots, Row, Section, Table, Text
from ml_pipeline.report_page.words import count, of, or_unknown, percent

_BIN_YEARS, _OLDEST_YEARS = 10, 100
_UNKNOWN = or_unknown(None)


def people(build: Build) -> Section:
    """Histograms and crossed tables, all by class."""
    records = build.records
    blocks = (
        *_ages(records),
        Heading("Sex"),
        *_male_share(records),
        *_crossed(records, lambda record: record.sex),
        Heading("Fitzpatrick skin type"),
        Text("Report by skin type, and say nothing about types that hardly occur.", "see"),
        *_crossed(records, lambda record: "" if record.fitzpatrick_type is None else f"type {record.fitzpatrick_type}"),
        Heading("How the diagnosis was proven"),
        Text(
            "It goes with the label (whatever looks malignant gets a biopsy), so it is never given to a model; where "
            "it is not histopathology, the label itself may be wrong.",
            "see",
        ),
        *_crossed(records, lambda record: record.diagnosis_method.replace("_", " ")),
        Heading("Body site"),
        Text("Sites keep the words of their source, so one site can have two names.", "see"),
        *_crossed(records, lambda record: record.site, sites_down=True),
    )
    return Section("people", "People and diagnoses", blocks)


def _ages(records: tuple[Record, ...]) -> tuple[Block, ...]:
    ages: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if record.age_years is not None:
            ages[record.label].append(record.age_years)
    everyone = [age for each in ages.values() for age in each]
    if not everyone:
        return Heading("Age"), Text("No age is known.", "see")
    bins = np.arange(0, _OLDEST_YEARS + _BIN_YEARS, _BIN_YEARS)
    clipped = {label: np.clip(each, 0, _OLDEST_YEARS - 1).tolist() for label, each in ages.items()}
    whole = np.clip(everyone, 0, _OLDEST_YEARS - 1).tolist()
    top = 1.1 * max(float(shares(each, bins).max()) for each in (*clipped.values(), whole))
    medians = {label: float(np.median(each)) for label, each in ages.items()}
    young, old = min(sorted(medians), key=medians.__getitem__), max(sorted(medians), key=medians.__getitem__)
    see = (
        f"Age is known for {of(len(everyone), len(records))} of the photos; medians run from {medians[young]:.0f} "
        f"years ({young}) to {medians[old]:.0f} ({old}). The outline is that of all photos together."
    )
    plots = tuple(
        share_histogram(clipped[label], whole, bins=bins, title=label, unit="age, years", top=top)
        for label in sorted(ages)
    )
    return Heading("Age"), Text(see, "see"), Plots(plots)


def _male_share(records: tuple[Record, ...]) -> tuple[Text, ...]:
    sexes: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        if record.sex:
            sexes[record.label][record.sex] += 1
    if not sexes:
        return ()
    shares_of_men = {label: counts["male"] / counts.total() for label, counts in sorted(sexes.items())}
    fewest, most = min(shares_of_men, key=shares_of_men.__getitem__), max(shares_of_men, key=shares_of_men.__getitem__)
    return (
        Text(
            f"Among photos of known sex, the share of men runs from {percent(shares_of_men[fewest], 1)} ({fewest}) to "
            f"{percent(shares_of_men[most], 1)} ({most}).",
            "see",
        ),
    )


def _crossed(
    records: tuple[Record, ...], value_of: Callable[[Record], str], *, sites_down: bool = False
) -> tuple[Block, ...]:
    """Counts by class and value, shaded by the share within the class; the commonest values first, unknown last."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        counts[record.label][or_unknown(value_of(record))] += 1
    totals: Counter[str] = sum(counts.values(), Counter())
    values = sorted(totals, key=lambda value: (value == _UNKNOWN, -totals[value] if sites_down else 0, value))
    if values == [_UNKNOWN]:
        return (Text("Not known for any photo."),)
    labels = sorted(counts)
    known = len(records) - totals[_UNKNOWN]
    caption = f"Known for {percent(known, len(records))} of the photos. Shading: share within the class."
    cells = {
        (label, value): Cell(count(counts[label][value]) if counts[label][value] else "·", _tint(counts[label], value))
        for label in labels
        for value in values
    }
    if sites_down:
        rows = [
            Row((Cell(value), *(cells[label, value] for label in labels), Cell(count(totals[value]))))
            for value in values
        ]
        return (Table(_columns("site", labels), tuple(rows), caption),)
    rows = [
        Row((Cell(label), *(cells[label, value] for value in values), Cell(count(counts[label].total()))))
        for label in labels
    ]
    rows.append(Row((Cell("all"), *(Cell(count(totals[value])) for value in values), Cell(count(len(records)))), "sum"))
    return (Table(_columns("class", values), tuple(rows), caption),)


def _tint(counts: Counter[str], value: str) -> float:
    """Nothing for the unknown: it is no finding."""
    return 0.0 if value == _UNKNOWN else counts[value] / counts.total()


def _columns(first: str, others: list[str]) -> tuple[Column, ...]:
    return (Column(first, numeric=False), *(Column(name) for name in others), Column("all"))
