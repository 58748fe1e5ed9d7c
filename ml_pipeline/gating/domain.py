"""Is it a photo of a lesion, and of which kind: which detector tells best, and from which score on it is believed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from ml_models.calibration import softmax
from ml_models.classification import Modality, ReasonCode, SeenPhoto
from ml_models.gates import Gate
from ml_pipeline.errors import PipelineError

ACCEPTED_LESIONS = (0.995, 0.99, 0.98, 0.97, 0.96, 0.95)  # the first at which few enough others are accepted
OTHERS_ACCEPTED = 0.01  # of a source, or one photo of a small one
LEAST_CERTAINTY = 0.9  # of a modality, however few photos are taken for another one: they may be few by chance
MODALITY_ERRORS = 0.005  # of the photos whose modality is believed
HEAD = "lesion_photo"
Detector = Callable[[Sequence[SeenPhoto]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Separation:
    """How well one detector tells lesions from one source of other photos, on the photos of the choice."""

    detector: str
    source: str
    photos: int
    auroc: float
    accepted_at_95: float  # share of the source that is accepted where 95 % of the lesions are


@dataclass(frozen=True, slots=True)
class DomainChoice:
    """The gate, and what spoke for it; `lesions_accepted` by modality, `others_accepted` by source, on validation.

    `certainty` is the share from which on a modality is believed; `certain` and `wrong` are shares of validation
    photos: believed, and wrong among the believed.
    """

    separations: tuple[Separation, ...]
    gate: Gate
    lesions_accepted: Mapping[Modality, float]
    others_accepted: Mapping[str, float]
    certainty: float
    certain: Mapping[Modality, float]
    wrong: Mapping[Modality, float]


def detectors(embeddings: NDArray[np.float32], classes: NDArray[np.str_]) -> dict[str, Detector]:
    """Scores that are high for lesions: the trained head, energy, distance to the classes, top probability.

    `embeddings` [n, dimensions] of training photos and their `classes` [n] are what the distance is to (Lee 2018,
    Mahalanobis with one shared covariance); energy is that of Liu 2020, top probability Hendrycks 2017.
    """
    names, index = np.unique(classes, return_inverse=True)
    means = np.stack([embeddings[index == each].mean(axis=0) for each in range(len(names))])
    precision = LedoitWolf().fit(embeddings - means[index]).precision_

    def distance(seen: Sequence[SeenPhoto]) -> NDArray[np.float64]:
        away = np.stack([each.embedding for each in seen])[:, np.newaxis] - means
        return np.asarray(-np.einsum("nmd,de,nme->nm", away, precision, away).min(axis=1))

    return {
        "trained head": lambda seen: np.array([each.gate_scores[HEAD] for each in seen]),
        "energy": lambda seen: logsumexp(_logits(seen), axis=1),
        "distance to the classes": distance,
        "top probability": lambda seen: softmax(_logits(seen)).max(axis=1),
    }


def separations(
    named: Mapping[str, Detector], lesions: Sequence[SeenPhoto], others: Mapping[str, Sequence[SeenPhoto]]
) -> tuple[Separation, ...]:
    """Every detector on every source of other photos."""
    rows = []
    for detector, score in named.items():
        ours = score(lesions)
        for source, seen in others.items():
            theirs = score(seen)
            truth = np.concatenate([np.ones(len(ours)), np.zeros(len(theirs))])
            auroc = float(roc_auc_score(truth, np.concatenate([ours, theirs])))
            rows.append(
                Separation(detector, source, len(seen), auroc, float((theirs >= np.quantile(ours, 0.05)).mean()))
            )
    return tuple(rows)


def choose_domain(
    named: Mapping[str, Detector],
    lesions: Sequence[SeenPhoto],
    modalities: Sequence[Modality],
    others: Mapping[str, Sequence[SeenPhoto]],
) -> DomainChoice:
    """Gate and certainty from validation lesions, whose `modalities` are known, and validation photos of others.

    The gate accepts as many lesions of every modality as it can while at most 1 % of any other source, or one photo of
    a small one, passes. Raises
    PipelineError where another detector than the head, the only one that the network carries, were clearly better.
    """
    table = separations(named, lesions, others)
    worst = {name: min(each.auroc for each in table if each.detector == name) for name in named}
    best = max(worst, key=lambda name: worst[name])
    if worst["trained head"] < worst[best]:
        raise PipelineError(f"The {best} tells lesions better than the trained head: {worst}. Export without gates.")
    scores = named["trained head"](lesions)
    theirs = {source: named["trained head"](seen) for source, seen in others.items()}
    kinds = np.array(modalities)
    minimum = next(
        (
            each
            for each in (_accepting(scores, kinds, share) for share in ACCEPTED_LESIONS)
            if all((found >= each).sum() <= max(1, OTHERS_ACCEPTED * len(found)) for found in theirs.values())
        ),
        _accepting(scores, kinds, ACCEPTED_LESIONS[-1]),
    )
    certainty, said = _certainty(lesions, modalities)
    return DomainChoice(
        separations=table,
        gate=Gate(HEAD, minimum, ReasonCode.NOT_A_LESION),
        lesions_accepted={each: float((scores[kinds == each] >= minimum).mean()) for each in dict.fromkeys(modalities)},
        others_accepted={source: float((found >= minimum).mean()) for source, found in theirs.items()},
        certainty=certainty,
        certain=said[0],
        wrong=said[1],
    )


def _accepting(scores: NDArray[np.float64], kinds: NDArray[np.str_], share: float) -> float:
    """The score that so many lesions of every modality reach, rounded down."""
    lowest = min(np.quantile(scores[kinds == each], 1 - share, method="lower") for each in np.unique(kinds))
    return float(np.floor(lowest * 1e6) / 1e6)


def _certainty(
    lesions: Sequence[SeenPhoto], modalities: Sequence[Modality]
) -> tuple[float, tuple[dict[Modality, float], dict[Modality, float]]]:
    """The lowest certainty with at most .5 % wrong among the believed photos of every modality, and its figures.

    `lesions` must have been asked with a certainty of nothing, so that each has the likelier modality.
    """
    right = np.array([each.modality is kind for each, kind in zip(lesions, modalities, strict=True)])
    scores = np.array([each.gate_scores["modality_certainty"] for each in lesions])
    kinds = np.array(modalities)
    names = list(dict.fromkeys(modalities))

    def wrong(certainty: float, kind: Modality) -> float:
        believed = (kinds == kind) & (scores >= certainty)
        return float((~right[believed]).mean()) if believed.any() else 0.0

    candidates = np.unique(np.concatenate([[LEAST_CERTAINTY], scores[~right & (scores >= LEAST_CERTAINTY)]]))
    above = [LEAST_CERTAINTY, *(float(np.nextafter(each, 2)) for each in candidates)]
    certainty = next(each for each in above if all(wrong(each, kind) <= MODALITY_ERRORS for kind in names))
    if certainty > 1:
        raise PipelineError("Photos are taken for the other modality with full certainty. Export without gates.")
    believed = {kind: float((scores[kinds == kind] >= certainty).mean()) for kind in names}
    return certainty, (believed, {kind: wrong(certainty, kind) for kind in names})


def _logits(seen: Sequence[SeenPhoto]) -> NDArray[np.float64]:
    return np.stack([each.logits for each in seen]).astype(np.float64)
