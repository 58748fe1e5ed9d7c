"""The order in which cases are read, on candidates made by hand."""

import uuid
from typing import Any

import numpy as np
import pytest

from api.reviews.policies import POLICIES, Candidate, PolicyName, Pool, entropy_of, farthest_first, margin_of


def candidate(**values: Any) -> Candidate:
    return Candidate(prediction_id=uuid.uuid4(), **values)


def ordered(policy: PolicyName, *candidates: Candidate, read: Any = None, seed: int = 1) -> list[int]:
    """Positions of the candidates in the policy's order."""
    pool = Pool(candidates, {"m": read} if read is not None else {})
    result = POLICIES[policy](pool, np.random.default_rng(seed))
    return [candidates.index(each) for each in result]


SURE, SPLIT = {"nv": 0.9, "mel": 0.1}, {"nv": 0.5, "mel": 0.5}


def test_policies_keep_every_candidate_once():
    candidates = [
        candidate(probabilities=SURE, model_digest="m", embedding=np.ones(2, np.float32)),
        candidate(is_suspicious=True, malignant_probability=0.4, probabilities=SPLIT),
        candidate(disagrees=True),
    ]
    for policy in PolicyName:
        assert sorted(ordered(policy, *candidates)) == [0, 1, 2], policy


def test_policies_accept_an_empty_log():
    assert all(ordered(policy) == [] for policy in PolicyName)


def test_priority_is_suspicious_disagreeing_uncertain_rest():
    candidates = (
        candidate(), candidate(is_uncertain=True), candidate(disagrees=True), candidate(is_suspicious=True)
    )  # fmt: skip
    assert ordered(PolicyName.PRIORITY, *candidates) == [3, 2, 1, 0]


def test_priority_among_equals_begins_with_the_least_sure():
    assert ordered(PolicyName.PRIORITY, candidate(probabilities=SURE), candidate(probabilities=SPLIT)) == [1, 0]


def test_suspicious_goes_by_malignant_probability_and_knows_missing_ones():
    candidates = [
        candidate(malignant_probability=0.9),
        candidate(is_suspicious=True, malignant_probability=0.3),
        candidate(is_suspicious=True, malignant_probability=0.8),
        candidate(malignant_probability=None),
    ]
    assert ordered(PolicyName.SUSPICIOUS, *candidates) == [2, 1, 0, 3]


def test_uncertain_goes_by_the_top_probability():
    candidates = [
        candidate(probabilities=SPLIT),
        candidate(is_uncertain=True, probabilities={"nv": 0.6, "mel": 0.4}),
        candidate(is_uncertain=True, probabilities=SPLIT),
    ]
    assert ordered(PolicyName.UNCERTAIN, *candidates) == [2, 1, 0]


def test_disagreeing_comes_first():
    assert ordered(PolicyName.DISAGREEING, candidate(), candidate(disagrees=True), candidate()) == [1, 0, 2]


def test_entropy_and_margin_differ_where_three_classes_compete():
    two, three = {"a": 0.5, "b": 0.5, "c": 0.0}, {"a": 0.4, "b": 0.3, "c": 0.3}
    assert ordered(PolicyName.ENTROPY, candidate(probabilities=two), candidate(probabilities=three)) == [1, 0]
    assert ordered(PolicyName.MARGIN, candidate(probabilities=two), candidate(probabilities=three)) == [0, 1]


@pytest.mark.parametrize("policy", [PolicyName.ENTROPY, PolicyName.MARGIN, PolicyName.UNCERTAIN])
def test_uncertainty_of_a_rejected_photo_is_none(policy: PolicyName):
    assert ordered(policy, candidate(probabilities=None), candidate(probabilities=SURE)) == [1, 0]


@pytest.mark.parametrize(
    ("probabilities", "entropy", "margin"),
    [
        (SPLIT, 1.0, 0.0),
        ({"a": 1.0, "b": 0.0}, 0.0, 1.0),
        ({"a": 1.0}, 0.0, 1.0),
        ({"a": 0.25, "b": 0.75}, 0.8113, 0.5),
    ],
)
def test_entropy_and_margin_of_known_shares(probabilities: dict[str, float], entropy: float, margin: float):
    each = candidate(probabilities=probabilities)
    assert entropy_of(each) == pytest.approx(entropy, abs=1e-4)
    assert margin_of(each) == pytest.approx(margin)


def test_random_depends_on_the_seed_alone():
    candidates = [candidate(is_suspicious=index % 2 == 0, malignant_probability=index / 20) for index in range(20)]
    orders = [ordered(PolicyName.RANDOM, *candidates, seed=seed) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


POINTS = np.array([[0, 0], [0.1, 0], [10, 0], [0, 5]], np.float32)


def test_farthest_first_spreads_over_the_space():
    assert farthest_first(POINTS, None, first=0) == [0, 2, 3, 1]


def test_farthest_first_begins_far_from_what_was_read():
    assert farthest_first(POINTS, np.array([[10.0, 0.0]], np.float32), first=2)[0] == 3
    assert farthest_first(POINTS, np.array([[0.0, 0.0]], np.float32), first=0)[0] == 2


def test_farthest_first_picks_equal_points_once_each():
    assert sorted(farthest_first(np.ones((3, 2), np.float32), None, first=1)) == [0, 1, 2]


def test_diversity_compares_features_of_one_model_only():
    candidates = [
        candidate(model_digest="m", embedding=POINTS[0]),
        candidate(model_digest="other", embedding=np.ones(9, np.float32)),
        candidate(model_digest="m", embedding=POINTS[2]),
        candidate(model_digest="m"),
    ]
    assert ordered(PolicyName.DIVERSITY, *candidates, read=POINTS[:1]) == [2, 0, 1, 3]
