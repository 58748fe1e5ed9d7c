"""Validation photos whose logits, labels and facts are drawn, so that what a fit must find is known."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from ml_models.calibration import softmax
from ml_models.classification import Modality
from ml_models.labels import BY_CODE, Label
from ml_models.patient import NOBODY, PatientFacts
from ml_pipeline.calibration.cases import Cases

CLASSES: tuple[Label, ...] = tuple(BY_CODE[code] for code in ("bcc", "mel", "nv"))


def drawn_cases(
    photos: int,
    *,
    temperature: float = 1.0,
    bias: NDArray[np.float64] | None = None,
    patients: tuple[PatientFacts, ...] = (),
    evidence: NDArray[np.float64] | None = None,
    clinical_share: float = 0.0,
    seed: int = 0,
) -> Cases:
    """`photos` cases of three classes, each photo its own lesion.

    Labels are drawn from softmax(logits / temperature + bias + evidence); `evidence` [n, classes] is what the facts are
    worth.
    """
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (photos, len(CLASSES)))
    scores = logits / temperature + (0 if bias is None else bias) + (0 if evidence is None else evidence)
    labels = (softmax(scores).cumsum(axis=1) > rng.random((photos, 1))).argmax(axis=1)
    clinical = rng.random(photos) < clinical_share
    return Cases(
        logits=logits,
        labels=labels.astype(np.int32),
        groups=np.array([f"lesion-{index}" for index in range(photos)]),
        modalities=tuple(Modality.CLINICAL if each else Modality.DERMATOSCOPIC for each in clinical),
        patients=patients or (NOBODY,) * photos,
        classes=CLASSES,
    )


def with_scores(cases: Cases, malignant_probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities [n, classes] with that sum over bcc and mel."""
    half = malignant_probability / 2
    return np.column_stack([half, half, 1 - malignant_probability])


def relabelled(cases: Cases, codes: list[str], groups: NDArray[np.str_] | None = None) -> Cases:
    """The same photos with these classes."""
    labels = np.array([cases.codes.index(code) for code in codes], np.int32)
    return dataclasses.replace(cases, labels=labels, groups=cases.groups if groups is None else groups)
