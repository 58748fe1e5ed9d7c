"""What people would have been told: rejected, unsure, safe, and what gating does to accuracy and missed malignancies.

Everything is as served: the modality is what the gate found, and the photo alone was judged.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml_models.artefact import ModelDocument
from ml_models.classification import Classification, Modality, Status
from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.bootstrap import Estimate, estimate, estimate_share
from ml_pipeline.evaluation.evaluate import answers_of
from ml_pipeline.evaluation.metrics import photo_metrics

_COVERAGES = tuple(round(0.05 * step, 2) for step in range(2, 21))
_COMPARED = ("balanced_accuracy", "balanced_accuracy_seven_classes", "accuracy", "expected_calibration_error")

# What tables say of one domain, and the field that holds it.
ROWS = (
    ("photos", "photos"),
    ("rejected", "rejected"),
    ("uncertain", "uncertain"),
    ("status ok", "ok"),
    ("called safe", "safe"),
    ("of malignant photos called safe", "malignant_called_safe"),
    ("malignant lesions", "malignant_lesions"),
    ("malignant lesions called safe", "missed_lesions"),
    ("modality found", "modality_right"),
    ("modality unsure", "modality_unsure"),
    ("true class in the prediction set", "set_coverage"),
    ("the same of malignant photos", "malignant_set_coverage"),
    ("classes in the set", "mean_set_size"),
)


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """The most certain `coverage` of the photos: accuracy, and the share of all malignant photos called benign."""

    coverage: float
    accuracy: float
    malignant_missed: float


@dataclass(frozen=True, slots=True)
class Served:
    """One domain as served. `figures` are of all photos, of those not rejected and of those with status ok.

    `malignant_called_safe` is the share of the malignant photos with `isSafe` true, and `missed_lesions` how many
    lesions that are; both None where malignancy is not known. `modality_...` are shares of the photos. Coverages are
    of the prediction sets of photos that are not rejected.
    """

    photos: int
    rejected: Estimate
    reasons: dict[str, int]
    uncertain: Estimate
    ok: Estimate
    safe: Estimate
    figures: dict[str, dict[str, Estimate]]
    malignant_called_safe: Estimate | None
    missed_lesions: int | None
    malignant_lesions: int | None
    modality_right: float
    modality_unsure: float
    set_coverage: Estimate | None
    malignant_set_coverage: Estimate | None
    mean_set_size: float | None
    risk: tuple[RiskPoint, ...]


def measure_served(
    document: ModelDocument, given: Sequence[Classification], records: Sequence[Record]
) -> dict[Modality, Served]:
    """Measure each domain, by what the records say a photo is; `given` are the answers, parallel."""
    answers = served_answers(document, given, records)
    domains = {}
    for modality in Modality:
        rows = np.flatnonzero([record.modality is modality for record in records])
        if rows.size:
            domains[modality] = _served(modality, answers.take(rows), [given[int(row)] for row in rows])
    return domains


def served_answers(document: ModelDocument, given: Sequence[Classification], records: Sequence[Record]) -> Answers:
    """Probabilities with the modality that the gate found, of rejected photos too."""
    logits = np.stack([each.photos[0].logits for each in given])
    return answers_of(document, logits, records, [each.photos[0].modality for each in given])


def _served(modality: Modality, answers: Answers, given: Sequence[Classification]) -> Served:
    status = np.array([each.decision.status for each in given])
    safe = np.array([each.decision.is_safe for each in given])
    usable, sure = status != Status.REJECTED, status == Status.OK
    malignant = answers.is_malignant
    known = answers.malignancy_known and bool(malignant.any())
    found = [each.photos[0].modality for each in given]
    true = [answers.codes[label] for label in answers.labels]
    covered = np.array([label in each.decision.possible for label, each in zip(true, given, strict=True)])
    sizes = np.array([len(each.decision.possible) for each in given])
    return Served(
        photos=len(given),
        rejected=estimate_share(~usable, answers.groups),
        reasons=dict(Counter(reason.value for each in given for reason in each.photos[0].rejections).most_common()),
        uncertain=estimate_share(status == Status.UNCERTAIN, answers.groups),
        ok=estimate_share(sure, answers.groups),
        safe=estimate_share(safe, answers.groups),
        figures={
            name: _figures(answers.take(np.flatnonzero(rows)))
            for name, rows in (("all photos", np.ones(len(given), bool)), ("not rejected", usable), ("ok", sure))
            if rows.any()
        },
        malignant_called_safe=estimate_share(safe[malignant], answers.groups[malignant]) if known else None,
        missed_lesions=len(np.unique(answers.groups[malignant & safe])) if known else None,
        malignant_lesions=len(np.unique(answers.groups[malignant])) if known else None,
        modality_right=float(np.mean([each is modality for each in found])),
        modality_unsure=float(np.mean([each is None for each in found])),
        set_coverage=estimate_share(covered[usable], answers.groups[usable]) if usable.any() else None,
        malignant_set_coverage=estimate_share(covered[usable & malignant], answers.groups[usable & malignant])
        if known and (usable & malignant).any()
        else None,
        mean_set_size=float(sizes[usable].mean()) if usable.any() else None,
        risk=_risk(answers) if answers.malignancy_known else (),
    )


def _figures(answers: Answers) -> dict[str, Estimate]:
    return estimate(answers, {name: each for name, each in photo_metrics(answers).items() if name in _COMPARED})


def _risk(answers: Answers) -> tuple[RiskPoint, ...]:
    """Accuracy and missed malignancies when only the most certain photos, by top probability, are answered."""
    order = np.argsort(-answers.probabilities.max(axis=1), kind="stable")
    right = (answers.predicted == answers.labels)[order]
    missed = (answers.is_malignant & ~answers.malignant[answers.predicted])[order]
    malignant = max(1, int(answers.is_malignant.sum()))
    points = []
    for coverage in _COVERAGES:
        count = max(1, round(coverage * len(order)))
        points.append(RiskPoint(coverage, float(right[:count].mean()), float(missed[:count].sum() / malignant)))
    return tuple(points)
