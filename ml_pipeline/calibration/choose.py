"""Everything of a model that is chosen after training, chosen on validation photos, with the figures that decided."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import ModelDocument
from ml_models.classification import Modality
from ml_models.patient import PatientEffects
from ml_pipeline.calibration.cases import Cases, answered
from ml_pipeline.calibration.patient_effects import EffectsChoice, choose_effects
from ml_pipeline.calibration.prediction_sets import COVERAGE, SetChoice, choose_prediction_set
from ml_pipeline.calibration.scaling import CalibrationChoice, choose_calibration
from ml_pipeline.calibration.thresholds import NoThreshold, ThresholdChoice, choose_threshold
from ml_pipeline.evaluation.metrics import calibration_error


@dataclass(frozen=True, slots=True)
class DomainChoice:
    """What was chosen for one modality; calibration errors are of the same validation photos.

    `..._unknown` is with the calibration of a photo of which no gate has found the modality.
    """

    photos: int
    lesions: int
    calibration: CalibrationChoice
    expected_calibration_error_before: float
    expected_calibration_error_after: float
    expected_calibration_error_unknown: float
    threshold: ThresholdChoice | NoThreshold
    prediction_set: SetChoice


@dataclass(frozen=True, slots=True)
class Choices:
    """All that was chosen; `patient_effects` is None where no facts are known to fit any on.

    `coverage` is what the prediction sets aim at, among malignant and among benign lesions of each modality.
    """

    domains: Mapping[Modality, DomainChoice]
    patient_effects: EffectsChoice | None
    coverage: float

    def as_json(self) -> dict[str, Any]:
        """For the provenance in `model.json`. The tables themselves stand where they are used."""
        said = dataclasses.asdict(self)
        if self.patient_effects is not None:
            del said["patient_effects"]["effects"]
            said["patient_effects"]["kept"] = bool(self.patient_effects.effects)
        return said


def choose(draft: ModelDocument, cases: Cases) -> tuple[ModelDocument, Choices]:
    """The draft with calibrations, patient effects, thresholds and prediction sets, and what spoke for each."""
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
    document = dataclasses.replace(
        calibrated,
        malignancy_thresholds={
            domain: choice.threshold.threshold
            for domain, choice in domains.items()
            if isinstance(choice.threshold, ThresholdChoice)
        },
        prediction_sets={domain: choice.prediction_set.minimum for domain, choice in domains.items()},
    )
    return document, Choices(domains, effects, COVERAGE)


def _domain(document: ModelDocument, cases: Cases, choice: CalibrationChoice) -> DomainChoice:
    """One modality's choices: they hold whichever facts are told, and where no gate knew the modality."""
    uncalibrated = dataclasses.replace(choice.calibration, temperature=1.0, bias={})
    before = dataclasses.replace(document, calibrations=dict.fromkeys(Modality, uncalibrated))
    views = [
        answered(document, cases, told=told, modality_known=modality_known)
        for modality_known in (True, False)
        for told in _tellings(document.patient_effects)
    ]
    known, unknown = (answered(document, cases, modality_known=each) for each in (True, False))
    return DomainChoice(
        photos=len(cases.labels),
        lesions=len(np.unique(cases.groups)),
        calibration=choice,
        expected_calibration_error_before=calibration_error(answered(before, cases), cases.labels),
        expected_calibration_error_after=calibration_error(known, cases.labels),
        expected_calibration_error_unknown=calibration_error(unknown, cases.labels),
        threshold=choose_threshold(cases, [cases.malignant_probability(view) for view in views]),
        prediction_set=choose_prediction_set(cases, views),
    )


def _tellings(effects: PatientEffects) -> list[tuple[str, ...]]:
    """Which of the facts that move an answer a person may tell: none, each alone, any several."""
    tables = {"age_years": effects.age, "sex": effects.sex, "site": effects.site}
    used = [fact for fact, table in tables.items() if table]
    return [told for count in range(len(used) + 1) for told in combinations(used, count)]


def _scores(document: ModelDocument, cases: Cases) -> NDArray[np.float64]:
    """Calibrated logits [n, classes], each photo by its own modality."""
    rows = zip(cases.logits, cases.modalities, strict=True)
    return np.stack([document.calibration_for(modality).scaled(logits, cases.codes) for logits, modality in rows])
