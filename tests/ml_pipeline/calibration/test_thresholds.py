"""Warning thresholds: their promises, and when the data support none."""

import dataclasses

import numpy as np
import pytest

from ml_pipeline.calibration.cases import Cases
from ml_pipeline.calibration.thresholds import (
    NoThreshold,
    ThresholdChoice,
    choose_threshold,
)
from tests.ml_pipeline.calibration.drawn import drawn_cases, relabelled

MELANOMAS, MALIGNANT, PHOTOS = 400, 1000, 3000


def _cases() -> Cases:
    """A thousand malignant photos among three thousand, two of each lesion."""
    codes = ["mel"] * MELANOMAS + ["bcc"] * (MALIGNANT - MELANOMAS) + ["nv"] * (PHOTOS - MALIGNANT)
    return relabelled(drawn_cases(PHOTOS), codes, np.array([f"L{index // 2}" for index in range(PHOTOS)]))


def _scores(cases: Cases, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(cases.is_malignant, rng.beta(6, 2, PHOTOS), rng.beta(2, 6, PHOTOS))


def _chosen(cases: Cases, *views: np.ndarray) -> ThresholdChoice:
    choice = choose_threshold(cases, views)
    assert isinstance(choice, ThresholdChoice)
    return choice


def _separated(malignant: int) -> tuple[Cases, np.ndarray]:
    """Melanomas that are all caught, and a hundred moles."""
    cases = relabelled(drawn_cases(malignant + 100), ["mel"] * malignant + ["nv"] * 100)
    return cases, np.where(cases.is_malignant, 0.9, 0.1)


def test_choose_threshold_keeps_its_promises() -> None:
    cases = _cases()
    scores = _scores(cases)
    choice = _chosen(cases, scores)
    flagged = scores >= choice.threshold
    assert choice.sensitivity == pytest.approx(flagged[cases.is_malignant].mean())
    assert choice.melanoma_sensitivity == pytest.approx(flagged[cases.is_melanoma].mean())
    assert choice.melanoma_sensitivity >= 0.95
    assert 0.95 <= choice.sensitivity_lower_bound < choice.sensitivity
    assert choice.specificity == pytest.approx(1 - flagged[~cases.is_malignant].mean())
    assert choice.melanoma_lesions == MELANOMAS // 2


def test_choose_threshold_is_the_highest_that_does() -> None:
    cases = _cases()
    scores = _scores(cases)
    raised = scores[cases.is_malignant] >= _chosen(cases, scores).threshold + 0.02
    assert raised.mean() < 0.97


def test_choose_threshold_holds_for_every_way_of_asking() -> None:
    cases = _cases()
    first, second = _scores(cases), 0.7 * _scores(cases, seed=1)
    both, lower = _chosen(cases, first, second), _chosen(cases, second)
    assert both.threshold == lower.threshold < _chosen(cases, first).threshold
    assert both.specificity == pytest.approx(
        min((view[~cases.is_malignant] < both.threshold).mean() for view in (first, second))
    )


def test_choose_threshold_low_melanoma_alone_lowers_it() -> None:
    cases = _cases()
    scores = _scores(cases)
    missed = np.where(cases.is_melanoma & (np.arange(PHOTOS) % 10 == 0), 0.01, scores)
    assert _chosen(cases, missed).threshold <= 0.01 < _chosen(cases, scores).threshold


def test_choose_threshold_few_cases_support_none_though_all_are_caught() -> None:
    cases, scores = _separated(40)
    choice = choose_threshold(cases, [scores])
    assert isinstance(choice, NoThreshold)
    assert "malignant lesions on validation: 40;" in choice.reason


def test_choose_threshold_enough_cases_all_caught_support_one() -> None:
    cases, scores = _separated(80)
    assert _chosen(cases, scores).threshold == pytest.approx(0.9, abs=1e-5)


def test_choose_threshold_one_poor_way_of_asking_supports_none() -> None:
    cases, scores = _separated(80)
    poor = scores.copy()
    poor[:10] = 0.0
    assert isinstance(_chosen(cases, scores), ThresholdChoice)
    choice = choose_threshold(cases, [scores, np.where(cases.is_malignant, poor, 0.5)])
    # Only a threshold of 0 catches all, and then everything is flagged: it is found, and worth nothing.
    assert isinstance(choice, ThresholdChoice)
    assert (choice.threshold, choice.specificity) == (0.0, 0.0)


def test_choose_threshold_photos_of_one_lesion_are_one_case() -> None:
    cases, scores = _separated(80)
    groups = np.array([f"L{index // 4}" for index in range(80)] + ["M"] * 100)
    choice = choose_threshold(dataclasses.replace(cases, groups=groups), [scores])
    assert isinstance(choice, NoThreshold)
    assert "malignant lesions on validation: 20;" in choice.reason


@pytest.mark.parametrize("melanomas", [0, 19])
def test_choose_threshold_too_few_melanomas_is_none(melanomas: int) -> None:
    codes = ["mel"] * melanomas + ["bcc"] * 200 + ["nv"] * 100
    cases = relabelled(drawn_cases(len(codes)), codes)
    choice = choose_threshold(cases, [np.where(cases.is_malignant, 0.9, 0.1)])
    assert isinstance(choice, NoThreshold)
    assert f"melanoma lesions on validation: {melanomas};" in choice.reason


def test_choose_threshold_unknown_malignancy_is_none() -> None:
    cases, scores = _separated(80)
    foreign = tuple(dataclasses.replace(label, code=f"own-{label.code}", malignant=None) for label in cases.classes)
    choice = choose_threshold(dataclasses.replace(cases, classes=foreign), [scores])
    assert isinstance(choice, NoThreshold)
    assert "not known" in choice.reason
