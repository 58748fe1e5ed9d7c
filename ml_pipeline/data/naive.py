"""What a careless split would leak, to be shown beside ours."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from ml_pipeline.data.records import Record


@dataclass(frozen=True, slots=True)
class Leak:
    """Of so many test photos, how many have a relative (same group) in training; and of the melanomas among them."""

    test: int
    leaked: int
    melanomas: int
    leaked_melanomas: int


def leak_by_image(records: Sequence[Record], *, test: float, seed: int) -> Leak:
    """The usual random split by photo."""
    return _leak(records, [record.image_id for record in records], test=test, seed=seed)


def leak_by_lesion_id(records: Sequence[Record], *, test: float, seed: int) -> Leak:
    """The careful random split by lesion id, which knows neither patients nor copies under other ids."""
    return _leak(records, [record.lesion_id or record.image_id for record in records], test=test, seed=seed)


def _leak(records: Sequence[Record], units: Sequence[Hashable], *, test: float, seed: int) -> Leak:
    distinct = sorted(set(units), key=str)
    order = np.random.default_rng(seed).permutation(len(distinct))
    held_out = {distinct[index] for index in order[: round(test * len(distinct))]}
    in_training: dict[str, bool] = defaultdict(bool)
    for record, unit in zip(records, units, strict=True):
        in_training[record.group] |= unit not in held_out
    tested = [record for record, unit in zip(records, units, strict=True) if unit in held_out]
    leaked = [record for record in tested if in_training[record.group]]
    melanomas, leaked_melanomas = (sum(record.label == "mel" for record in part) for part in (tested, leaked))
    return Leak(len(tested), len(leaked), melanomas, leaked_melanomas)
