"""Intervals: what is drawn, what a draw without a class does, and the exact end."""

import numpy as np
import pytest

from ml_models.labels import CODES
from ml_pipeline.evaluation.bootstrap import DRAWS, draws, estimate, gains
from ml_pipeline.evaluation.metrics import balanced_accuracy, class_metrics, photo_metrics
from tests.ml_pipeline.evaluation.conftest import make_answers, random_answers

MEL = class_metrics("mel", CODES.index("mel"))


def test_draws_take_whole_lesions_and_as_many_as_there_are() -> None:
    groups = np.array(["a", "a", "b", "c"])
    weights = np.concatenate(list(draws(groups, seed=0)))
    assert weights.shape == (DRAWS, 4)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 1:].sum(axis=1) == 3).all()
    assert weights[:, 2].mean() == pytest.approx(1, abs=0.1)


def test_estimate_is_the_same_for_the_same_seed_only() -> None:
    answers, named = random_answers(80, seed=1), {"balanced_accuracy": balanced_accuracy}
    assert estimate(answers, named, seed=3) == estimate(answers, named, seed=3)
    assert estimate(answers, named, seed=3) != estimate(answers, named, seed=4)


def test_estimate_covers_a_known_share_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(0), 0
    for _ in range(60):
        true = ["mel"] * 50
        predicted = ["mel" if right else "nv" for right in rng.random(50) < 0.8]
        found = estimate(make_answers(predicted, true), {"sensitivity": MEL["sensitivity"]})["sensitivity"]
        hits += found.low <= 0.8 <= found.high
    assert hits >= 52


def test_estimate_of_no_mistake_has_the_exact_lower_end() -> None:
    answers = make_answers(["mel"] * 6, ["mel"] * 6, groups=["a", "a", "b", "c", "d", "e"])
    found = estimate(answers, {"sensitivity": MEL["sensitivity"]})["sensitivity"]
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.025 ** (1 / 5))  # five lesions, not six photos


def test_estimate_of_nothing_found_has_the_exact_upper_end() -> None:
    found = estimate(make_answers(["nv"] * 4, ["mel"] * 4), {"sensitivity": MEL["sensitivity"]})["sensitivity"]
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(1 - 0.025**0.25)


def test_estimate_with_a_single_lesion_of_a_class_still_has_an_interval() -> None:
    answers = make_answers(["nv"] * 20 + ["nv"], ["nv"] * 20 + ["mel"])
    found = estimate(answers, {"balanced_accuracy": balanced_accuracy, "auc": MEL["auc"]})
    assert found["balanced_accuracy"].value == 0.5
    assert (found["balanced_accuracy"].low, found["balanced_accuracy"].high) == (0.5, 1)
    assert np.isfinite(found["auc"].low)


def test_estimate_leaves_out_what_the_answers_cannot_tell() -> None:
    assert estimate(make_answers(["nv"], ["nv"]), {"auc": MEL["auc"]}) == {}


def test_gains_are_positive_where_the_second_is_better_also_for_errors() -> None:
    worse = random_answers(200, seed=2, skill=0.1)
    better = make_answers([CODES[label] for label in worse.labels], [CODES[label] for label in worse.labels])
    better = type(better)(better.probabilities, better.labels, worse.groups, CODES, worse.malignant, worse.thresholds)
    found = gains(worse, better, photo_metrics(worse))
    for name in ("balanced_accuracy", "brier_score", "malignant_auc"):
        assert found[name].difference.low > 0, name
        assert found[name].not_better == 0


def test_gains_of_paired_answers_are_narrower_than_either_interval() -> None:
    true = ["nv", "mel"] * 50
    first = make_answers(["nv", "bcc"] * 50, true)
    second = make_answers(["nv", "bcc"] * 49 + ["nv", "mel"], true)
    accuracy = {"accuracy": photo_metrics(first)["accuracy"]}
    paired = gains(first, second, accuracy)["accuracy"].difference
    alone = estimate(first, accuracy)["accuracy"]
    assert paired.value == pytest.approx(0.01)
    assert paired.high - paired.low < (alone.high - alone.low) / 3
