"""What is understood of a person, and that nothing known means nothing added."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_models.artefact import ModelDocument
from ml_models.calibration import Calibration
from ml_models.classification import Modality
from ml_models.classifier import Classifier
from ml_models.labels import CODES
from ml_models.patient import NOBODY, AgeBand, PatientEffects, PatientFacts, Sex, Site, site_of

_OFFSETS = st.fixed_dictionaries({code: st.floats(-5, 5) for code in CODES})
_EFFECTS = st.builds(
    PatientEffects,
    age=st.dictionaries(st.sampled_from(AgeBand), _OFFSETS),
    sex=st.dictionaries(st.sampled_from(Sex), _OFFSETS),
    site=st.dictionaries(st.sampled_from(Site), _OFFSETS),
)
_FACTS = st.builds(
    PatientFacts,
    age_years=st.none() | st.floats(allow_nan=True),
    sex=st.none() | st.sampled_from(Sex),
    site=st.none() | st.sampled_from(Site),
)


@pytest.fixture
def document(shipped_classifier: Classifier) -> ModelDocument:
    return shipped_classifier.document


def _row(**changes: float) -> dict[str, float]:
    return {code: changes.get(code, 0.0) for code in CODES}


@pytest.mark.parametrize(
    ("age_years", "band"),
    [
        (0, AgeBand.TO_19),
        (19.9, AgeBand.TO_19),
        (20, AgeBand.TO_29),
        (59, AgeBand.TO_59),
        (79.9, AgeBand.TO_79),
        (80, AgeBand.FROM_80),
        (120, AgeBand.FROM_80),
        (121, None),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
    ],
)
def test_age_band_of_an_age_is_its_decade(age_years: float | None, band: AgeBand | None) -> None:
    assert PatientFacts(age_years).age_band is band


@pytest.mark.parametrize(
    ("words", "site"),
    [
        ("left forearm", Site.UPPER_EXTREMITY),
        ("right cheek", Site.HEAD_NECK),
        ("Back", Site.TORSO),
        ("lower back", Site.TORSO),
        ("back of the left hand", Site.UPPER_EXTREMITY),
        ("back of the neck", Site.HEAD_NECK),
        ("sole of my foot", Site.PALMS_SOLES),
        ("legs", Site.LOWER_EXTREMITY),
        ("both eyes", Site.HEAD_NECK),
        ("Espalda", Site.TORSO),
        ("MENTÓN", Site.HEAD_NECK),
        ("dorso de la mano", Site.UPPER_EXTREMITY),
        ("anterior torso", Site.TORSO),
        ("posterior torso", Site.TORSO),
        ("lateral torso", Site.TORSO),
        ("head/neck", Site.HEAD_NECK),
        ("upper extremity", Site.UPPER_EXTREMITY),
        ("lower extremity", Site.LOWER_EXTREMITY),
        ("palms/soles", Site.PALMS_SOLES),
        ("acral", Site.PALMS_SOLES),
        ("genital", Site.GENITAL),
        ("trunk", Site.TORSO),
        ("", None),
        ("I do not know", None),
        ("neck and back", None),
        ("heart", None),
        ("backyard", None),
    ],
)
def test_site_of_words_is_their_region(words: str, site: Site | None) -> None:
    assert site_of(words) is site


@given(st.text(max_size=100))
def test_site_of_any_text_is_a_site_or_nothing(words: str) -> None:
    assert site_of(words) is None or site_of(words) in Site


def test_site_of_every_site_names_itself() -> None:
    assert [site_of(site.value) for site in Site] == list(Site)


@pytest.mark.parametrize(("word", "sex"), [("female", Sex.FEMALE), ("male", Sex.MALE), ("other", None), ("", None)])
def test_from_words_sex_that_no_data_set_has_is_unknown(word: str, sex: Sex | None) -> None:
    assert PatientFacts.from_words(sex=word).sex is sex


@given(effects=_EFFECTS)
def test_offsets_of_nobody_are_exactly_zero(effects: PatientEffects) -> None:
    assert (effects.offsets(NOBODY, CODES) == 0).all()


@given(facts=_FACTS)
def test_offsets_of_empty_tables_are_exactly_zero(facts: PatientFacts) -> None:
    assert (PatientEffects().offsets(facts, CODES) == 0).all()


def test_offsets_value_without_a_row_adds_exactly_zero() -> None:
    effects = PatientEffects(site={Site.TORSO: _row(nv=1.0)})
    assert (effects.offsets(PatientFacts(site=Site.GENITAL), CODES) == 0).all()


def test_offsets_of_several_facts_add_up_in_the_order_of_the_codes() -> None:
    effects = PatientEffects(age={AgeBand.FROM_80: _row(scc=1.0)}, sex={Sex.MALE: _row(scc=0.5, mel=-2.0)})
    assert effects.offsets(PatientFacts(90, Sex.MALE), ("mel", "scc")).tolist() == [-2.0, 1.5]


@given(effects=_EFFECTS, facts=_FACTS, logits=st.lists(st.floats(-50, 50), min_size=8, max_size=8))
def test_probabilities_with_any_facts_sum_to_one(
    shipped_classifier: Classifier, effects: PatientEffects, facts: PatientFacts, logits: list[float]
) -> None:
    document = dataclasses.replace(shipped_classifier.document, patient_effects=effects)
    for modality in (None, *Modality):
        assert document.probabilities(np.array(logits), modality=modality, patient=facts).sum() == pytest.approx(
            1, abs=1e-12
        )


@given(effects=_EFFECTS, logits=st.lists(st.floats(-50, 50), min_size=8, max_size=8))
def test_probabilities_without_facts_are_the_image_models_to_the_last_bit(
    shipped_classifier: Classifier, effects: PatientEffects, logits: list[float]
) -> None:
    plain = shipped_classifier.document
    with_effects = dataclasses.replace(plain, patient_effects=effects)
    unknown = PatientFacts(age_years=500, sex=None, site=None)
    expected = plain.probabilities(np.array(logits))
    assert (with_effects.probabilities(np.array(logits)) == expected).all()
    assert (with_effects.probabilities(np.array(logits), patient=unknown) == expected).all()


def test_classify_facts_change_the_probabilities_as_the_table_says(
    shipped_classifier: Classifier, lesion_rgb: np.ndarray
) -> None:
    effects = PatientEffects(sex={Sex.MALE: _row(mel=3.0)})
    artefact = dataclasses.replace(
        shipped_classifier._artefact,
        document=dataclasses.replace(shipped_classifier.document, patient_effects=effects),
    )
    classifier = Classifier(artefact, shipped_classifier._runtime)
    alone = classifier.classify(lesion_rgb).probabilities
    told = classifier.classify(lesion_rgb, patient=PatientFacts(sex=Sex.MALE)).probabilities
    assert alone is not None
    assert told is not None
    odds = [each["mel"] / each["nv"] for each in (told, alone)]
    assert odds[0] / odds[1] == pytest.approx(np.exp(3))


def test_calibration_for_an_unknown_modality_is_the_highest_temperature_without_a_bias(document: ModelDocument) -> None:
    cautious, bold = Calibration(3.0, _row(mel=2.0)), Calibration(1.5, _row(nv=1.0))
    both = dataclasses.replace(document, calibrations={Modality.DERMATOSCOPIC: bold, Modality.CLINICAL: cautious})
    assert both.calibration_for(None) == Calibration(3.0)
    assert both.calibration_for(Modality.CLINICAL) is cautious
    assert both.calibration_for(Modality.DERMATOSCOPIC) is bold


def test_calibration_for_an_unmeasured_modality_has_no_bias_of_another(document: ModelDocument) -> None:
    bold = Calibration(1.5, _row(nv=1.0))
    alone = dataclasses.replace(document, calibrations={Modality.DERMATOSCOPIC: bold})
    assert alone.calibration_for(Modality.CLINICAL) == Calibration(1.5)
