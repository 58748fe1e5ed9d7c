"""Figures against values worked out by hand or by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from ml_models.labels import CATALOGUE, CODES
from ml_pipeline.evaluation.metrics import (
    Answers,
    balanced_accuracy,
    balanced_accuracy_seven_classes,
    brier_score,
    calibration_error,
    difference,
    estimate,
    metrics,
    per_class,
)

MALIGNANT = np.array([bool(label.malignant) for label in CATALOGUE])


def _answers(
    predicted: list[str], true: list[str], confidence: float = 0.9, groups: list[str] | None = None
) -> Answers:
    probabilities = np.full((len(true), 8), (1 - confidence) / 7)
    for row, code in enumerate(predicted):
        probabilities[row, CODES.index(code)] = confidence
    labels = np.array([CODES.index(code) for code in true], dtype=np.int32)
    return Answers(probabilities, labels, np.array(groups or [str(i) for i in range(len(true))]), CODES, MALIGNANT)


def test_balanced_accuracy_is_the_mean_sensitivity() -> None:
    answers = _answers(["nv", "nv", "nv", "nv", "mel", "nv"], ["nv", "nv", "nv", "nv", "mel", "mel"])
    assert balanced_accuracy(answers) == pytest.approx(0.75)


def test_balanced_accuracy_seven_classes_takes_scc_for_akiec() -> None:
    answers = _answers(["scc", "akiec", "nv"], ["akiec", "scc", "nv"])
    assert balanced_accuracy(answers) == pytest.approx(1 / 3)
    assert balanced_accuracy_seven_classes(answers) == pytest.approx(1)


def test_calibration_error_is_the_gap() -> None:
    answers = _answers(["nv"] * 10, ["nv"] * 6 + ["mel"] * 4, confidence=0.9)
    assert calibration_error(answers.probabilities, answers.labels) == pytest.approx(0.3)


def test_calibration_error_of_matching_confidence_is_zero() -> None:
    answers = _answers(["nv"] * 10, ["nv"] * 9 + ["mel"], confidence=0.9)
    assert calibration_error(answers.probabilities, answers.labels) == pytest.approx(0, abs=1e-9)


def test_brier_score_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    answers = Answers(
        rng.dirichlet(np.ones(8), 200),
        rng.integers(0, 8, 200).astype(np.int32),
        np.arange(200).astype(str),
        CODES,
        MALIGNANT,
    )
    expected = brier_score_loss(answers.labels, answers.probabilities, labels=range(8), scale_by_half=False)
    assert brier_score(answers) == pytest.approx(expected)


def test_estimate_intervals_resample_whole_lesions() -> None:
    true = ["nv", "mel"] * 40
    predicted = [code if i % 4 < 2 else "bcc" for i, code in enumerate(true)]
    named = {"accuracy": metrics(CODES)["accuracy"]}
    single = estimate(_answers(predicted, true), named)["accuracy"]
    groups = [f"L{i // 20}" for i in range(80)]
    together = [code if i // 20 % 2 else "bcc" for i, code in enumerate(true)]
    clustered = estimate(_answers(together, true, groups=groups), named)["accuracy"]
    assert single.value == clustered.value == 0.5
    assert clustered.high - clustered.low > 2 * (single.high - single.low)


def test_difference_of_a_model_with_itself_is_zero() -> None:
    answers = _answers(["nv", "mel", "bcc"] * 10, ["nv", "mel", "nv"] * 10)
    gained = difference(answers, answers, balanced_accuracy)
    assert (gained.value, gained.low, gained.high) == (0, 0, 0)


def test_metrics_at_a_threshold_count_summed_malignant_probability() -> None:
    answers = _answers(["mel", "nv", "nv", "bcc"], ["mel", "mel", "nv", "nv"])
    named = metrics(CODES, threshold=0.5)
    assert named["malignant_sensitivity_at_threshold"](answers) == 0.5
    assert named["malignant_specificity_at_threshold"](answers) == 0.5
    assert named["melanoma_sensitivity_at_threshold"](answers) == 0.5


def test_per_class_has_counts_sensitivity_and_specificity() -> None:
    answers = _answers(["nv", "nv", "mel", *CODES], ["nv", "mel", "mel", *CODES])
    table = per_class(answers)
    assert table["mel"]["photos"] == 3
    assert table["mel"]["sensitivity"] == pytest.approx(2 / 3)
    assert table["nv"]["specificity"] == pytest.approx(8 / 9)


def test_metrics_of_foreign_labels_leave_out_what_needs_known_classes() -> None:
    assert "melanoma_auc" not in metrics(("cat", "dog"), threshold=0.5)
    assert "balanced_accuracy" in metrics(("cat", "dog"))
