"""The gate over chosen answers: every rule refuses for its own reason, and an equal candidate passes."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from ml_models.artefact import ModelDocument
from ml_models.calibration import Calibration
from ml_models.classification import Modality
from ml_models.labels import CATALOGUE, CODES
from ml_models.patient import PatientEffects
from ml_models.preprocess import InputSpec
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.evaluation import EvaluatedModel
from ml_pipeline.promotion.gate import Contender, Contest, judge
from ml_pipeline.promotion.leakage import Leak
from ml_pipeline.promotion.rules import RULES
from ml_pipeline.promotion.served import Served
from ml_pipeline.promotion.verdict import Judged, Outcome, Verdict
from tests.ml_pipeline.evaluation.conftest import MALIGNANT, records_of

PHOTOS = 320
THRESHOLD = 0.3


def _answers(*, wrong: float = 0.2, confidence: float = 0.8, seed: int = 0) -> Answers:
    """Right in all but a share of the photos, said with one confidence; a missed malignant photo is said to be nv."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(len(CODES), dtype=np.int32), PHOTOS // len(CODES))
    said = np.where(rng.random(PHOTOS) < wrong, (labels + 1) % len(CODES), labels)
    probabilities = np.full((PHOTOS, len(CODES)), (1 - confidence) / (len(CODES) - 1))
    probabilities[np.arange(PHOTOS), said] = confidence
    groups = np.array([f"L{row}" for row in range(PHOTOS)])
    return Answers(probabilities, labels, groups, CODES, MALIGNANT, np.full(PHOTOS, THRESHOLD))


def _missing(answers: Answers, code: str, share: float) -> Answers:
    """The same, but so many photos of a class are answered nv."""
    rows = np.flatnonzero(answers.labels == CODES.index(code))
    rows = rows[: round(share * len(rows))]
    probabilities = answers.probabilities.copy()
    probabilities[rows] = 0.01
    probabilities[rows, CODES.index("nv")] = 1 - 0.01 * (len(CODES) - 1)
    return dataclasses.replace(answers, probabilities=probabilities)


def _served(answers: Answers, **shares: float) -> Served:
    """Answers with the first so many photos rejected, uncertain or called safe."""
    flags = {name: np.arange(PHOTOS) < shares.get(name, 0.0) * PHOTOS for name in ("rejected", "uncertain", "safe")}
    return Served(answers, **flags)


def _document(**changes: Any) -> ModelDocument:
    plain = ModelDocument(
        name="model",
        version="1",
        created_at="",
        intended_use="",
        labels=CATALOGUE,
        input=InputSpec(64),
        calibrations={modality: Calibration(1.0) for modality in Modality},
        patient_effects=PatientEffects(),
        malignancy_thresholds=dict.fromkeys(Modality, THRESHOLD),
        prediction_sets={},
        modality_certainty=1.0,
        gates=(),
        gated=(),
        metrics={},
        provenance={},
        files={},
    )
    return dataclasses.replace(plain, **changes)


def _contender(role: str, served: Served, /, **changes: Any) -> Contender:
    model = EvaluatedModel(role, "1", f"digest-{role}", (), {})
    plain = Contender(role, _document(), model, served, leaks=(), gone=0, size_bytes=9_000_000)
    return dataclasses.replace(plain, **changes)


def _verdict(
    candidate: Served,
    *,
    changes: Mapping[str, Any] | None = None,
    champion: Mapping[str, Any] | None = None,
    **contest: Any,
) -> Verdict:
    """A candidate beside the plain champion; `changes` are of the candidate, `champion` of the champion."""
    ordinary = _served(_answers())
    modalities = [tuple(Modality)[row // len(CODES) % 2] for row in range(PHOTOS)]  # every class in both
    plain = Contest(
        champion=_contender("champion", ordinary, **(champion or {})),
        candidate=_contender("candidate", candidate, **(changes or {})),
        records=records_of(ordinary.answers, modalities),
        judged=Judged({}, {}, 0, {}, None, ""),
        latency_ratio=1.0,
        frozen_missing=0.0,
    )
    return judge(dataclasses.replace(plain, **contest), RULES)


def _failed(verdict: Verdict) -> set[str]:
    return {finding.rule for finding in verdict.failed}


def test_judge_an_equal_candidate_passes_every_rule() -> None:
    equal = _served(_answers(wrong=0.0))
    verdict = _verdict(equal, champion={"served": equal})
    assert verdict.passed
    assert {finding.outcome for finding in verdict.findings} == {Outcome.PASSED}
    assert {rule.figure for rule in RULES.figures} < {finding.rule for finding in verdict.findings}


def test_judge_a_worse_candidate_fails_for_its_accuracy_alone() -> None:
    good = _answers(wrong=0.0)
    benign = [index for index in range(len(CODES)) if not MALIGNANT[index]]
    probabilities = good.probabilities.copy()
    for row in np.flatnonzero(~good.is_malignant)[::3]:  # told as another benign class: nothing is missed by it
        said = benign[(benign.index(int(good.labels[row])) + 1) % len(benign)]
        probabilities[row] = (1 - 0.8) / (len(CODES) - 1)
        probabilities[row, said] = 0.8
    worse = _served(dataclasses.replace(good, probabilities=probabilities))
    assert _failed(_verdict(worse, champion={"served": _served(good)})) == {"balanced_accuracy"}


def test_judge_a_miscalibrated_candidate_fails_for_its_calibration_alone() -> None:
    right, overconfident = _answers(wrong=0.2), _answers(wrong=0.2, confidence=0.99)
    low = np.full(PHOTOS, 0.001)  # both flag everything: only what they say of themselves differs
    champion = _served(dataclasses.replace(right, thresholds=low))
    verdict = _verdict(_served(dataclasses.replace(overconfident, thresholds=low)), champion={"served": champion})
    assert _failed(verdict) == {"expected_calibration_error"}


@pytest.mark.parametrize(
    ("code", "failed"),
    [("mel", "melanoma_sensitivity_at_threshold"), ("bcc", "malignant_sensitivity_at_threshold")],
)
def test_judge_a_candidate_that_misses_malignant_lesions_fails_for_them(code: str, failed: str) -> None:
    good = _answers(wrong=0.0)
    verdict = _verdict(_served(_missing(good, code, 0.3)), champion={"served": _served(good)})
    assert failed in _failed(verdict)


def test_judge_melanomas_missed_by_both_alike_fail_the_floor() -> None:
    blind = _served(_missing(_answers(wrong=0.0), "mel", 0.3))
    verdict = _verdict(blind, champion={"served": blind})
    assert _failed(verdict) == {"melanoma_sensitivity_at_threshold_floor", "malignant_sensitivity_at_threshold_floor"}


@pytest.mark.parametrize(("share", "more"), [("rejected", 0.1), ("uncertain", 0.15)], ids=["rejected", "uncertain"])
def test_judge_a_candidate_that_answers_less_fails_for_it(share: str, more: float) -> None:
    good = _answers(wrong=0.0)
    assert _failed(_verdict(_served(good, **{share: more}), champion={"served": _served(good)})) == {share}


def test_judge_malignant_photos_called_safe_fail_whatever_the_threshold_says() -> None:
    good = _answers(wrong=0.0)
    assert _failed(_verdict(_served(good, safe=0.1), champion={"served": _served(good)})) == {"malignant_called_safe"}


@pytest.mark.parametrize(
    ("changes", "contest", "failed"),
    [
        ({"leaks": (Leak("photo-001", "other-001", "copies of one photograph"),)}, {}, "candidate_unseen_test"),
        ({"leaks": None}, {}, "candidate_unseen_test"),
        ({"size_bytes": 15_000_001}, {}, "size"),
        ({}, {"latency_ratio": 2.01}, "latency"),
        ({}, {"frozen_missing": 0.02}, "frozen_test"),
        (
            {"document": _document(malignancy_thresholds={Modality.DERMATOSCOPIC: THRESHOLD})},
            {},
            "thresholds_kept",
        ),
    ],
    ids=["leaking", "of unknown training", "large", "slow", "another test", "without a threshold"],
)
def test_judge_refuses_for_its_own_reason(changes: dict[str, Any], contest: dict[str, Any], failed: str) -> None:
    good = _served(_answers(wrong=0.0))
    verdict = _verdict(good, champion={"served": good}, changes=changes, **contest)
    assert _failed(verdict) == {failed}
    assert len(verdict.as_json()["reasons"]) == 1


def test_judge_a_champion_that_has_seen_the_test_is_said_as_such() -> None:
    good = _served(_answers(wrong=0.0))
    leaking = {"served": good, "leaks": (Leak("photo-001", "photo-001", "the same photo"),)}
    assert _failed(_verdict(good, champion=leaking)) == {"champion_unseen_test"}


def test_judge_other_classes_are_not_compared_but_refused() -> None:
    good = _served(_answers(wrong=0.0))
    verdict = _verdict(good, champion={"served": good, "document": _document(labels=CATALOGUE[:-1])})
    assert _failed(verdict) == {"label_set"}
    assert not {finding.rule for finding in verdict.findings} & {rule.figure for rule in RULES.figures}


def test_judge_a_test_of_a_few_lesions_proves_nothing() -> None:
    good = _served(_answers(wrong=0.0))
    one = dataclasses.replace(good.answers, groups=np.array([f"L{row % 8}" for row in range(PHOTOS)]))
    few = dataclasses.replace(good, answers=one)
    verdict = _verdict(few, champion={"served": few}, records=records_of(one))
    assert "enough_lesions" in _failed(verdict)


def test_judge_a_threshold_for_photos_that_the_test_lacks_is_refused() -> None:
    good = _served(_answers(wrong=0.0))
    verdict = _verdict(good, champion={"served": good}, records=records_of(good.answers))
    (finding,) = verdict.failed
    assert (finding.rule, "no clinical photos" in finding.said) == ("enough_lesions", True)


def test_judge_without_any_threshold_says_that_nothing_is_called_safe() -> None:
    plain = dataclasses.replace(_answers(wrong=0.0), thresholds=None)
    silent = {"document": _document(malignancy_thresholds={}), "served": _served(plain)}
    verdict = _verdict(_served(plain), champion=silent, changes=silent)
    assert verdict.passed
    unjudged = {finding.rule for finding in verdict.findings if finding.outcome is Outcome.NOT_JUDGED}
    assert unjudged == {"malignant_sensitivity_at_threshold", "melanoma_sensitivity_at_threshold"}


def test_judge_gone_training_photos_are_counted() -> None:
    good = _served(_answers(wrong=0.0))
    verdict = _verdict(good, champion={"served": good}, changes={"gone": 7})
    assert "7 photos" in verdict.findings[0].said


def test_rules_all_have_a_reason() -> None:
    for rule in (*RULES.figures, *RULES.shares, *RULES.floors):
        assert rule.reason.endswith(".")
