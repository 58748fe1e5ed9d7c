"""Conformal sets cover what they promise, on photos that had no say."""

import numpy as np
import pytest

from ml_models.calibration import softmax
from ml_pipeline.calibration.cases import Cases
from ml_pipeline.calibration.prediction_sets import choose_prediction_set
from tests.ml_pipeline.calibration.drawn import drawn_cases, relabelled


def _true(cases: Cases) -> np.ndarray:
    return softmax(cases.logits)[np.arange(len(cases.labels)), cases.labels]


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_choose_prediction_set_covers_new_malignant_and_benign_lesions(coverage: float) -> None:
    cases, new = drawn_cases(4000, seed=1), drawn_cases(4000, seed=2)
    choice = choose_prediction_set(cases, [softmax(cases.logits)], coverage=coverage)
    for kind in (new.is_malignant, ~new.is_malignant):
        assert (_true(new)[kind] >= choice.minimum).mean() >= coverage - 0.04


def test_choose_prediction_set_excludes_what_it_can() -> None:
    cases = drawn_cases(4000, seed=1)
    choice = choose_prediction_set(cases, [softmax(cases.logits)], coverage=0.9)
    assert min(choice.malignant_coverage or 0, choice.benign_coverage or 0) == pytest.approx(0.9, abs=0.005)
    assert choice.mean_size < 2


def test_choose_prediction_set_of_few_lesions_excludes_nothing() -> None:
    cases = drawn_cases(8)
    assert choose_prediction_set(cases, [softmax(cases.logits)], coverage=0.9).minimum == 0


def test_choose_prediction_set_holds_for_every_way_of_asking() -> None:
    cases = drawn_cases(2000, seed=3)
    sure, unsure = softmax(cases.logits), softmax(cases.logits / 4)
    both = choose_prediction_set(cases, [sure, unsure])
    assert both.minimum == min(choose_prediction_set(cases, [view]).minimum for view in (sure, unsure))


def test_choose_prediction_set_counts_lesions_and_not_photos() -> None:
    # One lesion with a hundred photos, all wrong, is one miss of two hundred lesions.
    codes, groups = ["nv"] * 299, np.array([f"l{n}" for n in range(199)] + ["often"] * 100)
    cases = relabelled(drawn_cases(299), codes, groups)
    right = np.where(np.arange(299) < 199, 0.99, 0.0)
    view = np.column_stack([np.zeros(299), 1 - right, right])
    assert choose_prediction_set(cases, [view]).minimum == pytest.approx(0.99)
