"""Splits by group, never by image; a split that leaks is refused."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import train_test_split

from ml_pipeline.data.records import Record, Split, records_digest
from ml_pipeline.errors import LeakageError, SourceError


@dataclasses.dataclass(frozen=True, slots=True)
class SplitShares:
    """Share of the groups of every class that goes to validation and to test; the rest is for training."""

    validation: float = 0.15
    test: float = 0.15


def assign_groups(records: Sequence[Record]) -> tuple[Record, ...]:
    """Set `group`: connected components over lesion id and file digest, named after their first lesion.

    Records without a lesion id are their own group unless their bytes occur elsewhere.
    """
    if not records:
        return ()
    nodes = {key: index for index, key in enumerate(dict.fromkeys(key for r in records for key in _keys(r)))}
    edges = np.array([[nodes[_keys(r)[0]], nodes[key]] for r in records for key in _keys(r)])
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(nodes), len(nodes)))
    _, component = connected_components(graph, directed=False)
    names: dict[int, str] = {}
    for record in sorted(records, key=lambda r: (r.source, r.lesion_id, r.image_id)):
        names.setdefault(component[nodes[_keys(record)[0]]], f"{record.source}/{record.lesion_id or record.image_id}")
    return tuple(dataclasses.replace(r, group=names[component[nodes[_keys(r)[0]]]]) for r in records)


def split_records(records: Sequence[Record], *, shares: SplitShares, seed: int) -> tuple[Record, ...]:
    """Set `group` and `split`, stratified by class over groups; same records and seed give the same answer.

    A group is stratified by its rarest class. Raises SourceError when a class has too few groups for three splits.
    """
    grouped = assign_groups(records)
    class_counts = Counter(record.label for record in grouped)
    labels_of: dict[str, set[str]] = defaultdict(set)
    for record in grouped:
        labels_of[record.group].add(record.label)
    groups = sorted(labels_of)
    strata = [min(labels_of[group], key=lambda label: (class_counts[label], label)) for group in groups]

    held_out = shares.validation + shares.test
    try:
        train, rest, _, rest_strata = train_test_split(
            groups, strata, test_size=held_out, stratify=strata, random_state=seed
        )
        validation, test = train_test_split(
            rest, test_size=shares.test / held_out, stratify=rest_strata, random_state=seed
        )
    except ValueError as error:
        rarest, lesions = min(Counter(strata).items(), key=lambda item: item[1])
        raise SourceError(
            f"{lesions} lesions of {rarest} are too few for three splits: {error} Add lesions."
        ) from error
    split_of = dict.fromkeys(train, Split.TRAIN)
    split_of |= dict.fromkeys(validation, Split.VALIDATION) | dict.fromkeys(test, Split.TEST)
    result = tuple(dataclasses.replace(record, split=split_of[record.group]) for record in grouped)
    refuse_leakage(result)
    return result


def refuse_leakage(records: Iterable[Record]) -> None:
    """Raise LeakageError when a lesion, a group or a file digest occurs in more than one split, or a split is unset."""
    splits: dict[tuple[str, str], set[Split | None]] = defaultdict(set)
    for record in records:
        if record.split is None:
            raise LeakageError(
                f"{record.image_id} has no split. Split the records first: python -m ml_pipeline records"
            )
        for key in (*_keys(record), ("group", record.group)):
            splits[key].add(record.split)
    leaks = sorted(key for key, seen in splits.items() if len(seen) > 1)
    if leaks:
        kind, value = leaks[0]
        raise LeakageError(
            f"{len(leaks)} values are on both sides of a split, first {kind} {value!r}. "
            "Split by group with python -m ml_pipeline records; never by image."
        )


def refuse_other_data(records: Sequence[Record], data_sha256: str) -> None:
    """Raise LeakageError unless these are the records, and the splits, that a model was trained on.

    Another split of the same photos would count training photos as held out.
    """
    if records_digest(records) != data_sha256:
        raise LeakageError(
            "These records are not those that the model was trained on: their test split may hold its training photos. "
            "Use the records file of its training."
        )


def _keys(record: Record) -> tuple[tuple[str, str], ...]:
    lesion = ("lesion", f"{record.source}/{record.lesion_id}") if record.lesion_id else ("image", record.image_id)
    return lesion, ("sha256", record.sha256)
