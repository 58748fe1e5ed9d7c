"""Which case is read next: small pure functions over the log. Must not know Django.

Uncertainty is entropy and margin (Settles 2009, "Active Learning Literature Survey"), diversity is farthest-first
(Sener and Savarese 2018, "Active Learning for Convolutional Neural Networks: A Core-Set Approach").
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

_FARTHEST = 20  # of one order: the next request makes a new one


class PolicyName(StrEnum):
    """The policies, by the names that are stored."""

    PRIORITY = "priority"
    SUSPICIOUS = "suspicious"
    UNCERTAIN = "uncertain"
    DISAGREEING = "disagreeing"
    ENTROPY = "entropy"
    MARGIN = "margin"
    DIVERSITY = "diversity"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer of the log that may be read next.

    `probabilities` is None for a rejected photo; `embedding`, float32 [dimensions], where it is missing or not needed.
    `disagrees`: something in the log contradicts the answer.
    """

    prediction_id: UUID
    is_suspicious: bool = False
    is_uncertain: bool = False
    disagrees: bool = False
    malignant_probability: float | None = None
    probabilities: Mapping[str, float] | None = None
    model_digest: str = ""
    embedding: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates, newest first, and the embeddings [cases, dimensions] per model of what has been read already."""

    candidates: Sequence[Candidate]
    read_embeddings: Mapping[str, NDArray[np.float32]]


Policy = Callable[[Pool, np.random.Generator], list[Candidate]]


def priority(pool: Pool, _rng: np.random.Generator) -> list[Candidate]:
    """Suspicious, then disagreeing, then uncertain, then the rest; within each the most uncertain first."""
    return sorted(
        pool.candidates,
        key=lambda each: (not each.is_suspicious, not each.disagrees, not each.is_uncertain, -entropy_of(each)),
    )


def suspicious(pool: Pool, _rng: np.random.Generator) -> list[Candidate]:
    """Over the malignancy threshold first, by the malignant probability."""
    return sorted(pool.candidates, key=lambda each: (not each.is_suspicious, -(each.malignant_probability or 0)))


def uncertain(pool: Pool, _rng: np.random.Generator) -> list[Candidate]:
    """What the person was told to be unsure first, by the probability of the top class."""
    return sorted(
        pool.candidates, key=lambda each: (not each.is_uncertain, max((each.probabilities or {"": 1.0}).values()))
    )


def disagreeing(pool: Pool, _rng: np.random.Generator) -> list[Candidate]:
    """What something in the log contradicts first."""
    return sorted(pool.candidates, key=lambda each: not each.disagrees)


def entropy(pool: Pool, _rng: np.random.Generator) -> list[Candidate]:
    """By the entropy of the probabilities, highest first."""
    return sorted(pool.candidates, key=lambda each: -entropy_of(each))


def margin(pool: Pool, _rng: np.random.Generator) -> list[Candidate]:
    """By the distance between the two most probable classes, smallest first."""
    return sorted(pool.candidates, key=margin_of)


def diversity(pool: Pool, rng: np.random.Generator) -> list[Candidate]:
    """Farthest first from all that has been read, and from each other, in the features of the newest model.

    Features of different models cannot be compared: what other models answered, or none, comes last.
    """
    digest = next((each.model_digest for each in pool.candidates if each.embedding is not None), "")
    inside = [each for each in pool.candidates if each.model_digest == digest and each.embedding is not None]
    if not inside:
        return list(pool.candidates)
    points = np.stack([each.embedding for each in inside if each.embedding is not None])
    picked = farthest_first(points, pool.read_embeddings.get(digest), first=int(rng.integers(len(inside))))
    first = [inside[index] for index in picked]
    chosen = {each.prediction_id for each in first}
    return first + [each for each in pool.candidates if each.prediction_id not in chosen]


def random(pool: Pool, rng: np.random.Generator) -> list[Candidate]:
    """In no order."""
    return [pool.candidates[index] for index in rng.permutation(len(pool.candidates))]


POLICIES: Mapping[PolicyName, Policy] = {
    PolicyName.PRIORITY: priority,
    PolicyName.SUSPICIOUS: suspicious,
    PolicyName.UNCERTAIN: uncertain,
    PolicyName.DISAGREEING: disagreeing,
    PolicyName.ENTROPY: entropy,
    PolicyName.MARGIN: margin,
    PolicyName.DIVERSITY: diversity,
    PolicyName.RANDOM: random,
}


def entropy_of(candidate: Candidate) -> float:
    """Entropy of the probabilities as a share of the highest possible, 0-1; -1 for a rejected photo."""
    values = list((candidate.probabilities or {}).values())
    if not values:
        return -1.0
    if len(values) == 1:
        return 0.0
    return -sum(value * math.log(value) for value in values if value > 0) / math.log(len(values))


def margin_of(candidate: Candidate) -> float:
    """Distance between the two most probable classes, 0-1; 2 for a rejected photo."""
    values = sorted((candidate.probabilities or {}).values(), reverse=True)
    if not values:
        return 2.0
    return values[0] - (values[1] if len(values) > 1 else 0.0)


def farthest_first(points: NDArray[np.float32], seen: NDArray[np.float32] | None, *, first: int) -> list[int]:
    """Indices of points [n, dimensions], each the farthest from `seen` [m, dimensions] and from those picked before.

    At most 20. `first` is the one to begin with where nothing has been seen.
    """
    picked: list[int] = []
    nearest = np.full(len(points), np.inf)
    for other in seen if seen is not None else ():
        nearest = np.minimum(nearest, np.linalg.norm(points - other, axis=1))
    while len(picked) < min(_FARTHEST, len(points)):
        index = first if np.isinf(nearest).all() else int(nearest.argmax())
        picked.append(index)
        nearest = np.minimum(nearest, np.linalg.norm(points - points[index], axis=1))
        nearest[picked] = -1.0  # equal points are picked once each
    return picked
