"""Offsets for what is known of a person: found where they are there, left out where they are not."""

import dataclasses

import numpy as np
import pytest

from ml_models.classification import Modality
from ml_models.patient import NOBODY, AgeBand, PatientFacts, Sex, Site
from ml_pipeline.calibration.cases import Cases
from ml_pipeline.calibration.patient_effects import _VALUES, _design, _fit, choose_effects
from tests.ml_pipeline.calibration.drawn import CLASSES, drawn_cases

PHOTOS = 600
WORTH = {Sex.MALE: np.array([0.0, 1.5, -1.5]), Sex.FEMALE: np.array([0.0, -1.5, 1.5])}


def _sexes(seed: int = 1) -> tuple[PatientFacts, ...]:
    drawn = np.random.default_rng(seed).integers(0, 2, PHOTOS)
    return tuple(PatientFacts(sex=tuple(Sex)[each]) for each in drawn)


def _telling(clinical_share: float = 0.0, **more: object) -> Cases:
    """Photos of men and women, whose sex says something about the class."""
    patients = _sexes()
    evidence = np.array([WORTH[facts.sex] for facts in patients if facts.sex is not None])
    return drawn_cases(PHOTOS, patients=patients, evidence=evidence, clinical_share=clinical_share, **more)  # type: ignore[arg-type]


def test_choose_effects_finds_what_a_fact_is_worth() -> None:
    cases = _telling()
    choice = choose_effects(cases, cases.logits)
    assert choice is not None
    male, female = choice.effects.sex[Sex.MALE], choice.effects.sex[Sex.FEMALE]
    assert male["mel"] - male["nv"] - (female["mel"] - female["nv"]) == pytest.approx(6, abs=1.5)
    assert choice.improvements[Modality.DERMATOSCOPIC].is_clear
    domain = Modality.DERMATOSCOPIC
    assert choice.balanced_accuracy_with[domain] > choice.balanced_accuracy_without[domain]


def test_choose_effects_fact_that_says_nothing_is_left_out() -> None:
    cases = drawn_cases(PHOTOS, patients=_sexes())
    choice = choose_effects(cases, cases.logits)
    assert choice is None or not choice.effects


def test_choose_effects_nobody_known_is_none() -> None:
    cases = drawn_cases(PHOTOS)
    assert choose_effects(cases, cases.logits) is None


def test_choose_effects_rare_value_gets_no_row() -> None:
    cases = _telling()
    rare = tuple(
        dataclasses.replace(facts, site=Site.GENITAL if index < 9 else Site.TORSO)
        for index, facts in enumerate(cases.patients)
    )
    choice = choose_effects(dataclasses.replace(cases, patients=rare), cases.logits)
    assert choice is not None
    assert Site.GENITAL not in choice.effects.site


def test_choose_effects_frequencies_of_a_collection_are_no_evidence() -> None:
    # All are men, and nearly all photos are nv: being a man says nothing, so nothing may be added for it.
    patients = tuple(PatientFacts(sex=Sex.MALE) for _ in range(PHOTOS))
    cases = drawn_cases(PHOTOS, patients=patients, bias=np.array([-2.0, -2.0, 4.0]))
    choice = choose_effects(cases, cases.logits)
    assert choice is None or not choice.effects


def test_choose_effects_centred_tables_favour_no_class_on_average() -> None:
    cases = _telling(bias=np.array([0.0, -1.0, 1.0]))
    choice = choose_effects(cases, cases.logits)
    assert choice is not None
    added = np.mean([choice.effects.offsets(facts, cases.codes) for facts in cases.patients], axis=0)
    assert added == pytest.approx(np.zeros(len(CLASSES)), abs=1e-3)


def test_choose_effects_gain_in_one_domain_alone_is_not_enough() -> None:
    cases = _telling(clinical_share=0.5)
    turned = tuple(
        PatientFacts(sex=Sex.MALE if facts.sex is Sex.FEMALE else Sex.FEMALE)
        if modality is Modality.CLINICAL
        else facts
        for facts, modality in zip(cases.patients, cases.modalities, strict=True)
    )
    choice = choose_effects(dataclasses.replace(cases, patients=turned), cases.logits)
    assert choice is None or not choice.effects


def _together(*parts: Cases) -> Cases:
    """Dermatoscopic photos, then clinical ones, as one table."""
    names = [np.char.add(f"{modality}-", part.groups) for modality, part in zip(Modality, parts, strict=True)]
    return Cases(
        logits=np.concatenate([part.logits for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        groups=np.concatenate(names),
        modalities=tuple(
            each for modality, part in zip(Modality, parts, strict=True) for each in [modality] * len(part.labels)
        ),
        patients=tuple(facts for part in parts for facts in part.patients),
        classes=CLASSES,
    )


def test_fit_few_photos_of_a_domain_count_as_much_as_many_of_the_other() -> None:
    patients = _sexes()
    worth = np.array([WORTH[facts.sex] for facts in patients if facts.sex is not None])
    many = drawn_cases(PHOTOS, patients=patients, evidence=worth)
    few = drawn_cases(PHOTOS, patients=patients, evidence=-worth, seed=3).take(np.arange(150))
    cases = _together(many, few)
    table = _fit(cases, cases.logits, _design(cases.patients, ("sex",)), 1e-3, seed=0)
    male = table[_VALUES.index(Sex.MALE)]
    assert abs(male[1] - male[2]) < 1  # the one domain says 3, the other -3; by photos it would be nearly 2


def test_fit_domains_with_other_ages_and_other_classes_teach_nothing_about_age() -> None:
    young, old = (tuple(PatientFacts(age) for _ in range(PHOTOS)) for age in (35, 75))
    dermatoscopic = drawn_cases(PHOTOS, patients=young, bias=np.array([-2.0, 0.0, 2.0]))
    clinical = drawn_cases(PHOTOS, patients=old, bias=np.array([2.0, 0.0, -2.0]), seed=3)
    cases = _together(dermatoscopic, clinical)
    table = _fit(cases, cases.logits, _design(cases.patients, ("age",)), 1e-3, seed=0)
    assert np.abs(table).max() < 0.2


def test_choose_effects_harmful_fact_is_dropped_and_the_helpful_one_kept() -> None:
    cases = _telling(clinical_share=0.5)
    rng = np.random.default_rng(5)
    patients = []
    for facts, modality, label in zip(cases.patients, cases.modalities, cases.labels, strict=True):
        # Melanomas come with age in one domain and, less so, with youth in the other.
        old = (cases.codes[label] == "mel") is (modality is Modality.DERMATOSCOPIC or rng.random() < 0.4)
        patients.append(dataclasses.replace(facts, age_years=75 if old else 35))
    choice = choose_effects(dataclasses.replace(cases, patients=tuple(patients)), cases.logits)
    assert choice is not None
    assert choice.harmful == ("age",)
    assert not choice.effects.age
    assert choice.effects.sex


def test_choose_effects_is_the_same_every_time() -> None:
    cases = _telling()
    assert choose_effects(cases, cases.logits) == choose_effects(cases, cases.logits)


def test_choose_effects_missing_facts_leave_log_loss_as_it_was() -> None:
    cases = _telling()
    choice = choose_effects(cases, cases.logits)
    assert choice is not None
    assert (choice.effects.offsets(NOBODY, cases.codes) == 0).all()
    assert set(choice.effects.age) <= set(AgeBand)
