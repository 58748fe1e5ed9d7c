"""Which photos are copies of each other, and the pairs on which a reader may disagree."""

from collections import Counter, defaultdict
from itertools import chain

import numpy as np

from ml_pipeline.data.build import Build
from ml_pipeline.data.deduplicate import Evidence, Pair
from ml_pipeline.data.records import Record
from ml_pipeline.data.report.pairs import Pairs, how_compared
from ml_pipeline.data.report.photos import chosen, components, photo
from ml_pipeline.data.report.plots import correlation_histogram
from ml_pipeline.data.summary import wrongly_joined
from ml_pipeline.report_page.page import (
    Album,
    Albums,
    Block,
    Cell,
    Column,
    Heading,
    Photo,
    Plots,
    Row,
    Section,
    Segment,
    Table,
    Text,
    row,
)
from ml_pipeline.report_page.words import count, number_of, percent, size_px

_EXAMPLES, _NEAREST, _SHOWN_GROUPS, _SHOWN_OF_CLUSTER = 10, 12, 60, 8
_NEAR, _BELOW = 0.05, 0.1
_ENOUGH_FOR_HILLS = 200
_SAME_ID, _JOINED, _NOT_JOINED = "files of one id", "pairs joined under different ids", "pairs told apart"


def copies(build: Build) -> Section:
    """Evidence, clusters, joins over lesion ids and the pairs next to the threshold."""
    if not build.pairs:
        text = "No two files share bytes, pixels or an id, and the search proposed no pair for comparison."
        return Section("copies", "Copies", (Text(text, "see"),))
    pairs = Pairs.of(build)
    blocks = (
        *_evidence(build),
        *_correlations(pairs),
        *_clusters(build),
        *_joined_lesions(pairs),
        *_nearest(pairs),
    )
    return Section("copies", "Copies", blocks)


def _evidence(build: Build) -> tuple[Block, ...]:
    judged = Counter((pair.evidence, pair.is_copy) for pair in build.pairs)
    meaning = {
        Evidence.SAME_FILE: "equal bytes",
        Evidence.SAME_PIXELS: "equal pixels and size, other bytes",
        Evidence.SAME_ID: "one id in several sources, other pixels",
        Evidence.PIXELS_COMPARED: "proposed by the hash, judged on fine structure",
    }
    rows = [row(str(each), meaning[each], count(judged[each, True]), count(judged[each, False])) for each in Evidence]
    joined = sum(pair.is_copy for pair in build.pairs)
    see = (
        f"{number_of(joined, 'pair')} of files are copies; {count(len(build.pairs) - joined)} more looked alike to the "
        "hash and were told apart on pixels. Nothing is deleted: duplicates.csv lists every pair."
    )
    columns = (
        Column("evidence", numeric=False),
        Column("meaning", numeric=False),
        Column("copies"),
        Column("no copies"),
    )
    return Text(see, "see"), Table(columns, tuple(rows))


def _correlations(pairs: Pairs) -> tuple[Block, ...]:
    known = [pair for pair in pairs.build.pairs if pair.correlation is not None]
    if not known:
        return ()
    limit = pairs.build.options.limits.correlation
    values: dict[str, list[float]] = {_SAME_ID: [], _JOINED: [], _NOT_JOINED: []}
    for pair in known:
        kind = _JOINED if pair.is_copy else _NOT_JOINED
        if pair.evidence is not Evidence.PIXELS_COMPARED:
            kind = _SAME_ID
        values[kind].append(pair.correlation or 0.0)
    near = sum(abs(each - limit) <= _NEAR for each in (*values[_JOINED], *values[_NOT_JOINED]))
    medians = ", ".join(f"{np.median(each):.2f} for {kind}" for kind, each in values.items() if each)
    valley = _valley(values[_JOINED], values[_NOT_JOINED], limit)
    see = (
        f"Median correlation: {medians}. {number_of(near, 'pair')} under different ids lie within {_NEAR:g} of the "
        f"threshold of {limit:g}, where the decision is least sure.{valley}"
    )
    plot = correlation_histogram(values[_JOINED], values[_NOT_JOINED], values[_SAME_ID], limit)
    return Heading("How alike the compared pairs are"), Text(see, "see"), Plots((plot,))


def _valley(joined: list[float], not_joined: list[float], limit: float) -> str:
    """Where the fewest pairs lie between the two hills, if there are enough pairs to see hills."""
    if min(len(joined), len(not_joined)) < _ENOUGH_FOR_HILLS:
        return ""
    edges = np.arange(np.median(not_joined), np.median(joined), _NEAR)
    counts = np.histogram([*joined, *not_joined], edges)[0]
    if len(counts) < 3:  # noqa: PLR2004 - no room for a valley
        return ""
    valley = float(edges[np.argmin(counts)] + _NEAR / 2)
    leaning = "misses copies rather than joins wrongly" if limit > valley else "joins wrongly rather than misses copies"
    return f" The fewest pairs lie around {valley:.2f}, so this threshold {leaning}."


def _clusters(build: Build) -> tuple[Block, ...]:
    members: dict[str, list[Record]] = defaultdict(list)
    for record in build.records:
        if record.cluster:
            members[record.cluster].append(record)
    if not members:
        return Heading("Clusters"), Text("No photo has a copy under another id.", "see")
    sizes = Counter(len(records) for records in members.values())
    most = max(sizes.values())
    rows = [
        Row((Cell(count(size)), Cell(count(sizes[size])), Cell(count(size * sizes[size])), _bar(sizes[size] / most)))
        for size in sorted(sizes)
    ]
    same_lesion = sum(len({record.lesion_id for record in records}) == 1 for records in members.values())
    see = (
        f"{number_of(len(members), 'cluster')} of photos with different ids show one picture; in "
        f"{count(same_lesion)} ({percent(same_lesion, len(members))}) the photos also agree on the lesion id, or "
        f"none has one. The largest holds {count(max(sizes))}."
    )
    names = sorted(members, key=lambda name: (-len(members[name]), name))
    largest = names[:2]
    others = chosen(names[2:], _EXAMPLES - 2, seed=build.options.plan.seed, purpose="clusters")
    columns = (*(Column(name) for name in ("size", "clusters", "photos")), Column("", numeric=False, wide=True))
    return (
        Heading("Clusters"),
        Text(see, "see"),
        Table(columns, tuple(rows)),
        Text(
            "The largest, and others drawn by the seed. All photos of a cluster are in one split.",
            "caption",
        ),
        Albums(tuple(_cluster(members[name]) for name in (*largest, *others))),
    )


def _cluster(records: list[Record]) -> Album:
    shown = records[:_SHOWN_OF_CLUSTER]
    return Album(
        tuple(photo(each, f"{each.label}, {each.split}", size_px(each.width_px, each.height_px)) for each in shown),
        note=_and_more(len(records)).removesuffix("; "),
    )


def _and_more(photos: int) -> str:
    return f"and {count(photos - _SHOWN_OF_CLUSTER)} more; " if photos > _SHOWN_OF_CLUSTER else ""


def _joined_lesions(pairs: Pairs) -> tuple[Block, ...]:
    heading = Heading("Joined although their lesion ids differ")
    best: dict[tuple[str, str], Pair] = {}
    for pair in wrongly_joined(pairs.build):
        seen = best.setdefault(pairs.ids(pair), pair)
        if _correlation(pair) > _correlation(seen):
            best[pairs.ids(pair)] = pair
    if not best:
        return heading, Text("None: every copy found on pixels has the same lesion id, or no lesion id.", "see")
    lesions = {pairs.merged[image_id].lesion_id for image_id in chain.from_iterable(best)}
    groups = components(list(best))
    inside = {names[0]: [pair for (left, _), pair in sorted(best.items()) if left in names] for names in groups}
    weakest = {name: min(several, key=_correlation) for name, several in inside.items()}
    torn = {names[0]: any(name not in pairs.kept for name in names) for names in groups}
    groups.sort(key=lambda names: (not torn[names[0]], _correlation(weakest[names[0]])))
    see = (
        f"{number_of(len(best), 'pair')} of photos, of {number_of(len(lesions), 'lesion id')} in "
        f"{number_of(len(groups), 'group')}. Each is either a wrong join or one lesion that was given two ids: look at "
        "them. The splits are safe either way, because joined photos stay together; but from "
        f"{number_of(sum(torn.values()), 'group')} (first here) photos are left out because their labels differ, "
        "rightly or not."
    )
    albums = []
    for names in groups[:_SHOWN_GROUPS]:
        several = len(inside[names[0]])
        note = how_compared(weakest[names[0]])
        photos = tuple(_of_lesion(pairs, name) for name in names[:_SHOWN_OF_CLUSTER])
        note = f"{several} pairs, the weakest: {note}" if several > 1 else note
        albums.append(Album(photos, note=f"{_and_more(len(names))}{note}"))
    more = len(groups) - _SHOWN_GROUPS
    left_over = (Text(f"{count(more)} more groups are in duplicates.csv.", "aside"),) if more > 0 else ()
    return heading, Text(see, "see"), Albums(tuple(albums)), *left_over


def _of_lesion(pairs: Pairs, image_id: str) -> Photo:
    record = pairs.merged[image_id]
    left_out = "" if image_id in pairs.kept else ", left out"
    return photo(pairs.kept.get(image_id, record), f"{record.label}{left_out}", record.lesion_id)


def _nearest(pairs: Pairs) -> tuple[Block, ...]:
    compared = pairs.compared
    if not compared:
        return ()
    limit = pairs.build.options.limits.correlation
    by_distance = sorted(compared, key=lambda pair: (abs(_correlation(pair) - limit), pair.files))
    apart = [pair for pair in by_distance if not pairs.are_joined(pair)]
    across = [pair for pair in apart if pairs.are_across(pair)]
    near = len(_by_photos(pairs, [pair for pair in across if _correlation(pair) > limit - _BELOW]))
    lists = {
        "Just joined": [pair for pair in by_distance if pair.is_copy],
        "Just not joined": apart,
        "The most alike in two different splits": across,
    }
    see = (
        f"The pairs whose correlation is closest to {limit:g}. Among those just joined, look for pairs that do not "
        f"belong together; among the others, for copies that were missed. {number_of(near, 'pair')} of photos in "
        f"different splits come within {_BELOW:g} of the threshold: any that shows one picture or one lesion twice has "
        "leaked. Outlines are the parts that were compared; without one it was the whole frame."
    )
    blocks: list[Block] = [Heading("Closest to the threshold"), Text(see, "see")]
    for title, each in lists.items():
        shown = _by_photos(pairs, each)[:_NEAREST]
        albums = tuple(pairs.album(pair, note=f"{how_compared(pair)}; {pairs.relation(pair)}") for pair in shown)
        blocks += [Text(f"{title}:", "caption"), Albums(albums)] if albums else []
    return tuple(blocks)


def _by_photos(pairs: Pairs, ordered: list[Pair]) -> list[Pair]:
    """The first pair of every two photos: others show them in another file."""
    first: dict[tuple[str, str], Pair] = {}
    for pair in ordered:
        first.setdefault(pairs.ids(pair), pair)
    return list(first.values())


def _correlation(pair: Pair) -> float:
    return pair.correlation or 0.0


def _bar(share: float) -> Cell:
    return Cell(bar=(Segment(share, "first"),))
