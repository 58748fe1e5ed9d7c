"""Which of a person's words reach the model: age, sex and site; never the history."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from api import ml_state
from ml_models.patient import AgeBand, PatientEffects, Sex, Site

pytestmark = pytest.mark.django_db

CODES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc")
TOLD = {"age": 72, "sex": "male", "site": "left forearm"}


def _more_melanoma(by: float) -> dict[str, float]:
    return {code: by if code == "mel" else 0.0 for code in CODES}


@pytest.fixture
def _model_that_reads_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped model, for which an old man's forearm tells of melanoma."""
    live = ml_state.classifier()
    effects = PatientEffects(
        age={AgeBand.TO_79: _more_melanoma(1.0)},
        sex={Sex.MALE: _more_melanoma(0.5)},
        site={Site.UPPER_EXTREMITY: _more_melanoma(0.25)},
    )
    document = replace(live.document, patient_effects=effects)
    monkeypatch.setattr(live, "_artefact", replace(live._artefact, document=document))


@pytest.fixture
def probabilities(anonymous: Client, predict: Callable[..., Any]) -> Callable[..., dict[str, float]]:
    """What is answered to the same photo with these fields of the form."""

    def ask(**fields: object) -> dict[str, float]:
        response = predict(anonymous, **fields)
        assert response.status_code == 200
        return response.json()["probabilities"]

    return ask


@pytest.mark.usefixtures("_model_that_reads_facts")
@pytest.mark.parametrize("fact", TOLD)
def test_predict_each_fact_changes_the_probabilities(probabilities: Callable[..., dict[str, float]], fact: str):
    assert probabilities(**{fact: TOLD[fact]})["mel"] > probabilities()["mel"]


@pytest.mark.usefixtures("_model_that_reads_facts")
def test_predict_facts_add_up(probabilities: Callable[..., dict[str, float]]):
    alone = [probabilities(**{fact: value})["mel"] for fact, value in TOLD.items()]
    together = probabilities(**TOLD)
    assert together["mel"] > max(alone)
    assert sum(together.values()) == pytest.approx(1, abs=1e-9)


@pytest.mark.usefixtures("_model_that_reads_facts")
@pytest.mark.parametrize(
    "fields",
    [
        {"history": "Melanoma on my left forearm, grows and bleeds. I am 72 and male."},
        {"sex": "other"},
        {"site": "somewhere"},
        {"age": 130},
        {"diagnosis_method": "histopathology"},
    ],
    ids=["history", "other sex", "unknown site", "impossible age", "foreign field"],
)
def test_predict_words_that_are_no_facts_change_nothing(
    probabilities: Callable[..., dict[str, float]], fields: dict[str, object]
):
    assert probabilities(**fields) == probabilities()


def test_predict_model_without_effects_answers_the_same_whatever_is_told(
    probabilities: Callable[..., dict[str, float]],
):
    assert probabilities(**TOLD) == probabilities()
