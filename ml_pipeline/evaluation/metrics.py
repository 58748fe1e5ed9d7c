"""Figures of a classifier on labelled photos, with bootstrap intervals by lesion (Efron 1979)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, recall_score, roc_auc_score

_RESAMPLES = 1000
_ECE_BINS = 15


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model said about n labelled photos.

    `probabilities` is float64 [n, classes], `labels` int [n] into `codes`, `groups` [n] the lesion group of each photo,
    `malignant` bool [classes].
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int32]
    groups: NDArray[np.str_]
    codes: tuple[str, ...]
    malignant: NDArray[np.bool_]

    @property
    def malignant_probability(self) -> NDArray[np.float64]:
        """Summed probability of the malignant classes, [n]."""
        return np.asarray(self.probabilities[:, self.malignant].sum(axis=1))

    @property
    def is_malignant(self) -> NDArray[np.bool_]:
        """Whether the true class is malignant, [n]."""
        return np.asarray(self.malignant[self.labels])

    def take(self, rows: NDArray[np.intp]) -> "Answers":
        """The answers to some of the photos."""
        return Answers(self.probabilities[rows], self.labels[rows], self.groups[rows], self.codes, self.malignant)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


Metric = Callable[[Answers], float]


def metrics(codes: Sequence[str], threshold: float | None = None) -> dict[str, Metric]:
    """The headline figures by name, those of single classes where they exist; with a threshold what flagging does."""
    named: dict[str, Metric] = {
        "balanced_accuracy": balanced_accuracy,
        "accuracy": lambda a: float((a.probabilities.argmax(axis=1) == a.labels).mean()),
        "macro_f1": lambda a: float(
            f1_score(a.labels, a.probabilities.argmax(axis=1), average="macro", labels=range(len(a.codes)))
        ),
        "malignant_auc": lambda a: float(roc_auc_score(a.is_malignant, a.malignant_probability)),
        "expected_calibration_error": lambda a: calibration_error(a.probabilities, a.labels),
        "brier_score": brier_score,
    }
    if {"akiec", "scc"} <= set(codes):
        named["balanced_accuracy_seven_classes"] = balanced_accuracy_seven_classes
    if "mel" in codes:
        named["melanoma_auc"] = lambda a: _class_auc(a, "mel")
    if threshold is None:
        return named
    named["malignant_sensitivity_at_threshold"] = lambda a: float(
        (a.malignant_probability[a.is_malignant] >= threshold).mean()
    )
    named["malignant_specificity_at_threshold"] = lambda a: float(
        (a.malignant_probability[~a.is_malignant] < threshold).mean()
    )
    if "mel" in codes:
        named["melanoma_sensitivity_at_threshold"] = lambda a: float(
            (a.malignant_probability[a.labels == a.codes.index("mel")] >= threshold).mean()
        )
    return named


def estimate(answers: Answers, named: Mapping[str, Metric], *, seed: int = 0) -> dict[str, Estimate]:
    """Every figure with its interval: whole lesions are drawn with replacement, the percentiles are 2.5 and 97.5.

    Draws without any photo of some class are drawn again: a balanced accuracy of fewer classes is another figure.
    """
    rng = np.random.default_rng(seed)
    rows_of = _rows_by_group(answers.groups)
    samples: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(_RESAMPLES):
        drawn = answers.take(_draw(rows_of, answers.labels, rng))
        for name, metric in named.items():
            samples[name].append(metric(drawn))
    return {
        name: Estimate(metric(answers), *(float(p) for p in np.percentile(samples[name], (2.5, 97.5))))
        for name, metric in named.items()
    }


def difference(first: Answers, second: Answers, metric: Metric, *, seed: int = 0) -> Estimate:
    """`metric(first) - metric(second)` on the same photos, paired bootstrap by lesion."""
    rng = np.random.default_rng(seed)
    rows_of = _rows_by_group(first.groups)
    values = []
    for _ in range(_RESAMPLES):
        rows = _draw(rows_of, first.labels, rng)
        values.append(metric(first.take(rows)) - metric(second.take(rows)))
    low, high = np.percentile(values, (2.5, 97.5))
    return Estimate(metric(first) - metric(second), float(low), float(high))


def balanced_accuracy(answers: Answers) -> float:
    """Mean sensitivity over the classes, top class taken as the answer."""
    return _mean_sensitivity(answers.labels, answers.probabilities.argmax(axis=1))


def balanced_accuracy_seven_classes(answers: Answers) -> float:
    """The same over HAM10000's seven classes: scc counted as akiec, their probabilities summed."""
    akiec, scc = answers.codes.index("akiec"), answers.codes.index("scc")
    merged = answers.probabilities.copy()
    merged[:, akiec] += merged[:, scc]
    merged[:, scc] = -1.0
    labels = np.where(answers.labels == scc, akiec, answers.labels)
    return _mean_sensitivity(labels, merged.argmax(axis=1))


def calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    """Expected calibration error (Naeini 2015): mean gap between top probability and accuracy, 15 bins, by photos."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * _ECE_BINS).astype(int), _ECE_BINS - 1)
    gaps = np.bincount(bins, weights=correct - confidence, minlength=_ECE_BINS)
    return float(np.abs(gaps).sum() / len(correct))


def brier_score(answers: Answers) -> float:
    """Mean squared distance between probabilities and the one-hot truth, 0 to 2 (Brier 1950)."""
    truth = np.eye(len(answers.codes))[answers.labels]
    return float(((answers.probabilities - truth) ** 2).sum(axis=1).mean())


def per_class(answers: Answers) -> dict[str, dict[str, float]]:
    """Photos, sensitivity, specificity and AUC of every class against the rest."""
    predicted = answers.probabilities.argmax(axis=1)
    sensitivity = recall_score(answers.labels, predicted, average=None, labels=range(len(answers.codes)))
    table = {}
    for index, code in enumerate(answers.codes):
        others = answers.labels != index
        table[code] = {
            "photos": int((~others).sum()),
            "sensitivity": float(sensitivity[index]),
            "specificity": float((predicted[others] != index).mean()),
            "auc": _class_auc(answers, code),
        }
    return table


def _mean_sensitivity(labels: NDArray[np.int32], predicted: NDArray[np.intp]) -> float:
    return float(recall_score(labels, predicted, labels=np.unique(labels), average="macro"))


def _class_auc(answers: Answers, code: str) -> float:
    index = answers.codes.index(code)
    return float(roc_auc_score(answers.labels == index, answers.probabilities[:, index]))


def _rows_by_group(groups: NDArray[np.str_]) -> list[NDArray[np.intp]]:
    _, index = np.unique(groups, return_inverse=True)
    order = np.argsort(index, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(index[order])) + 1)


def _draw(rows_of: list[NDArray[np.intp]], labels: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.intp]:
    classes = len(np.unique(labels))
    while True:
        rows = np.concatenate([rows_of[i] for i in rng.integers(0, len(rows_of), len(rows_of))])
        if len(np.unique(labels[rows])) == classes:
            return rows
