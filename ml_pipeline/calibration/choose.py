"""Everything of a model that is chosen after training, chosen on validation photos, with the figures that decided."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import ModelDocument
from ml_models.classification import Modality
from ml_models.patient import PatientEffects
from ml_pipeline.calibration.cases import Cases, answered
from ml_pipeline.calibration.patient_effects import EffectsChoice, choose_effects
from ml_pipeline.calibration.scaling import CalibrationChoice, choose_calibration
from ml_pipeline.calibration.thresholds import (
    NoThreshold,
    ThresholdChoice,
    choose_minimum_confidence,
    choose_threshold,
)
from ml_pipeline.evaluation.metrics import calibration_error

COVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class DomainChoice:
    """What was chosen for one modality; expected calibration errors are of the same validation photos.

    `..._unknown` is with the calibration of a photo of which no gate has found the modality.
    """

    photos: int
    lesions: int
    calibration: CalibrationChoice
    expected_calibration_error_before: float
    expected_calibration_error_after: float
    expected_calibration_error_unknown: float
    threshold: ThresholdChoice | NoThreshold


@dataclass(frozen=True, slots=True)
class Choices:
    """All that was chosen; `patient_effects` is None where no facts are known to fit any on."""

    domains: Mapping[Modality, DomainChoice]
    patient_effects: EffectsChoice | None
    minimum_confidence: float
    coverage: float

    def as_json(self) -> dict[str, Any]:
        """For the provenance in `model.json`. The tables themselves stand where they are used."""
        said = dataclasses.asdict(self)
        if self.patient_effects is not None:
            del said["patient_effects"]["effects"]
            said["patient_effects"]["kept"] = bool(self.patient_effects.effects)
        return said


def choose(draft: ModelDocument, cases: Cases) -> tuple[ModelDocument, Choices]:
    """The draft with calibrations, patient effects, thresholds and minimum confidence, and what spoke for each."""
    scaling = {domain: choose_calibration(cases.take(cases.rows(domain))) for domain in cases.domains}
    calibrated = dataclasses.replace(
        draft,
        calibrations={domain: choice.calibration for domain, choice in scaling.items()},
        patient_effects=PatientEffects(),
        malignancy_thresholds={},
    )
    effects = choose_effects(cases, _scores(calibrated, cases))
    if effects is not None:
        calibrated = dataclasses.replace(calibrated, patient_effects=effects.effects)
    domains = {
        domain: _domain(calibrated, cases.take(cases.rows(domain)), choice) for domain, choice in scaling.items()
    }
    minimum_confidence = min(
        choose_minimum_confidence(answered(calibrated, cases, modality_known=known), coverage=COVERAGE)
        for known in (True, False)
    )
    document = dataclasses.replace(
        calibrated,
        malignancy_thresholds={
            domain: choice.threshold.threshold
            for domain, choice in domains.items()
            if isinstance(choice.threshold, ThresholdChoice)
        },
        minimum_confidence=minimum_confidence,
    )
    return document, Choices(domains, effects, minimum_confidence, COVERAGE)


def _domain(document: ModelDocument, cases: Cases, choice: CalibrationChoice) -> DomainChoice:
    """One modality's threshold and figures: it holds with and without facts, and where no gate knew the modality."""
    uncalibrated = dataclasses.replace(choice.calibration, temperature=1.0, bias={})
    before = dataclasses.replace(document, calibrations=dict.fromkeys(Modality, uncalibrated))
    views = [
        answered(document, cases, with_facts=with_facts, modality_known=modality_known)
        for modality_known in (True, False)
        for with_facts in ((False, True) if document.patient_effects else (False,))
    ]
    unknown = answered(document, cases, modality_known=False)
    return DomainChoice(
        photos=len(cases.labels),
        lesions=len(np.unique(cases.groups)),
        calibration=choice,
        expected_calibration_error_before=calibration_error(answered(before, cases), cases.labels),
        expected_calibration_error_after=calibration_error(views[0], cases.labels),
        expected_calibration_error_unknown=calibration_error(unknown, cases.labels),
        threshold=choose_threshold(cases, [cases.malignant_probability(view) for view in views]),
    )


def _scores(document: ModelDocument, cases: Cases) -> NDArray[np.float64]:
    """Calibrated logits [n, classes], each photo by its own modality."""
    rows = zip(cases.logits, cases.modalities, strict=True)
    return np.stack([document.calibration_for(modality).scaled(logits, cases.codes) for logits, modality in rows])
