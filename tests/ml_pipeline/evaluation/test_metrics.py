"""Figures against values worked out by hand or by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, f1_score, precision_score, roc_auc_score

from ml_models.labels import CODES
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.bootstrap import Metric, Weights, estimate
from ml_pipeline.evaluation.metrics import (
    balanced_accuracy,
    balanced_accuracy_seven_classes,
    brier_score,
    calibration_error,
    class_metrics,
    metrics,
    photo_metrics,
)
from tests.ml_pipeline.evaluation.conftest import MALIGNANT, make_answers, random_answers


def test_balanced_accuracy_is_the_mean_sensitivity() -> None:
    answers = make_answers(["nv", "nv", "nv", "nv", "mel", "nv"], ["nv", "nv", "nv", "nv", "mel", "mel"])
    assert balanced_accuracy(answers) == pytest.approx(0.75)


def test_balanced_accuracy_seven_classes_takes_scc_for_akiec() -> None:
    answers = make_answers(["scc", "akiec", "nv"], ["akiec", "scc", "nv"])
    assert balanced_accuracy(answers) == pytest.approx(1 / 3)
    assert balanced_accuracy_seven_classes(answers) == pytest.approx(1)


def test_calibration_error_is_the_gap() -> None:
    answers = make_answers(["nv"] * 10, ["nv"] * 6 + ["mel"] * 4, confidence=0.9)
    assert calibration_error(answers.probabilities, answers.labels) == pytest.approx(0.3)


def test_calibration_error_of_matching_confidence_is_zero() -> None:
    answers = make_answers(["nv"] * 10, ["nv"] * 9 + ["mel"], confidence=0.9)
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
    single = estimate(make_answers(predicted, true), named)["accuracy"]
    groups = [f"L{i // 20}" for i in range(80)]
    together = [code if i // 20 % 2 else "bcc" for i, code in enumerate(true)]
    clustered = estimate(make_answers(together, true, groups=groups), named)["accuracy"]
    assert single.value == clustered.value == 0.5
    assert clustered.high - clustered.low > 2 * (single.high - single.low)


def test_metrics_at_a_threshold_count_summed_malignant_probability() -> None:
    answers = make_answers(["mel", "nv", "nv", "bcc"], ["mel", "mel", "nv", "nv"])
    named = metrics(CODES, threshold=0.5)
    assert named["malignant_sensitivity_at_threshold"](answers) == 0.5
    assert named["malignant_specificity_at_threshold"](answers) == 0.5
    assert named["melanoma_sensitivity_at_threshold"](answers) == 0.5


def test_metrics_of_foreign_labels_leave_out_what_needs_known_classes() -> None:
    assert "melanoma_auc" not in metrics(("cat", "dog"), threshold=0.5)
    assert "balanced_accuracy" in metrics(("cat", "dog"))


EVERY = {
    **photo_metrics(random_answers(9, seed=0)),
    **{f"{CODES[index]} {name}": each for index in (0, 4) for name, each in class_metrics(CODES[index], index).items()},
}


@pytest.mark.parametrize("metric", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize("seed", range(3))
def test_metric_of_a_draw_is_that_of_the_photos_repeated(metric: Metric, seed: int) -> None:
    answers = random_answers(60, seed=seed)
    weights: Weights = np.random.default_rng(100 + seed).integers(0, 3, (4, 60)).astype(float)
    weights[0, answers.labels == 0] = 0  # a draw without akiec
    repeated = [metric(answers.take(np.repeat(np.arange(60), row.astype(int)))) for row in weights]
    assert metric.of_draws(answers, weights) == pytest.approx(repeated, nan_ok=True)


def test_metrics_agree_with_scikit_learn() -> None:
    answers = random_answers(300, seed=5)
    named, mel = photo_metrics(answers), CODES.index("mel")
    true, predicted = answers.labels, answers.predicted
    assert named["balanced_accuracy"](answers) == pytest.approx(balanced_accuracy_score(true, predicted))
    assert named["macro_f1"](answers) == pytest.approx(f1_score(true, predicted, average="macro"))
    assert named["melanoma_auc"](answers) == pytest.approx(roc_auc_score(true == mel, answers.probabilities[:, mel]))
    assert named["malignant_auc"](answers) == pytest.approx(
        roc_auc_score(answers.is_malignant, answers.malignant_probability)
    )
    assert class_metrics("mel", mel)["precision"](answers) == pytest.approx(
        precision_score(true == mel, predicted == mel)
    )


def test_specificity_at_sensitivity_takes_the_highest_cut_that_reaches_it() -> None:
    answers = make_answers(["nv"] * 10, ["mel"] * 5 + ["nv"] * 5)
    answers.probabilities[:, CODES.index("mel")] = [0.9, 0.8, 0.7, 0.6, 0.2, 0.85, 0.65, 0.3, 0.1, 0.05]
    named = photo_metrics(answers)
    # four of five melanomas are .80, so .82 needs the last one at .2, above which three benign photos lie
    assert named["melanoma_specificity_at_82_sensitivity"](answers) == pytest.approx(0.4)


def test_balanced_accuracy_is_over_the_classes_of_the_truth() -> None:
    answers = make_answers(["scc", "nv", "nv"], ["akiec", "nv", "nv"])
    assert balanced_accuracy(answers) == pytest.approx(0.5)
    assert balanced_accuracy_seven_classes(answers) == pytest.approx(1)


def test_photo_metrics_flag_each_photo_at_its_own_threshold() -> None:
    answers = make_answers(["mel", "mel"], ["mel", "mel"], threshold=0.5)
    assert answers.thresholds is not None
    answers.thresholds[1] = 0.99
    assert photo_metrics(answers)["melanoma_sensitivity_at_threshold"](answers) == 0.5
