"""The class table that everything else relies on."""

from dataclasses import replace

import pytest

from api.models import Prediction
from ml_models.classification import Modality, Severity
from ml_models.decision import DecisionRules, decide
from ml_models.labels import (
    BY_ALIAS,
    BY_CODE,
    CATALOGUE,
    CODES,
    GENERIC_ADVICE,
    MAX_CODE_CHARACTERS,
    MAX_NAME_CHARACTERS,
    Label,
    problem_with,
)
from ml_pipeline.synthetic import LESION_CODES


def test_codes_order_and_spelling_are_fixed() -> None:
    assert CODES == ("akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc")


def test_malignant_classes_are_the_four() -> None:
    assert {label.code for label in CATALOGUE if label.malignant} == {"akiec", "bcc", "mel", "scc"}


def test_aliases_are_distinct() -> None:
    assert len(BY_ALIAS) == sum(1 + len(set(label.aliases) - {label.code}) for label in CATALOGUE)


def test_advice_never_says_healthy() -> None:
    assert not [label.code for label in CATALOGUE if "healthy" in label.advice.lower()]


def test_generator_draws_every_class() -> None:
    assert set(LESION_CODES) == set(CODES)


@pytest.mark.parametrize("label", CATALOGUE, ids=CODES)
def test_problem_with_a_known_class_is_none(label: Label) -> None:
    assert problem_with(label) is None


OWN = Label("own", "Own", None, Severity.MODERATE, GENERIC_ADVICE)


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        pytest.param(replace(BY_CODE["mel"], malignant=False), "known to be True", id="known as malignant"),
        pytest.param(replace(BY_CODE["nv"], malignant=None), "known to be False", id="known as benign"),
        pytest.param(replace(OWN, malignant=True, severity=Severity.LOW), "severity is Low", id="malignant and low"),
        pytest.param(replace(OWN, code="x" * (MAX_CODE_CHARACTERS + 1)), "64", id="long code"),
        pytest.param(replace(OWN, name="x" * (MAX_NAME_CHARACTERS + 1)), "200", id="long name"),
        pytest.param(replace(OWN, name=""), "1 to", id="no name"),
    ],
)
def test_problem_with_is_said(label: Label, problem: str) -> None:
    assert problem in (problem_with(label) or "")


def test_limits_fit_the_log() -> None:
    """With all the words of doubt around it, a name must fit the column of diagnoses."""
    longest = replace(OWN, code="c" * MAX_CODE_CHARACTERS, name="n" * MAX_NAME_CHARACTERS)
    assert problem_with(longest) is None
    rules = DecisionRules((longest, *CATALOGUE), {Modality.DERMATOSCOPIC: 0.0}, {Modality.DERMATOSCOPIC: 1.0})
    shares = {label.code: 0.2 if label is longest else 0.1 for label in rules.labels}
    decision = decide(shares, rules)
    assert len(decision.diagnosis) <= Prediction._meta.get_field("diagnosis").max_length
    assert len(longest.code) <= Prediction._meta.get_field("label").max_length
