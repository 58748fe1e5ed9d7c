"""Train, validation and test by group, never by image; a later build keeps what an earlier one decided."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ml_pipeline.data.records import SEPARATOR, Record, Split
from ml_pipeline.errors import LeakageError, SourceError

Link = tuple[str, str]
"""Image ids of two photos that are copies of each other."""


@dataclasses.dataclass(frozen=True, slots=True)
class SplitPlan:
    """How to split: shares of the photos of every class, the seed, and a source that is the whole test split.

    Raises SourceError for shares that leave nothing to train on.
    """

    validation: float = 0.15
    test: float = 0.15
    seed: int = 2019
    held_out_source: str = ""

    def __post_init__(self) -> None:
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 1):
            raise SourceError(
                f"Shares of {self.validation:g} for validation and {self.test:g} for test are not possible: "
                "both must be over 0 and together under 1."
            )

    @property
    def shares(self) -> dict[Split, float]:
        """Share of each split among the photos that are to be dealt out."""
        if self.held_out_source:
            return {Split.TRAIN: 1 - self.validation, Split.VALIDATION: self.validation}
        train = 1 - self.validation - self.test
        return {Split.TRAIN: train, Split.VALIDATION: self.validation, Split.TEST: self.test}


@dataclasses.dataclass(frozen=True, slots=True)
class SplitResult:
    """Records with group and split, sorted by id, and those that no split can take, with the reason."""

    records: tuple[Record, ...]
    refused: tuple[tuple[Record, str], ...]


class _Stratum(NamedTuple):
    """A group in the order in which groups are dealt out."""

    modality: str
    source: str
    minus_size: int
    group: str


def split_records(
    records: Sequence[Record], links: Iterable[Link], *, plan: SplitPlan, previous: Sequence[Record] = ()
) -> SplitResult:
    """Give every record its group and split; the same input gives the same answer, in whatever order it comes.

    Groups are the connected components over lesion, patient, equal bytes and `links`. They are dealt out class by
    class (a group counts as its rarest class), within a class by source and modality, large groups first, each to the
    split that lacks most.

    With `previous`, every photo of that table keeps its split and its relatives follow it, also where the photo itself
    is gone. A new photo that would join groups of different splits is refused; where earlier photos turn out to be
    linked across splits LeakageError names them. Raises SourceError where a class has too few groups.
    """
    present = sorted(records, key=lambda record: record.image_id)
    sources = {source for record in present for source in record.sources.split(SEPARATOR)}
    if plan.held_out_source and plan.held_out_source not in sources:
        raise SourceError(
            f"There is no source {plan.held_out_source!r} to hold out; seen: {', '.join(sorted(sources))}."
        )
    earlier = {record.image_id: record for record in previous}
    links = [*links, *_links_of(previous)]
    _refuse_linked([record for record in present if record.image_id in earlier], links, earlier)
    refused: list[tuple[Record, str]] = []
    while True:  # a refusal may part what it had joined
        nodes = [*present, *previous]  # what the earlier table knew of a photo still binds it
        groups = assign_groups(nodes, links)
        fixed, between = _fixed(nodes, groups, links, earlier, plan)
        if not between:
            break
        refused += between
        out = {record.image_id for record, _ in between}
        present = [record for record in present if record.image_id not in out]
    placed = [dataclasses.replace(record, group=groups[record.image_id]) for record in present]
    splits = fixed | _dealt(placed, fixed, plan)
    if not earlier:
        _refuse_empty(placed, splits, plan)
    return SplitResult(tuple(dataclasses.replace(r, split=splits[r.group]) for r in placed), tuple(refused))


def assign_groups(records: Sequence[Record], links: Iterable[Link]) -> dict[str, str]:
    """Image id to the name of its connected component, which is the first image id in it."""
    ids = list(dict.fromkeys(record.image_id for record in records))
    nodes: dict[tuple[str, str], int] = {("image", image_id): index for index, image_id in enumerate(ids)}
    edges = [
        (nodes["image", record.image_id], nodes.setdefault(key, len(nodes)))
        for record in records
        for key in _keys(record)
    ]
    edges += [
        (nodes["image", left], nodes["image", right])
        for left, right in links
        if ("image", left) in nodes and ("image", right) in nodes
    ]
    if not edges:
        return {image_id: image_id for image_id in ids}
    rows, columns = np.array(edges).T
    graph = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(nodes), len(nodes)))
    _, component = connected_components(graph, directed=False)
    names: dict[int, str] = {}
    for image_id in sorted(ids):
        names.setdefault(int(component[nodes["image", image_id]]), image_id)
    return {image_id: names[int(component[nodes["image", image_id]])] for image_id in ids}


def _keys(record: Record) -> Iterator[tuple[str, str]]:
    """What a record shares with its relatives; a photo without any id has only its bytes."""
    for kind, values in (("lesion", record.lesion_id), ("patient", record.patient_id), ("bytes", record.sha256)):
        for value in values.split(SEPARATOR):
            if value:
                yield kind, value


def _links_of(previous: Iterable[Record]) -> Iterator[Link]:
    """An earlier table's copies: its photos of one cluster."""
    first: dict[str, str] = {}
    for record in previous:
        if record.cluster:
            yield first.setdefault(record.cluster, record.image_id), record.image_id


def _refuse_linked(present: Sequence[Record], links: Sequence[Link], earlier: Mapping[str, Record]) -> None:
    groups = assign_groups([*present, *earlier.values()], links)
    members: dict[str, list[str]] = defaultdict(list)
    for image_id, group in sorted(groups.items()):
        members[group].append(image_id)
    torn = [ids for ids in members.values() if len({earlier[image_id].split for image_id in ids}) > 1]
    if torn:
        named = "; ".join(
            ", ".join(f"{image_id} ({earlier[image_id].split})" for image_id in ids[:6]) for ids in torn[:5]
        )
        raise LeakageError(
            f"{len(torn)} groups of the previous table turn out to lie in several splits: {named}. "
            "The figures of models trained on it are inflated. Build without --previous, and train again."
        )


def _fixed(
    nodes: Sequence[Record],
    groups: Mapping[str, str],
    links: Sequence[Link],
    earlier: Mapping[str, Record],
    plan: SplitPlan,
) -> tuple[dict[str, Split], list[tuple[Record, str]]]:
    """Groups whose split is already decided, and the new records that cannot stay.

    Where a group would have to be in two splits, the new records that touch both leave; where only a chain of new
    records joins them, the whole chain does.
    """
    wanted: dict[str, dict[Split, str]] = defaultdict(dict)
    for record in nodes:
        split, reason = _wish(record, earlier, plan)
        if split is not None:
            wanted[groups[record.image_id]].setdefault(split, reason)
    torn = {group for group, wishes in wanted.items() if len(wishes) > 1}
    new = [record for record in nodes if record.image_id not in earlier]
    joining = [record for record in new if groups[record.image_id] in torn]
    touched = _touched(nodes, links, earlier, plan) if joining else {}
    bridges = {record.image_id for record in joining if len(touched[record.image_id]) > 1}
    bridged = {groups[image_id] for image_id in bridges}
    between = []
    for record in new:
        group = groups[record.image_id]
        reasons = " and ".join(wanted[group].values())
        if record.image_id in bridges or group in torn - bridged:
            between.append((record, f"it would join groups of different splits: {reasons}"))
        elif record.train_only and set(wanted[group]) - {Split.TRAIN} and group not in torn:
            between.append((record, f"it may only be trained on, but {reasons}"))
    fixed = {group: next(iter(wishes)) for group, wishes in wanted.items() if wishes}
    for record in nodes:
        if record.train_only:
            fixed.setdefault(groups[record.image_id], Split.TRAIN)
    return fixed, between


def _touched(
    nodes: Sequence[Record], links: Sequence[Link], earlier: Mapping[str, Record], plan: SplitPlan
) -> dict[str, set[Split]]:
    """Image id to the decided splits of what it is directly bound to, and its own."""
    touched: dict[str, set[Split]] = defaultdict(set)
    by_key: dict[tuple[str, str], set[Split]] = defaultdict(set)
    wishes = {record.image_id: _wish(record, earlier, plan)[0] for record in nodes}
    for record in nodes:
        split = wishes[record.image_id]
        for key in (("image", record.image_id), *_keys(record)):
            by_key[key] |= {split} if split else set()
    for record in nodes:
        touched[record.image_id] |= set().union(*(by_key[key] for key in (("image", record.image_id), *_keys(record))))
    for one, other in (*links, *((right, left) for left, right in links)):
        split = wishes.get(other)
        if one in wishes and split:
            touched[one].add(split)
    return touched


def _wish(record: Record, earlier: Mapping[str, Record], plan: SplitPlan) -> tuple[Split | None, str]:
    """The split in which a record must be, if any, and why."""
    if record.image_id in earlier:
        return earlier[record.image_id].split, f"{record.image_id} is in {earlier[record.image_id].split}"
    if plan.held_out_source and plan.held_out_source in record.sources.split(SEPARATOR):
        return Split.TEST, f"{record.image_id} is of the held-out source"
    return None, ""


def _dealt(records: Sequence[Record], fixed: Mapping[str, Split], plan: SplitPlan) -> dict[str, Split]:
    """Splits of the groups that are not decided yet."""
    class_sizes = Counter(record.label for record in records)
    members: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        members[record.group].append(record)
    classes: dict[str, list[_Stratum]] = defaultdict(list)
    for group in np.random.default_rng(plan.seed).permutation(sorted(members)).tolist():
        rarest = min(members[group], key=lambda r: (class_sizes[r.label], r.label, r.source, r.modality))
        classes[rarest.label].append(_Stratum(rarest.modality, rarest.source, -len(members[group]), group))
    result: dict[str, Split] = {}
    for _, groups in sorted(classes.items()):
        counts: Counter[Split] = Counter()
        for each in groups:
            if each.group in fixed:
                counts[fixed[each.group]] -= each.minus_size
        free = [each for each in groups if each.group not in fixed]
        for left, each in zip(range(len(free), 0, -1), sorted(free, key=_order), strict=True):
            total = sum(counts[split] for split in plan.shares) - each.minus_size
            empty = [split for split in plan.shares if not counts[split]]
            among = empty if len(empty) >= left else plan.shares  # the last groups go where there is none yet
            lacking = max(among, key=lambda split: plan.shares[split] * total - counts[split])
            result[each.group] = lacking
            counts[lacking] -= each.minus_size
    return result


def _order(stratum: _Stratum) -> tuple[str, str, int]:
    """Not by name: groups that are equal otherwise stay shuffled."""
    return stratum.modality, stratum.source, stratum.minus_size


def _refuse_empty(records: Sequence[Record], splits: Mapping[str, Split], plan: SplitPlan) -> None:
    groups: dict[str, set[str]] = defaultdict(set)
    seen: dict[str, set[Split]] = defaultdict(set)
    for record in records:
        groups[record.label].add(record.group)
        seen[record.label].add(splits[record.group])
    for label in sorted(groups):
        missing = set(plan.shares) - seen[label]
        if missing:
            raise SourceError(
                f"{len(groups[label])} lesions of {label} are too few for the splits {', '.join(plan.shares)}. "
                "Add lesions, or leave the class out with a mapping file."
            )
