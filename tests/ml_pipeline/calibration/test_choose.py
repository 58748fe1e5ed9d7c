"""All choices together: they hold however the server will be asked."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

from ml_models.artefact import ModelDocument
from ml_models.classification import Modality
from ml_models.classifier import Classifier
from ml_models.labels import BY_CODE
from ml_models.patient import NOBODY, AgeBand, PatientEffects, PatientFacts, Sex, Site
from ml_pipeline.calibration.cases import Cases, answered
from ml_pipeline.calibration.choose import Choices, choose
from ml_pipeline.calibration.prediction_sets import COVERAGE
from ml_pipeline.calibration.thresholds import NoThreshold, ThresholdChoice

PHOTOS = 4_000
ONE_MALIGNANT = tuple(BY_CODE[code] for code in ("bkl", "df", "mel", "nv", "vasc"))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What `choose` needs of a choice of patient effects."""

    effects: PatientEffects


@pytest.fixture(scope="module")
def cases() -> Cases:
    """Two domains, of which the network is three times too sure in the clinical one."""
    rng = np.random.default_rng(9)
    right = rng.normal(0, 16, (PHOTOS, len(ONE_MALIGNANT)))
    clinical = np.arange(PHOTOS) % 2 == 1
    return Cases(
        logits=right * np.where(clinical, 3, 1)[:, np.newaxis],
        labels=(right + rng.gumbel(0, 1, right.shape)).argmax(axis=1).astype(np.int32),
        groups=np.arange(PHOTOS).astype(str),
        modalities=tuple(Modality.CLINICAL if each else Modality.DERMATOSCOPIC for each in clinical),
        patients=(NOBODY,) * PHOTOS,
        classes=ONE_MALIGNANT,
    )


@pytest.fixture(scope="module")
def chosen(cases: Cases, shipped_classifier: Classifier) -> tuple[ModelDocument, Choices]:
    """A document with everything chosen."""
    return choose(dataclasses.replace(shipped_classifier.document, labels=cases.classes), cases)


def test_choose_each_domain_gets_its_temperature(chosen: tuple[ModelDocument, Choices]) -> None:
    temperatures = {modality: each.temperature for modality, each in chosen[0].calibrations.items()}
    assert temperatures[Modality.DERMATOSCOPIC] == pytest.approx(1, rel=0.2)
    assert temperatures[Modality.CLINICAL] == pytest.approx(3, rel=0.2)


def test_choose_calibration_error_falls_where_the_network_was_too_sure(chosen: tuple[ModelDocument, Choices]) -> None:
    clinical = chosen[1].domains[Modality.CLINICAL]
    assert clinical.expected_calibration_error_after < clinical.expected_calibration_error_before
    dermatoscopic = chosen[1].domains[Modality.DERMATOSCOPIC]
    assert dermatoscopic.expected_calibration_error_unknown > dermatoscopic.expected_calibration_error_after


def test_choose_threshold_is_judged_with_the_modality_known_and_unknown(
    cases: Cases, shipped_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[list[np.ndarray]] = []

    def spy(part: Cases, views: list[np.ndarray]) -> NoThreshold:
        judged.append(views)
        return NoThreshold("only looking")

    monkeypatch.setattr("ml_pipeline.calibration.choose.choose_threshold", spy)
    document, _ = choose(dataclasses.replace(shipped_classifier.document, labels=cases.classes), cases)
    part = cases.take(cases.rows(Modality.DERMATOSCOPIC))
    ways = [part.malignant_probability(answered(document, part, modality_known=known)) for known in (True, False)]
    assert not np.allclose(*ways)
    assert [view.tolist() for view in judged[0]] == [way.tolist() for way in ways]


def test_choose_threshold_holds_whichever_facts_a_person_tells(
    cases: Cases, shipped_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Age and site cancel out: a person who tells both is answered as one who tells none.
    towards, away = ({code: sign * 3.0 * (code == "mel") for code in cases.codes} for sign in (1, -1))
    effects = PatientEffects(age={AgeBand.FROM_80: towards}, site={Site.TORSO: away})
    some = cases.take(np.arange(1_000))
    told = dataclasses.replace(some, patients=(PatientFacts(85, Sex.MALE, Site.TORSO),) * len(some.labels))
    monkeypatch.setattr("ml_pipeline.calibration.choose.choose_effects", lambda *_: _Kept(effects))
    document, choices = choose(dataclasses.replace(shipped_classifier.document, labels=cases.classes), told)
    for domain in told.domains:
        part = told.take(told.rows(domain))
        malignant = part.is_malignant
        for facts in ((), ("age_years",), ("site",), ("sex",), ("age_years", "site")):
            shown = part.malignant_probability(answered(document, part, told=facts))
            assert (shown[malignant] >= document.malignancy_thresholds[domain]).mean() >= 0.95, (domain, facts)
        threshold = choices.domains[domain].threshold
        assert isinstance(threshold, ThresholdChoice)
        assert threshold.sensitivity_lower_bound >= 0.95


def test_choose_prediction_sets_hold_with_modality_known_and_unknown(
    cases: Cases, chosen: tuple[ModelDocument, Choices]
) -> None:
    document, choices = chosen
    for domain, choice in choices.domains.items():
        part = cases.take(cases.rows(domain))
        assert document.prediction_sets[domain] == choice.prediction_set.minimum
        for known in (True, False):
            true = answered(document, part, modality_known=known)[np.arange(len(part.labels)), part.labels]
            for kind in (part.is_malignant, ~part.is_malignant):
                assert (true[kind] >= choice.prediction_set.minimum).mean() >= COVERAGE


def test_choose_as_json_says_whether_facts_are_used_and_leaves_the_tables_out(
    chosen: tuple[ModelDocument, Choices],
) -> None:
    assert chosen[1].as_json()["patient_effects"] is None
