"""How well copies are found: on labelled pairs, and on files of one id with the ids hidden."""

import math

from ml_pipeline.data.build import Build
from ml_pipeline.data.deduplicate import Evidence, Pair
from ml_pipeline.data.labelled_pairs import Measured, Recall
from ml_pipeline.data.report.pairs import Pairs, how_compared
from ml_pipeline.report_page.page import (
    Albums,
    Block,
    Cell,
    Column,
    Heading,
    Row,
    Section,
    Segment,
    Table,
    Text,
    names_and_numbers,
    row,
)
from ml_pipeline.report_page.words import count, number_of, of, percent

_WEAK, _SHOWN = 0.9, 24


def measured(build: Build) -> Section:
    """Recall by change, the trade of the threshold, and the real copies that were and were not found."""
    return Section("measured", "How well copies are found", (*_labelled(build), *_hidden_ids(build)))


def _labelled(build: Build) -> tuple[Block, ...]:
    if build.measured is None:
        return (Text("Labelled pairs were not measured in this build.", "see"),)
    found = build.measured
    weak = sum(_is_weak(each) for each in found.recalls)
    see = (
        f"{number_of(found.pictures, 'training photo')} of different groups were changed in {len(found.recalls)} ways "
        f"and looked for among all of them. For {weak} of the changes fewer than 90 % are found (marked). "
        + _wrong(found.wrongly_joined)
    )
    return (
        Text(see, "see"),
        _recalls(found, build.options.limits.closeness.key_bits),
        Heading("The threshold"),
        Text(_trade(found), "see"),
        _thresholds(found, build.options.limits.correlation),
    )


def _wrong(pairs: int) -> str:
    if not pairs:
        return "No pair of different groups was joined."
    return (
        f"{number_of(pairs, 'pair')} of different groups joined: wrong, or real copies that the build itself did not "
        "find."
    )


def _is_weak(recall: Recall) -> bool:
    return recall.joined < _WEAK * recall.copies


def _trade(found: Measured) -> str:
    low, high = (pick(found.thresholds, key=lambda each: each.correlation) for pick in (min, max))
    return (
        f"From the lowest threshold to the highest, recall goes from {percent(low.recall, 1)} to "
        f"{percent(high.recall, 1)} and precision from {_precision(low.precision)} to "
        f"{_precision(high.precision)}. Recall is over all changes together, also those that hardly any search finds."
    )


def _recalls(found: Measured, radius_used: int) -> Table:
    radii = sorted({radius for each in found.recalls for radius in each.proposed_within})
    columns = (
        Column("change", numeric=False),
        Column("copies"),
        *(Column(f"within {radius}" + (" bits" if radius == radii[0] else "")) for radius in radii),
        Column("joined"),
        Column("recall"),
        Column("", numeric=False, wide=True),
    )
    rows = []
    for each in found.recalls:
        weak = _is_weak(each)
        share = each.joined / each.copies if each.copies else 0.0
        cells = (
            *(Cell(text) for text in (each.change, count(each.copies))),
            *(Cell(count(each.proposed_within.get(radius, 0))) for radius in radii),
            *(Cell(count(each.joined)), Cell(percent(each.joined, each.copies))),
            Cell(bar=(Segment(share, "warm" if weak else "first"),)),
        )
        rows.append(Row(cells, "weak" if weak else ""))
    caption = (
        f"“Within r bits” are copies that a search of that radius proposes; this build searched within {radius_used}."
    )
    return Table(columns, tuple(rows), caption)


def _precision(value: float) -> str:
    """Rounded down: 1 is said only where it is exact."""
    return f"{math.floor(value * 10_000) / 10_000:.4f}"


def _thresholds(found: Measured, used: float) -> Table:
    rows = [
        row(
            f"{each.correlation:.2f}",
            *(percent(each.recall, 1), count(each.wrongly_joined), _precision(each.precision)),
            role="chosen" if each.correlation == used else "",
        )
        for each in found.thresholds
    ]
    caption = f"The threshold of this build is {used:g}."
    return Table(
        tuple(Column(name) for name in ("correlation", "recall", "wrongly joined", "precision")), tuple(rows), caption
    )


def _hidden_ids(build: Build) -> tuple[Block, ...]:
    heading = Heading("Real copies: one id, several files, ids hidden")
    pairs = [pair for pair in build.pairs if pair.evidence is Evidence.SAME_ID]
    if not pairs:
        return heading, Text("No id occurs with different files in several sources, so this cannot be said.", "see")
    limit = build.options.limits.correlation
    found = [pair for pair in pairs if pair.correlation is not None and pair.correlation >= limit]
    refused = [pair for pair in pairs if pair.correlation is not None and pair.correlation < limit]
    unseen = [pair for pair in pairs if pair.correlation is None]
    table = Table(
        names_and_numbers("pairs of files of one id", "pairs", "share"),
        (
            row("found on pixels alone", count(len(found)), percent(len(found), len(pairs))),
            row("proposed, but under the threshold", count(len(refused)), percent(len(refused), len(pairs))),
            row("never proposed by the search", count(len(unseen)), percent(len(unseen), len(pairs))),
        ),
    )
    see = (
        f"The same photo often comes at other sizes and framings from another data set. Without looking at ids, the "
        f"matcher finds {of(len(found), len(pairs))} of these pairs."
    )
    return heading, Text(see, "see"), table, *_not_found(Pairs.of(build), [*refused, *unseen])


def _not_found(view: Pairs, pairs: list[Pair]) -> tuple[Block, ...]:
    if not pairs:
        return ()
    albums = tuple(view.album(pair, note=how_compared(pair)) for pair in pairs[:_SHOWN])
    shown = "All of them" if len(pairs) <= _SHOWN else f"The first {_SHOWN} of {count(len(pairs))}"
    text = f"Not found on pixels ({shown.lower()}), and joined only because the ids are equal:"
    return Text(text, "caption"), Albums(albums)
