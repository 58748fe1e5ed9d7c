"""What `model.json` says was measured: the test split, each domain on its own, with and without patient facts."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ml_models.artefact import ModelDocument
from ml_models.classification import Classification, Modality
from ml_models.patient import PatientFacts
from ml_pipeline.calibration.cases import cases_from
from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.bootstrap import Estimate, Gain, estimate, gains
from ml_pipeline.evaluation.evaluate import answers_from, logits_of
from ml_pipeline.evaluation.measure import Domain, measure
from ml_pipeline.evaluation.metrics import photo_metrics
from ml_pipeline.evaluation.served import measure_served
from ml_pipeline.evaluation.slices import Slice

TEST_SPLIT = "test split: held-out lesions that neither training nor any choice has seen"
VALIDATION_SPLIT = "validation split: lesions that early stopping and everything after training were chosen on"
INTERVALS = "95 % bootstrap by lesion"
_GAINED = ("balanced_accuracy", "malignant_auc", "expected_calibration_error", "brier_score")
_UNKNOWN = (
    "balanced_accuracy",
    "accuracy",
    "expected_calibration_error",
    "malignant_sensitivity_at_threshold",
    "malignant_specificity_at_threshold",
    "melanoma_sensitivity_at_threshold",
)


def measured(
    document: ModelDocument,
    given: Sequence[Classification],
    test: Sequence[Record],
    *,
    validation_balanced_accuracy: float,
) -> dict[str, Any]:
    """`metrics` of `model.json`: headline figures and slices by domain; `given` are the answers to the test photos.

    The headline is without patient facts; `with_patient_facts` stands beside it where the model uses any. `slices` are
    by what is known of photo and person.
    """
    logits, served = logits_of(given), measure_served(document, given, test)
    plain, cases = answers_from(document, logits, test), cases_from(document, logits, test)
    with_facts = answers_from(document, logits, test, patient_facts=True) if document.patient_effects else None
    unknown = answers_from(document, logits, test, modality_known=False)
    by_name = {domain.name: domain for domain in measure(plain, test)}
    domains = [by_name[modality] for modality in cases.domains]
    blocks, sliced = {}, {}
    for domain in domains:
        rows = np.flatnonzero([record.modality == domain.name for record in test])
        blocks[domain.name] = _block(domain)
        blocks[domain.name]["modality_unknown"] = _estimates(_some(unknown.take(rows), _UNKNOWN))
        blocks[domain.name]["as_served"] = dataclasses.asdict(served[Modality(domain.name)])
        if with_facts is not None:
            known = sum(_tells_a_fact(cases.patients[row]) for row in rows)
            blocks[domain.name]["with_patient_facts"] = _with_facts(plain.take(rows), with_facts.take(rows), known)
        sliced[domain.name] = [_slice(each) for each in domain.slices]
    return {
        "test": blocks,
        "slices": sliced,
        "validation": {
            "split": VALIDATION_SPLIT,
            "balanced_accuracy_uncalibrated": validation_balanced_accuracy,
        },
    }


def _block(domain: Domain) -> dict[str, Any]:
    return {
        "split": TEST_SPLIT,
        "photos": domain.photos,
        "lesions": domain.lesions,
        "intervals": INTERVALS,
        **_estimates(domain.figures),
        "left_out": dict(domain.left_out),
        "per_class": {
            each.code: {"photos": each.photos, "lesions": each.lesions, **_estimates(each.figures)}
            for each in domain.classes
        },
    }


def _with_facts(without: Answers, with_facts: Answers, known: int) -> dict[str, Any]:
    """The same photos with what the records tell of age, sex and site, and the paired gain."""
    named = {name: metric for name, metric in photo_metrics(without).items() if name in _GAINED}
    return {
        "photos_with_a_fact": known,
        **_estimates(estimate(with_facts, photo_metrics(with_facts))),
        "gains": {name: _gain(each) for name, each in gains(without, with_facts, named).items()},
    }


def _some(answers: Answers, names: Sequence[str]) -> dict[str, Estimate]:
    return estimate(answers, {name: metric for name, metric in photo_metrics(answers).items() if name in names})


def _slice(each: Slice) -> dict[str, Any]:
    figures = {name: None if value is None else dataclasses.asdict(value) for name, value in each.figures.items()}
    return {"fact": each.fact, "value": each.value, "photos": each.photos, "lesions": each.lesions, **figures}


def _gain(gain: Gain) -> dict[str, float]:
    return {**dataclasses.asdict(gain.difference), "not_better": gain.not_better}


def _estimates(figures: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: dataclasses.asdict(each) for name, each in figures.items()}


def _tells_a_fact(facts: PatientFacts) -> bool:
    return any(known is not None for known in (facts.age_band, facts.sex, facts.site))
