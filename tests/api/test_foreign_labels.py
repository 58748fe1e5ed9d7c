"""A model with classes of its own is served as it is: names, danger and advice come from its artefact alone."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pypdfium2
import pytest
from django.test import Client

from api import ml_state
from ml_models.artefact import DOCUMENT
from ml_models.classification import Severity
from ml_models.labels import CODES, GENERIC_ADVICE, Label
from tests.artefacts import relabelled_copy

pytestmark = pytest.mark.django_db

RINGWORM = Label("ring_worm", "Ringworm <b>of the skin</b> & hair", None, Severity.MODERATE, "Keep it dry.")
EYELID = Label("eyelid", "Basal cell carcinoma of the eyelid", malignant=False, severity=Severity.LOW, advice="Wait.")
SARCOMA = Label("sarcoma", "Kaposi sarcoma", malignant=True, severity=Severity.HIGH, advice="Go there today.")
PLACE_OF_THE_DRAWN_MOLE = CODES.index("nv")


def label_set(top: Label, *, others: bool | None = False) -> tuple[Label, ...]:
    """As many classes as the shipped model has, with `top` where it sees the drawn mole."""
    severity = {True: Severity.HIGH, False: Severity.LOW, None: Severity.MODERATE}[others]
    plain = [Label(f"class_{n}", f"Class {n}", others, severity, GENERIC_ADVICE) for n in range(len(CODES))]
    return (*plain[:PLACE_OF_THE_DRAWN_MOLE], top, *plain[PLACE_OF_THE_DRAWN_MOLE + 1 :])


@pytest.fixture
def serve(tmp_path: Path, settings) -> Callable[[Sequence[Label]], None]:
    """Serve the shipped network with its outputs called otherwise."""

    def served(labels: Sequence[Label]) -> None:
        folder = relabelled_copy(tmp_path / "foreign", labels)
        document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
        document["prediction_sets"] = {"dermatoscopic": 0.5}  # one class alone is possible
        (folder / DOCUMENT).write_text(json.dumps(document), encoding="utf-8")
        settings.MODEL_ARTEFACT = folder
        ml_state.reset()

    return served


@pytest.fixture
def mine(bearer, person) -> Client:
    """The app of a person with an account."""
    return bearer(person)


def test_predict_unknown_malignancy_is_moderate_and_not_safe(anonymous: Client, predict, serve):
    serve(label_set(RINGWORM))
    answer = predict(anonymous).json()
    assert (answer["label"], answer["diagnosis"]) == (RINGWORM.code, RINGWORM.name)
    assert (answer["severity"], answer["isSafe"], answer["malignancy"]["suspicious"]) == ("Moderate", False, False)
    assert answer["advice"].startswith("Keep it dry.")
    assert "unknown_malignancy" in [reason["code"] for reason in answer["reasons"]]
    assert answer["top_k"][0]["name"] == RINGWORM.name


def test_predict_malignant_class_is_high_with_its_own_advice(anonymous: Client, predict, serve):
    serve(label_set(SARCOMA))
    answer = predict(anonymous).json()
    assert (answer["label"], answer["severity"], answer["isSafe"]) == ("sarcoma", "High", False)
    assert answer["malignancy"]["suspicious"]
    assert "Go there today." in answer["advice"]


@pytest.mark.parametrize("others", [None, False], ids=["nothing is known", "the others are benign"])
def test_predict_without_any_malignant_class_states_no_malignant_probability(
    *, anonymous: Client, predict, serve, others: bool | None
):
    serve(label_set(RINGWORM, others=others))
    malignancy = predict(anonymous).json()["malignancy"]
    assert (malignancy["probability"], malignancy["suspicious"]) == (None, False)


def test_model_lists_its_own_labels(anonymous: Client, serve):
    serve(label_set(RINGWORM))
    labels = anonymous.get("/api/model/").json()["labels"]
    assert labels[PLACE_OF_THE_DRAWN_MOLE] == {
        "code": "ring_worm",
        "name": RINGWORM.name,
        "malignant": None,
        "severity": "Moderate",
    }
    assert len(labels) == len(CODES)


@pytest.mark.parametrize("label", [RINGWORM, EYELID, SARCOMA], ids=lambda label: label.code)
def test_predict_in_spanish_names_the_class_as_the_model_does(anonymous: Client, predict, serve, label: Label):
    serve(label_set(label))
    anonymous.defaults["HTTP_ACCEPT_LANGUAGE"] = "es"
    answer = predict(anonymous).json()
    assert answer["diagnosis"] == label.name
    assert label.advice in answer["advice"]
    assert answer["top_k"][0]["name"] == label.name


def test_predict_in_spanish_translates_the_generic_advice(anonymous: Client, predict, serve):
    serve(label_set(Label("wart", "Wart", malignant=False, severity=Severity.LOW, advice=GENERIC_ADVICE)))
    anonymous.defaults["HTTP_ACCEPT_LANGUAGE"] = "es"
    assert "Pida que un médico lo mire" in predict(anonymous).json()["advice"]


def test_history_is_narrowed_by_an_own_label(mine: Client, predict, serve):
    serve(label_set(RINGWORM))
    answer = predict(mine).json()
    assert [each["id"] for each in mine.get("/api/predictions/?label=ring_worm").json()["results"]] == [answer["id"]]
    assert mine.get("/api/predictions/?label=nv").json()["results"] == []


def test_scan_of_an_own_label_agrees_with_the_record(mine: Client, predict, save, serve):
    serve(label_set(RINGWORM))
    answer = predict(mine).json()
    shown = {name: answer[name] for name in ("diagnosis", "advice", "severity")}
    scan = save(mine, **shown, confidence=f"{answer['confidence']:.0f}%", is_safe="false").json()
    assert scan["mismatch"] is None
    assert scan["server"]["label"] == "ring_worm"


def test_pdf_shows_names_and_no_malignant_probability_that_nobody_knows(mine: Client, predict, save, serve):
    serve(label_set(RINGWORM, others=None))
    answer = predict(mine, explain="true").json()
    scan = save(mine, diagnosis=answer["diagnosis"], advice=answer["advice"], severity=answer["severity"]).json()
    document = pypdfium2.PdfDocument(mine.get(f"/api/scans/{scan['id']}/pdf/").content)
    text = " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)
    document.close()
    assert RINGWORM.name in text
    assert "class 7" in text.lower()
    assert "does not know which of its classes are malignant" in text
    assert "Malignant classes together" not in text


def test_admin_shows_and_filters_own_labels(reviewer, logged_in, anonymous: Client, predict, serve):
    serve(label_set(RINGWORM))
    answer = predict(anonymous).json()
    client = logged_in(reviewer)
    listed = client.get("/admin/api/prediction/?label=ring_worm").text
    assert answer["id"] in listed
    page = client.get(f"/admin/api/prediction/{answer['id']}/change/").text
    assert "Ringworm &lt;b&gt;of the skin&lt;/b&gt; &amp; hair" in page
    assert "<b>of the skin" not in page


def test_chat_about_a_class_that_it_has_no_words_for_goes_by_the_severity(anonymous: Client):
    asked = {"disease": "Ringworm", "severity": "Moderate", "trigger": "scan_result"}
    reply = anonymous.post("/api/chatbot/", asked, content_type="application/json").json()
    assert reply["topic"] == "explain"
    assert "within the next few weeks" in reply["reply"]
