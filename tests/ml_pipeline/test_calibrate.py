"""What is chosen on validation."""

import numpy as np
import pytest

from ml_models.calibration import calibrated_probabilities
from ml_pipeline.calibrate import choose_minimum_confidence, choose_threshold, fit_temperature


def test_fit_temperature_recovers_the_one_that_labels_were_drawn_with() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (20_000, 5))
    probabilities = calibrated_probabilities(logits, 2.5)
    labels = (probabilities.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    assert fit_temperature(logits, labels) == pytest.approx(2.5, rel=0.05)


def _cases(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    is_malignant = np.arange(3000) < 1000
    is_melanoma = np.arange(3000) < 400
    scores = np.where(is_malignant, rng.beta(6, 2, 3000), rng.beta(2, 6, 3000))
    groups = np.array([f"L{i // 2}" for i in range(3000)])
    return {
        "malignant_probability": scores,
        "is_malignant": is_malignant,
        "is_melanoma": is_melanoma,
        "groups": groups,
    }


def test_choose_threshold_keeps_its_promises() -> None:
    cases = _cases()
    choice = choose_threshold(**cases)
    assert choice is not None
    flagged = cases["malignant_probability"] >= choice.threshold
    assert choice.sensitivity == pytest.approx(flagged[cases["is_malignant"]].mean())
    assert flagged[cases["is_melanoma"]].mean() >= 0.95
    assert choice.sensitivity_lower_bound >= 0.95
    assert choice.sensitivity > choice.sensitivity_lower_bound
    assert choice.specificity == pytest.approx(1 - flagged[~cases["is_malignant"]].mean())


def test_choose_threshold_is_the_highest_that_does() -> None:
    cases = _cases()
    choice = choose_threshold(**cases)
    assert choice is not None
    raised = cases["malignant_probability"][cases["is_malignant"]] >= choice.threshold + 0.02
    assert raised.mean() < 0.97


def test_choose_threshold_low_melanoma_alone_lowers_it() -> None:
    cases = _cases()
    usual = choose_threshold(**cases)
    cases["malignant_probability"] = np.where(
        cases["is_melanoma"] & (np.arange(3000) % 10 == 0), 0.01, cases["malignant_probability"]
    )
    lowered = choose_threshold(**cases)
    assert usual is not None
    assert lowered is not None
    assert lowered.threshold <= 0.01 < usual.threshold


def test_choose_threshold_few_cases_support_none_though_all_are_caught() -> None:
    scores = np.array([0.9] * 40 + [0.1] * 100)
    choice = choose_threshold(
        scores, is_malignant=scores > 0.5, is_melanoma=scores > 0.5, groups=np.arange(140).astype(str)
    )
    assert choice is None


def test_choose_threshold_enough_cases_all_caught_support_one() -> None:
    scores = np.array([0.9] * 80 + [0.1] * 100)
    choice = choose_threshold(
        scores, is_malignant=scores > 0.5, is_melanoma=scores > 0.5, groups=np.arange(180).astype(str)
    )
    assert choice is not None
    assert choice.threshold == pytest.approx(0.9, abs=1e-5)


def test_choose_threshold_photos_of_one_lesion_are_one_case() -> None:
    scores = np.array([0.9] * 80 + [0.1] * 100)
    choice = choose_threshold(
        scores, is_malignant=scores > 0.5, is_melanoma=scores > 0.5, groups=np.array(["L"] * 80 + ["M"] * 100)
    )
    assert choice is None


def test_choose_threshold_without_melanoma_is_none() -> None:
    cases = _cases()
    cases["is_melanoma"] = np.zeros(3000, bool)
    assert choose_threshold(**cases) is None


def test_choose_minimum_confidence_is_reached_by_the_coverage() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(8), 5000)
    minimum = choose_minimum_confidence(probabilities, coverage=0.9)
    assert (probabilities.max(axis=1) >= minimum).mean() == pytest.approx(0.9, abs=0.001)
