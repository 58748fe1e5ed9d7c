"""A logged answer is given again by its own model, or it is said exactly why not."""

import uuid
from collections.abc import Callable
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import ExifTags, Image

from api import ml_state
from api.models import Prediction, PredictionImage
from api.services.model_versions import activate_version, roll_back
from api.services.retention import purge_expired
from api.switching import replay
from api.switching.models import ModelVersion
from api.switching.replay import ReplayImpossible, replay_prediction
from api.switching.store import folder_of
from ml_models import classifier
from ml_models.classification import ReasonCode
from tests.artefacts import spoil

pytestmark = pytest.mark.django_db


@pytest.fixture
def answered(anonymous: Client, predict: Callable[..., Any]) -> Callable[..., Prediction]:
    """Post a photo and give its row: `answered(image=..., age=...)`."""

    def answer(**fields: Any) -> Prediction:
        response = predict(anonymous, **fields)
        assert response.status_code == 200
        return Prediction.objects.get(pk=response.json()["id"])

    return answer


@pytest.fixture
def answered_by_left(answered, registered) -> Prediction:
    """Answered by a version that is not active any more."""
    activate_version(version=registered("left"))
    ml_state.refresh()
    prediction = answered()
    assert prediction.model_name == "left"
    roll_back()
    ml_state.refresh()
    return prediction


def impossible(prediction: Prediction) -> str:
    with pytest.raises(ReplayImpossible) as told:
        replay_prediction(prediction_id=prediction.pk)
    return str(told.value)


def test_replay_gives_the_same_probabilities(answered):
    prediction = answered(age=61, sex="male", site="back")
    result = replay_prediction(prediction_id=prediction.pk)
    assert result.difference <= replay.SAME_MACHINE
    assert [image.position for image in result.images] == [0]
    assert result.model == f"{prediction.model_name} {prediction.model_version}"


def test_replay_of_a_decision_that_this_code_makes_otherwise_says_which(answered):
    prediction = answered()
    assert replay_prediction(prediction_id=prediction.pk).changed == ()
    Prediction.objects.filter(pk=prediction.pk).update(severity="High", is_safe=False)
    (severity, *rest) = replay_prediction(prediction_id=prediction.pk).changed
    assert severity.startswith("severity High, now ")
    assert rest == [f"safe False, now {prediction.is_safe}"] * prediction.is_safe
    with pytest.raises(CommandError, match="decides otherwise"):
        call_command("replay", str(prediction.pk))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_replay_of_a_photo_that_was_cleaned_and_lies_on_its_side_is_the_same(answered, encode, image_format: str):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    photo = encode(image_format, exif=exif.tobytes())
    assert replay_prediction(prediction_id=answered(image=photo).pk).difference <= replay.SAME_MACHINE


def test_replay_uses_the_recorded_model_not_the_live_one(answered_by_left: Prediction):
    assert ml_state.classifier().identity.name != "left"
    assert replay_prediction(prediction_id=answered_by_left.pk).difference <= replay.SAME_MACHINE


def test_replay_of_a_refused_photo_finds_it_refused_again(answered, wall_png: bytes):
    prediction = answered(image=wall_png)
    assert prediction.status == "rejected"
    assert replay_prediction(prediction_id=prediction.pk).difference == 0


def test_replay_of_another_answer_tells_the_difference(answered):
    image = PredictionImage.objects.get(prediction=answered())
    image.probabilities = {code: value + 0.25 * (code == "mel") for code, value in image.probabilities.items()}
    image.save()
    assert replay_prediction(prediction_id=image.prediction_id).difference == pytest.approx(0.25)


def test_replay_tells_the_model_the_facts_on_record(answered, monkeypatch):
    prediction = answered(age=61, sex="male", site="left forearm")
    told, classify = [], classifier.Classifier.classify

    def spied(self: classifier.Classifier, rgb: np.ndarray, **options: Any) -> Any:
        told.append(options["patient"])
        return classify(self, rgb, **options)

    monkeypatch.setattr(classifier.Classifier, "classify", spied)
    replay_prediction(prediction_id=prediction.pk)
    assert [(facts.age_years, facts.sex, facts.site) for facts in told] == [(61, "male", "upper extremity")]


def test_replay_unknown_prediction_says_so(db):
    with pytest.raises(ReplayImpossible, match="not in the log"):
        replay_prediction(prediction_id=uuid.uuid4())


def test_replay_after_the_purge_says_so(answered):
    prediction = answered()
    created_at = prediction.created_at.replace(year=prediction.created_at.year - 1)
    Prediction.objects.filter(pk=prediction.pk).update(created_at=created_at)
    purge_expired(now=prediction.created_at, dry_run=False)
    assert "not in the log" in impossible(prediction)


def test_replay_lost_file_says_so(answered):
    prediction = answered()
    image = prediction.images.get()
    image.photo.storage.delete(image.photo.name)
    assert "is gone" in impossible(prediction)


def test_replay_altered_file_says_so(answered, encode):
    prediction = answered()
    image = prediction.images.get()
    with image.photo.storage.open(image.photo.name, "wb") as file:
        file.write(encode("JPEG", quality=30))
    assert "not the one that was answered" in impossible(prediction)


def test_replay_without_the_model_names_it(answered_by_left: Prediction):
    version = ModelVersion.objects.get()
    folder = folder_of(version)
    folder.rename(folder.parent.parent / "elsewhere")
    assert version.digest[:12] in impossible(answered_by_left)


def test_replay_model_that_was_moved_within_the_store_is_found(answered_by_left: Prediction, model_dir):
    (model_dir / "left").rename(model_dir / "archive")
    assert replay_prediction(prediction_id=answered_by_left.pk).difference <= replay.SAME_MACHINE


def test_replay_with_a_broken_model_says_so(answered_by_left: Prediction):
    spoil(folder_of(ModelVersion.objects.get()))
    assert "its model is broken" in impossible(answered_by_left)


def test_replay_of_another_preprocessing_says_so(answered):
    prediction = answered()
    prediction.preprocess_version += 1
    prediction.save()
    assert f"preprocessing {prediction.preprocess_version}" in impossible(prediction)


def test_replay_under_changed_gates_says_so(answered, monkeypatch):
    prediction = answered()
    monkeypatch.setattr(classifier, "failed_gates", lambda *_, **__: (ReasonCode.NO_DETAIL,))
    assert "refuses it now" in impossible(prediction)


def test_replay_command_says_that_the_answer_is_the_same(answered):
    out = StringIO()
    prediction = answered()
    call_command("replay", str(prediction.pk), stdout=out)
    assert "gives the same answer" in out.getvalue()


@pytest.mark.parametrize(("off_by", "outcome"), [(1e-4, "rounding"), (0.25, "does not give")])
def test_replay_command_judges_the_difference(answered, off_by: float, outcome: str):
    image = PredictionImage.objects.get(prediction=answered())
    image.probabilities = {code: value + off_by for code, value in image.probabilities.items()}
    image.save()
    out = StringIO()
    try:
        call_command("replay", str(image.prediction_id), stdout=out)
    except CommandError as error:
        assert off_by > replay.ELSEWHERE
        out.write(str(error))
    assert outcome in out.getvalue()


def test_replay_command_that_cannot_says_why(db):
    with pytest.raises(CommandError, match="not in the log"):
        call_command("replay", str(uuid.uuid4()))
