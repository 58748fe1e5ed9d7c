"""From a row of the log to words: never calmer than the row."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from api.models import Prediction, PredictionImage
from ml_models.labels import BY_CODE, CATALOGUE
from web.answer import shown_answer

pytestmark = pytest.mark.django_db

CALM = "Keep watching it."


@pytest.fixture
def shown(lesion_jpeg):
    """The answer of a row: `shown(label="nv", severity="High")`."""

    def show(**values):
        code = values.get("label", "nv")
        defaults = {
            "status": "ok",
            "label": code,
            "diagnosis": BY_CODE[code].name if code in BY_CODE else "Photo not usable",
            "confidence_percent": 61.5,
            "severity": "Moderate",
            "advice": "Watch it.",
            "is_safe": False,
            "probabilities": {"nv": 0.6, "mel": 0.39995, "scc": 0.00005} if code else None,
            "top": [{"label": "nv", "name": "Melanocytic nevus (mole)", "probability": 0.6}],
            "malignant_probability": 0.4,
            "malignancy_threshold": 0.24,
            "suspicious": False,
            "model_name": "a-model",
            "model_version": "1",
            "model_digest": "d" * 64,
            "preprocess_version": 1,
            "duration_ms": 10.0,
        }
        prediction = Prediction.objects.create(**defaults | values)
        image = PredictionImage(prediction=prediction, format="jpeg", width_px=600, height_px=450)
        image.photo.save("photo.jpg", SimpleUploadedFile("photo.jpg", lesion_jpeg))
        return shown_answer(prediction, RequestFactory().get("/"))

    return show


@pytest.mark.parametrize("label", [label.code for label in CATALOGUE])
@pytest.mark.parametrize("severity", ["Moderate", "High"])
@pytest.mark.parametrize("words", ["{}", "Unsure, possibly: {}", "{}; possible malignancy"])
def test_answer_that_is_not_safe_is_never_calm(shown, label, severity, words):
    answer = shown(label=label, severity=severity, diagnosis=words.format(BY_CODE[label].name))
    assert answer.soon != CALM
    if severity == "High":
        assert answer.soon in {"See a dermatologist within days.", "See a dermatologist within two weeks."}


def test_answer_that_is_safe_still_says_to_watch(shown):
    assert shown(severity="Low", is_safe=True).soon == CALM


def test_answer_of_an_unknown_class_goes_by_its_severity(shown):
    """A foreign label set: nothing is known of the class."""
    answers = [shown(diagnosis="Erythema of somewhere", label="xyz", severity=each) for each in ("High", "Moderate")]
    assert [answer.soon for answer in answers] == [
        "See a dermatologist within days.",
        "Have a doctor look at it within a few weeks.",
    ]
    assert answers[0].guidance == []


def test_benign_class_beside_signs_of_cancer_is_not_called_harmless(shown):
    plain = shown(label="bkl")
    suspicious = shown(
        label="bkl", severity="High", suspicious=True, diagnosis=f"{BY_CODE['bkl'].name}; possible malignancy"
    )
    assert any("not cancer" in text for text in plain.guidance)
    assert not any("not cancer" in text for text in suspicious.guidance)


def test_bars_show_every_class_most_probable_first(shown):
    bars = shown().bars
    assert [(bar.name, bar.percent, bar.width, bar.malignant) for bar in bars] == [
        ("Melanocytic nevus (mole)", "60.0 %", "60.0%", False),
        ("Melanoma", "40.0 %", "40.0%", True),
        ("Squamous cell carcinoma", "< 0.1 %", "0.0%", True),
    ]


def test_malignant_share_is_told_with_the_threshold(shown):
    assert shown().malignant == "Cancer and what can become it, together: 40.0 %. The program warns from 24.0 %."
    assert shown(malignancy_threshold=None).malignant == "Cancer and what can become it, together: 40.0 %."
    assert shown(malignant_probability=None).malignant == ""


@pytest.mark.parametrize(("language", "percent"), [("en", "60.0 %"), ("es", "60,0 %")])
def test_numbers_are_written_as_the_language_does_and_widths_as_svg_does(shown, language, percent):
    from django.utils import translation

    with translation.override(language):
        bar = shown().bars[0]
    assert (bar.percent, bar.width) == (percent, "60.0%")


@pytest.mark.parametrize(("in_advice", "shown_reasons"), [(True, []), (False, ["It is dark."])])
def test_reason_that_the_advice_tells_is_not_told_twice(shown, in_advice, shown_reasons):
    advice = "It is dark. Take it again." if in_advice else "Take it again."
    assert shown(advice=advice, reasons=[{"code": "dark", "text": "It is dark."}]).reasons == shown_reasons


def test_photo_that_was_refused_has_no_severity_and_no_class(shown):
    answer = shown(status="rejected", label="")
    assert (answer.badge, answer.soon) == ("No answer", "Take the photo again.")
    assert (answer.bars, answer.guidance, [photo.map_address for photo in answer.photos]) == ([], [], [None])
