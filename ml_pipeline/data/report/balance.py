"""How classes, sources and modalities lie in the splits."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from ml_pipeline.data.build import Build
from ml_pipeline.data.records import Record, Split
from ml_pipeline.data.report.photos import COLOUR, sources_of
from ml_pipeline.report_page.page import Cell, Column, Heading, Legend, Row, Section, Segment, Table, Text
from ml_pipeline.report_page.words import count, percent

LEGEND = Legend(tuple((colour, str(split)) for split, colour in COLOUR.items()))
_COUNTS = (
    *(Column(str(split)) for split in Split),
    Column("photos"),
    Column("share"),
    Column("photos, by split", numeric=False, wide=True),
    Column("shares of the splits", numeric=False, wide=True),
)


def balance(build: Build) -> Section:
    """Counts and bars, class by source by split, then by modality."""
    records = build.records
    sizes = Counter(record.label for record in records)
    largest, rarest = max(sorted(sizes), key=sizes.__getitem__), min(sorted(sizes), key=sizes.__getitem__)
    tests = [record.label for record in records if record.split is Split.TEST]
    lead = (
        f"{largest} makes up {percent(sizes[largest], len(records))} of the photos; the rarest class, {rarest}, has "
        f"{count(sizes[rarest])}, of which {count(tests.count(rarest))} are for testing. Judge models by balanced "
        "accuracy and by class, not by accuracy."
        if len(sizes) > 1
        else f"All photos are of one class, {largest}."
    )
    return Section(
        "balance",
        "Classes, sources and splits",
        (
            Text(lead, "see"),
            LEGEND,
            _table(records, lambda record: record.label, sources_of, names=("class", "held by")),
            Text(_evenness(records)),
            Heading("By modality"),
            Text("Dermatoscopic and clinical photos are different domains: report them apart.", "see"),
            _table(
                records, lambda record: record.modality.value, lambda record: record.label, names=("modality", "class")
            ),
        ),
    )


def _evenness(records: Sequence[Record]) -> str:
    by_class: dict[str, Counter[Split | None]] = defaultdict(Counter)
    for record in records:
        by_class[record.label][record.split] += 1
    ranges = []
    for split in Split:
        values = [counts[split] / counts.total() for counts in by_class.values()]
        ranges.append(f"{split} runs from {percent(min(values), 1)} to {percent(max(values), 1)}")
    return f"Over the classes the share of photos in {', in '.join(ranges)}."


def _table(
    records: Sequence[Record],
    outer: Callable[[Record], str],
    inner: Callable[[Record], str],
    *,
    names: tuple[str, str],
) -> Table:
    """One line for each outer value with the sum, and one for each inner value below where there are several."""
    counts: dict[str, dict[str, Counter[Split | None]]] = defaultdict(lambda: defaultdict(Counter))
    for record in records:
        counts[outer(record)][inner(record)][record.split] += 1
    longest = max(sum(each.total() for each in inside.values()) for inside in counts.values())
    rows = []
    for name, inside in sorted(counts.items()):
        whole: Counter[Split | None] = sum(inside.values(), Counter())
        alone = len(inside) == 1
        rows.append(_row(name, next(iter(inside)) if alone else "all", whole, len(records), longest, "sum"))
        rows += [_row("", each, inside[each], len(records), longest, "part") for each in sorted(inside) if not alone]
    return Table((Column(names[0], numeric=False), Column(names[1], numeric=False), *_COUNTS), tuple(rows))


def _row(name: str, part: str, counts: Counter[Split | None], everything: int, longest: int, role: str) -> Row:
    total = counts.total()
    return Row(
        (
            Cell(name),
            Cell(part),
            *(Cell(count(counts[split])) for split in Split),
            Cell(count(total)),
            Cell(percent(total, everything)),
            Cell(bar=tuple(Segment(counts[split] / longest, COLOUR[split]) for split in Split)),
            Cell(bar=tuple(Segment(counts[split] / total, COLOUR[split]) for split in Split)),
        ),
        role,
    )
