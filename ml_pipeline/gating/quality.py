"""Quality gates: what graded degradations do to accuracy, and the score under which a photo is refused for it.

A gate stands where accuracy measurably falls. The same photos are asked as they are and in every grade, so that the
fall is paired; photos weigh so that every class counts the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from ml_models.classification import Modality, SeenPhoto
from ml_models.classifier import Classifier
from ml_models.gates import Gate
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.bootstrap import Estimate, estimate_mean
from ml_pipeline.gating.degradations import DEGRADATIONS, Degradation, Photo
from ml_pipeline.progress import Progress, silence

HARMFUL_DROP = 0.05  # of balanced accuracy; smaller falls are not worth a refusal
GOOD_PHOTOS_REFUSED = 0.01
HARMLESS_REFUSED = 0.05
_FEWEST_CAUGHT = 0.25  # of the harmful photos; a score that finds fewer says too little
_MOST_PHOTOS = 500  # of a modality: every photo is asked forty times
_CANDIDATES = 400


@dataclass(frozen=True, slots=True)
class GradeFigures:
    """One grade: balanced accuracy of the photos as they are less that of the degraded ones, and what the gate does."""

    strength: float
    balanced_accuracy: float
    drop: Estimate
    is_harmful: bool
    refused: float


@dataclass(frozen=True, slots=True)
class GateChoice:
    """What was found of one degradation in one modality; `minimum` None: no gate, because of `why`.

    `separation` is the score's AUROC between photos of harmful and of harmless grades.
    """

    degradation: str
    unit: str
    score: str
    modality: Modality
    photos: int
    balanced_accuracy: float
    good_refused: float
    minimum: float | None
    why: str
    separation: float | None
    grades: tuple[GradeFigures, ...]


@dataclass(frozen=True, slots=True)
class GradedPhotos:
    """n photos of one modality under one degradation: right bool [grades + 1, n] and score [grades + 1, n], 0 as is."""

    right: NDArray[np.bool_]
    scores: NDArray[np.float64]
    labels: NDArray[np.str_]
    groups: NDArray[np.str_]

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weights [n] of mean 1 that let every class count the same."""
        _, index, counts = np.unique(self.labels, return_inverse=True, return_counts=True)
        weights = 1 / counts[index]
        return np.asarray(weights / weights.mean())


def spread_over_classes(records: Sequence[Record], *, most: int = _MOST_PHOTOS, seed: int = 0) -> list[Record]:
    """At most so many records, the rare classes whole and the others evenly, in their order."""
    rng = np.random.default_rng(seed)
    labels = np.array([record.label for record in records])
    rank = np.zeros(len(records))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        rank[rng.permutation(rows)] = np.arange(len(rows))
    chosen = np.sort(np.argsort(rank, kind="stable")[:most])
    return [records[row] for row in chosen]


def grade_photos(
    classifier: Classifier,
    records: Sequence[Record],
    *,
    degradations: Sequence[Degradation] = DEGRADATIONS,
    workers: int = 1,
    progress: Progress = silence,
) -> dict[str, GradedPhotos]:
    """Ask an ungated classifier about records of one modality in every grade of every degradation, by its name."""
    document = classifier.document
    size_px, codes = document.input.size_px, np.array(document.codes)

    def ask(record: Record) -> list[SeenPhoto]:
        photo = read_rgb(record, model_input_px=size_px)
        return [classifier.classify(each).photos[0] for each in _graded(photo, degradations)]

    with ThreadPoolExecutor(workers) as pool:
        asked = pool.map(ask, records)
        seen = list(progress(asked, what="photos in every grade", total=len(records), unit="photos"))
    labels = np.array([record.label for record in records])
    groups = np.array([record.group for record in records])
    said = [
        [document.probabilities(each.logits, modality=record.modality).argmax() for each in row]
        for row, record in zip(seen, records, strict=True)
    ]
    right = labels == codes[np.array(said)].T
    graded, first = {}, 1
    for degradation in degradations:
        rows = [0, *range(first, first + len(degradation.strengths))]
        scores = np.array([[row[at].gate_scores[degradation.score] for row in seen] for at in rows])
        graded[degradation.name] = GradedPhotos(right[rows], scores, labels, groups)
        first += len(degradation.strengths)
    return graded


def choose_gate(degradation: Degradation, modality: Modality, graded: GradedPhotos) -> GateChoice:
    """The minimum that best tells harmful from harmless grades, where the fall is measurable and the score sees it.

    A grade is harmful from where on every grade costs at least .05 balanced accuracy and the interval excludes none.
    The minimum refuses at most 1 % of the photos as they are and 5 % of those of harmless grades.
    """
    weights = graded.weights
    drops = [
        estimate_mean((graded.right[0].astype(float) - right) * weights, graded.groups) for right in graded.right[1:]
    ]
    harmful = [drop.value >= HARMFUL_DROP and drop.low > 0 for drop in drops]
    first = next((grade for grade in range(len(harmful)) if all(harmful[grade:])), None)
    minimum, separation, why = None, None, "accuracy does not measurably fall"
    if first is not None:
        good, harmless, bad = graded.scores[0], graded.scores[: first + 1].ravel(), graded.scores[first + 1 :].ravel()
        truth = np.concatenate([np.ones(len(harmless)), np.zeros(len(bad))])
        separation = float(roc_auc_score(truth, np.concatenate([harmless, bad])))
        minimum = _minimum(good, harmless, bad, degradation.highest)
        why = "" if minimum is not None else "the score does not tell the photos on which accuracy falls from others"
    return GateChoice(
        degradation=degradation.name,
        unit=degradation.unit,
        score=degradation.score,
        modality=modality,
        photos=len(graded.labels),
        balanced_accuracy=float((graded.right[0] * weights).mean()),
        good_refused=_refused(graded.scores[0], minimum),
        minimum=minimum,
        why=why,
        separation=separation,
        grades=tuple(
            GradeFigures(
                strength=strength,
                balanced_accuracy=float((right * weights).mean()),
                drop=drop,
                is_harmful=first is not None and grade >= first,
                refused=_refused(scores, minimum),
            )
            for grade, (strength, right, scores, drop) in enumerate(
                zip(degradation.strengths, graded.right[1:], graded.scores[1:], drops, strict=True)
            )
        ),
    )


def gates_of(choices: Iterable[GateChoice], degradations: Sequence[Degradation] = DEGRADATIONS) -> tuple[Gate, ...]:
    """The gates that were chosen."""
    reasons: Mapping[str, Degradation] = {each.name: each for each in degradations}
    return tuple(
        Gate(choice.score, choice.minimum, reasons[choice.degradation].reason, choice.modality)
        for choice in choices
        if choice.minimum is not None
    )


def _graded(photo: Photo, degradations: Sequence[Degradation]) -> Iterable[Photo]:
    yield photo
    for degradation in degradations:
        for strength in degradation.strengths:
            yield degradation.apply(photo, strength)


def _minimum(
    good: NDArray[np.float64], harmless: NDArray[np.float64], bad: NDArray[np.float64], highest: float
) -> float | None:
    """The candidate with the best balance of harmful photos refused and harmless ones not (Youden 1950)."""
    candidates = np.unique(np.quantile(np.concatenate([harmless, bad]), np.linspace(0, 1, _CANDIDATES)))
    candidates = np.unique(np.minimum(candidates, highest))
    caught = np.array([(bad < each).mean() for each in candidates])
    lost = np.array([(harmless < each).mean() for each in candidates])
    allowed = (
        (np.array([(good < each).mean() for each in candidates]) <= GOOD_PHOTOS_REFUSED)
        & (lost <= HARMLESS_REFUSED)
        & (caught >= _FEWEST_CAUGHT)
    )
    if not allowed.any():
        return None
    return float(candidates[allowed][np.argmax((caught - lost)[allowed])])


def _refused(scores: NDArray[np.float64], minimum: float | None) -> float:
    return 0.0 if minimum is None else float((scores < minimum).mean())
