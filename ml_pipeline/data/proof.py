"""The last word on a split: proves that nothing is on two sides, or refuses it.

Shares no code with the splitter, on purpose: it finds the groups again, by another algorithm, from what the table says.
"""

import dataclasses
from collections.abc import Iterable, Sequence

from ml_pipeline.data.records import Record, records_digest
from ml_pipeline.errors import LeakageError

_REMEDY = "Build the table again with python -m ml_pipeline build; never split by image."


def refuse_leakage(records: Sequence[Record], copies: Iterable[tuple[str, str]] = ()) -> None:
    """Raise LeakageError naming both photos when anything that belongs together lies in different splits.

    Together belong: photos of one lesion, of one patient, with equal bytes, of one cluster or group, pairs of `copies`
    (image ids), and whatever these connect. Also raised when a split is unset, an id occurs twice, or a photo that may
    only be trained on is held out.
    """
    by_id: dict[str, Record] = {}
    for record in records:
        if record.split is None:
            raise LeakageError(f"{record.image_id} has no split. {_REMEDY}")
        if record.image_id in by_id:
            raise LeakageError(f"{record.image_id} occurs twice. {_REMEDY}")
        if record.train_only and record.split != "train":
            raise LeakageError(f"{record.image_id} may only be trained on, but is in {record.split}. {_REMEDY}")
        by_id[record.image_id] = record
    for first, second, why in _torn(by_id, copies):
        raise LeakageError(
            f"{first.image_id} ({first.split}) and {second.image_id} ({second.split}) belong together: {why}. {_REMEDY}"
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


def refuse_moved(records: Sequence[Record], earlier: Sequence[Record]) -> None:
    """Raise LeakageError unless everything of an earlier table, and all that belongs to it, is still in its split.

    A model that was trained on the earlier table may then go on with this one: no photo that it has learned from, and
    none of its relatives, is held out now.
    """
    here = {record.image_id for record in records}
    then = [dataclasses.replace(record, image_id=_then(record.image_id)) for record in earlier]
    same = [(record.image_id, _then(record.image_id)) for record in earlier if record.image_id in here]
    refuse_leakage([*records, *then], same)


def _then(image_id: str) -> str:
    return f"{image_id} of the earlier table"


def _torn(by_id: dict[str, Record], copies: Iterable[tuple[str, str]]) -> Iterable[tuple[Record, Record, str]]:
    """Spread every photo's split along all that connects it; wherever two splits meet, say where."""
    neighbours: dict[str, list[tuple[str, str]]] = {image_id: [] for image_id in by_id}
    holders: dict[str, str] = {}
    for image_id, record in by_id.items():
        for bond in _bonds(record):
            holder = holders.setdefault(bond, image_id)
            neighbours[holder].append((image_id, bond))
            neighbours[image_id].append((holder, bond))
    for left, right in copies:
        if left in by_id and right in by_id:
            neighbours[left].append((right, "copies of one photograph"))
            neighbours[right].append((left, "copies of one photograph"))
    reached: set[str] = set()
    for start in by_id:
        waiting = [] if start in reached else [start]
        reached.add(start)
        while waiting:
            here = waiting.pop()
            for there, why in neighbours[here]:
                if by_id[there].split is not by_id[here].split:
                    yield by_id[here], by_id[there], why
                if there not in reached:
                    reached.add(there)
                    waiting.append(there)


def _bonds(record: Record) -> list[str]:
    several = [f"lesion {each}" for each in record.lesion_id.split(";")]
    several += [f"patient {each}" for each in record.patient_id.split(";")]
    single = [f"bytes {record.sha256}", f"cluster {record.cluster}", f"group {record.group}"]
    return [bond for bond in several + single if not bond.endswith(" ")]
