"""The figures: what a classifier of skin lesions is judged by.

Every figure works on answers and weights [draws, n], a row of photo counts for each bootstrap draw; see `bootstrap.py`.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.bootstrap import Metric, Weights

_CALIBRATION_BINS = 15
_OPERATING_SENSITIVITIES = (0.82, 0.90, 0.95)  # .82: dermatologists at 59 % specificity (Marchetti 2018)
_ROUNDING = 1e-9

Mask = Callable[[Answers], NDArray[np.bool_]]


def metrics(codes: Sequence[str], threshold: float | None = None) -> dict[str, Metric]:
    """The headline figures by name, those of single classes where they exist; with a threshold what flagging does."""
    named = _of_codes(codes)
    if threshold is not None:
        named |= _at_threshold(codes, lambda answers: answers.malignant_probability >= threshold)
    return named


def photo_metrics(answers: Answers) -> dict[str, Metric]:
    """The same, flagging each photo at its own threshold; without those of malignancy where it is not known."""
    named = _of_codes(answers.codes)
    if not answers.malignancy_known:
        del named["malignant_auc"]
    elif answers.thresholds is not None:
        named |= _at_threshold(answers.codes, lambda each: each.flagged)
    return named


def class_metrics(code: str, index: int) -> dict[str, Metric]:
    """Sensitivity, specificity, precision and AUC of one class against the rest; `index` is its place in the codes."""

    def right(answers: Answers) -> NDArray[np.bool_]:
        return np.asarray(answers.labels == index)

    def said(answers: Answers) -> NDArray[np.bool_]:
        return np.asarray(answers.predicted == index)

    return {
        "sensitivity": _share(right, said, needs=f"photos of {code}"),
        "specificity": _share(_no(right), _no(said), needs=f"photos that are not {code}"),
        "precision": _share(said, right, needs=f"photos answered {code}"),
        "auc": _auc(right, lambda answers: answers.probabilities[:, index], needs=f"photos of {code} and of others"),
    }


def calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    """Expected calibration error (Naeini 2015): mean gap between top probability and accuracy, 15 bins, by photos."""
    return float(_calibration_errors(probabilities, labels, np.ones((1, len(labels))))[0])


def _of_codes(codes: Sequence[str]) -> dict[str, Metric]:
    named = {"balanced_accuracy": balanced_accuracy}
    if {"akiec", "scc"} <= set(codes):
        named["balanced_accuracy_seven_classes"] = balanced_accuracy_seven_classes
    named |= {
        "accuracy": _share(_every, lambda answers: answers.predicted == answers.labels, needs="at least one photo"),
        "macro_f1": Metric(_macro_f1s),
        "malignant_auc": _auc(
            lambda answers: answers.is_malignant,
            lambda answers: answers.malignant_probability,
            needs="malignant and benign photos",
        ),
    }
    if "mel" in codes:
        named |= _of_melanoma(codes.index("mel"))
    named["expected_calibration_error"] = Metric(
        lambda answers, weights: _calibration_errors(answers.probabilities, answers.labels, weights),
        lower_is_better=True,
    )
    return named | {"brier_score": brier_score}


def _of_melanoma(index: int) -> dict[str, Metric]:
    def is_melanoma(answers: Answers) -> NDArray[np.bool_]:
        return np.asarray(answers.labels == index)

    def score(answers: Answers) -> NDArray[np.float64]:
        return answers.probabilities[:, index]

    needs = "photos of mel and of others"
    return {
        "melanoma_auc": _auc(is_melanoma, score, needs=needs),
        **{
            f"melanoma_specificity_at_{round(100 * each)}_sensitivity": _specificity_at(
                each, is_melanoma, score, needs=needs
            )
            for each in _OPERATING_SENSITIVITIES
        },
    }


def _at_threshold(codes: Sequence[str], flagged: Mask) -> dict[str, Metric]:
    def is_malignant(answers: Answers) -> NDArray[np.bool_]:
        return answers.is_malignant

    named = {
        "malignant_sensitivity_at_threshold": _share(is_malignant, flagged, needs="malignant photos"),
        "malignant_specificity_at_threshold": _share(_no(is_malignant), _no(flagged), needs="benign photos"),
    }
    if "mel" in codes:
        melanoma = codes.index("mel")
        named["melanoma_sensitivity_at_threshold"] = _share(
            lambda answers: answers.labels == melanoma, flagged, needs="photos of mel"
        )
    return named


def _share(of: Mask, hits: Mask, *, needs: str) -> Metric:
    """The share of the photos `of` that are among the `hits`."""

    def of_draws(answers: Answers, weights: Weights) -> NDArray[np.float64]:
        whole = of(answers)
        return _ratio(weights @ (whole & hits(answers)).astype(float), weights @ whole.astype(float))

    return Metric(of_draws, needs, share_of=of)


def _no(mask: Mask) -> Mask:
    return lambda answers: ~mask(answers)


def _every(answers: Answers) -> NDArray[np.bool_]:
    return np.ones(len(answers.labels), bool)


def _auc(positive: Mask, score: Callable[[Answers], NDArray[np.float64]], *, needs: str) -> Metric:
    """Area under the ROC curve: the chance that a positive photo scores higher than another one, ties counting half."""

    def of_draws(answers: Answers, weights: Weights) -> NDArray[np.float64]:
        hits, others = _by_score(positive(answers), score(answers), weights)
        below = np.cumsum(others, axis=1) - others / 2
        return _ratio((hits * below).sum(axis=1), hits.sum(axis=1) * others.sum(axis=1))

    return Metric(of_draws, needs)


def _specificity_at(
    sensitivity: float, positive: Mask, score: Callable[[Answers], NDArray[np.float64]], *, needs: str
) -> Metric:
    """Specificity at the highest cut of the score that reaches that sensitivity."""

    def of_draws(answers: Answers, weights: Weights) -> NDArray[np.float64]:
        hits, others = _by_score(positive(answers), -score(answers), weights)
        caught = np.cumsum(hits, axis=1)
        cut = (caught >= sensitivity * caught[:, -1:] - _ROUNDING).argmax(axis=1)
        false_alarms = np.take_along_axis(np.cumsum(others, axis=1), cut[:, np.newaxis], axis=1)[:, 0]
        correct = _ratio(others.sum(axis=1) - false_alarms, others.sum(axis=1))
        return np.where(caught[:, -1] > 0, correct, np.nan)

    return Metric(of_draws, needs)


def _by_score(
    positive: NDArray[np.bool_], score: NDArray[np.float64], weights: Weights
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights of the positive photos and of the others at every distinct score, ascending, each [draws, scores]."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf))
    ordered = weights[:, order]
    hits = ordered * positive[order]
    return np.add.reduceat(hits, starts, axis=1), np.add.reduceat(ordered - hits, starts, axis=1)


def _confusions(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], classes: int, weights: Weights
) -> NDArray[np.float64]:
    """Weighted confusion matrices [draws, true, answered]."""
    cells = np.zeros((len(labels), classes * classes))
    cells[np.arange(len(labels)), labels * classes + predicted] = 1
    return (weights @ cells).reshape(-1, classes, classes)


def _mean_sensitivities(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], classes: int, weights: Weights
) -> NDArray[np.float64]:
    confusions = _confusions(labels, predicted, classes, weights)
    return _mean_known(_ratio(np.einsum("dcc->dc", confusions), confusions.sum(axis=2)))


def _balanced_accuracies(answers: Answers, weights: Weights) -> NDArray[np.float64]:
    return _mean_sensitivities(answers.labels, answers.predicted, len(answers.codes), weights)


def _balanced_accuracies_seven(answers: Answers, weights: Weights) -> NDArray[np.float64]:
    akiec, scc = answers.codes.index("akiec"), answers.codes.index("scc")
    merged = answers.probabilities.copy()
    merged[:, akiec] += merged[:, scc]
    merged[:, scc] = -1.0
    labels = np.where(answers.labels == scc, akiec, answers.labels)
    return _mean_sensitivities(labels, merged.argmax(axis=1), len(answers.codes), weights)


def _macro_f1s(answers: Answers, weights: Weights) -> NDArray[np.float64]:
    """Mean F1 over the classes that the truth has; what is answered otherwise costs their sensitivity."""
    confusions = _confusions(answers.labels, answers.predicted, len(answers.codes), weights)
    true, answered = confusions.sum(axis=2), confusions.sum(axis=1)
    f1 = _ratio(2 * np.einsum("dcc->dc", confusions), true + answered)
    return _mean_known(np.where(true > 0, f1, np.nan))


def _calibration_errors(
    probabilities: NDArray[np.float64], labels: NDArray[np.integer], weights: Weights
) -> NDArray[np.float64]:
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    gaps = np.zeros((len(labels), _CALIBRATION_BINS))
    gaps[np.arange(len(labels)), bins] = correct - confidence
    return _ratio(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def _brier_scores(answers: Answers, weights: Weights) -> NDArray[np.float64]:
    truth = np.eye(len(answers.codes))[answers.labels]
    return _ratio(weights @ ((answers.probabilities - truth) ** 2).sum(axis=1), weights.sum(axis=1))


def _mean_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the classes [draws, classes] that are not NaN."""
    known = np.isfinite(values)
    return _ratio(np.where(known, values, 0).sum(axis=1), known.sum(axis=1).astype(float))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quotient, NaN where the whole is nothing."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0))


balanced_accuracy = Metric(_balanced_accuracies)  # mean sensitivity over the classes that the truth has
balanced_accuracy_seven_classes = Metric(_balanced_accuracies_seven)  # HAM10000's: scc counted as akiec, summed
brier_score = Metric(_brier_scores, lower_is_better=True)  # mean squared distance to the truth, 0 to 2 (Brier 1950)
