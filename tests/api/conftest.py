"""Clients of four kinds, a media folder that is gone afterwards, and one call that posts a photo."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from api import ml_state
from api.models import Prediction, PredictionImage
from api.services.model_versions import register_candidate
from api.switching.models import ModelVersion
from api.switching.store import load_verified
from ml_models.classifier import Classifier
from tests.artefacts import model_called

ERROR_KEYS = {"error", "detail", "code", "fields"}


@pytest.fixture(scope="session", autouse=True)
def model_is_there() -> None:
    """Say what is missing once, instead of in every test."""
    if not (django_settings.MODEL_ARTEFACT / "model.json").is_file():
        pytest.fail(f"no model at {django_settings.MODEL_ARTEFACT}; set MODEL_ARTEFACT to a model folder")


@pytest.fixture(autouse=True)
def media_root(tmp_path: Path, settings) -> Path:
    """The folder of stored photos, private to one test."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture(scope="session")
def default_classifier(model_is_there: None) -> Classifier:
    """What answers while no version is active, loaded once for all tests."""
    return load_verified(django_settings.MODEL_ARTEFACT, pool_size=django_settings.INFERENCE_POOL_SIZE)


@pytest.fixture(autouse=True)
def default_model_is_live(default_classifier: Classifier, monkeypatch) -> None:
    """At the beginning of every test, whatever the one before has switched to; most have no database to ask."""
    monkeypatch.setattr(ml_state, "_live", default_classifier)
    monkeypatch.setattr(ml_state, "_failures", {})


@pytest.fixture
def no_model(tmp_path: Path, settings) -> Path:
    """No model is live and none can be loaded; returns the folder where it is looked for."""
    settings.MODEL_ARTEFACT = tmp_path / "secret-folder"
    ml_state.reset()
    return settings.MODEL_ARTEFACT


@pytest.fixture(scope="session")
def shipped_folder() -> Path:
    """What the settings name as the model that answers while no version is active."""
    return Path(django_settings.MODEL_ARTEFACT)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two model folders, `left` and `right`, without a class in common; not to be damaged."""
    folder = tmp_path_factory.mktemp("models")
    return {name: model_called(name, folder / name) for name in ("left", "right")}


@pytest.fixture
def model_dir(tmp_path: Path, settings) -> Path:
    """An empty MODEL_DIR of one's own."""
    settings.MODEL_DIR = tmp_path / "versions"
    settings.MODEL_DIR.mkdir()
    return settings.MODEL_DIR


@pytest.fixture
def registered(db, models: dict[str, Path], model_dir: Path) -> Callable[..., ModelVersion]:
    """Put one of the models into MODEL_DIR and register it: `registered("left", passed=False)`."""

    def register(name: str, *, passed: bool | None = True) -> ModelVersion:
        folder = Path(shutil.copytree(models[name], model_dir / name))
        return register_candidate(folder=folder, report={"rules": [f"of {name}"]}, passed=passed)

    return register


@pytest.fixture
def anonymous() -> Client:
    """A client without any identity; a bug answers 500, as it would for a person."""
    return Client(raise_request_exception=False)


@pytest.fixture
def person(db) -> User:
    return User.objects.create_user("ada@example.org", "correct horse")


@pytest.fixture
def staff(db) -> User:
    """May log in to the administration and has no permission there."""
    return User.objects.create_user("staff@example.org", "correct horse", is_staff=True)


@pytest.fixture
def reviewer(db) -> User:
    """May look at predictions and their photos."""
    user = User.objects.create_user("reviewer@example.org", "correct horse", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_prediction", "view_predictionimage", "view_scan"])
    )
    return user


@pytest.fixture
def superuser(db) -> User:
    return User.objects.create_superuser("root@example.org", "correct horse")


@pytest.fixture
def bearer() -> Callable[[User], Client]:
    """Make a client that sends a person's token, as the app does."""
    return lambda user: Client(
        raise_request_exception=False, headers={"Authorization": f"Bearer {AccessToken.for_user(user)}"}
    )


@pytest.fixture
def logged_in() -> Callable[[User], Client]:
    """Make a client with a person's session, as a browser in the administration has."""

    def log_in(user: User) -> Client:
        client = Client(raise_request_exception=False)
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def predict(lesion_jpeg: bytes) -> Callable[..., Any]:
    """Post a photo as the app does: `predict(client, image=bytes, name=..., content_type=..., age=...)`."""

    def post(
        client: Client,
        *,
        image: bytes = lesion_jpeg,
        name: str = "skin.jpg",
        content_type: str = "image/jpeg",
        path: str = "/api/predict/skin-disease/",
        **fields: Any,
    ) -> Any:
        upload = SimpleUploadedFile(name, image, content_type)
        return client.post(path, {"image": upload, **fields})

    return post


CLAIMS = {
    "diagnosis": "Melanocytic nevus (mole)",
    "confidence": "62%",
    "severity": "Moderate",
    "advice": "Watch it.",
    "is_safe": "false",
}  # what the app sends after the answer that `make_prediction` writes


@pytest.fixture
def save(lesion_jpeg: bytes) -> Callable[..., Any]:
    """Save a scan as the app does: `save(client, image=bytes, severity=..., headers=...)`; None leaves a field out."""

    def post(
        client: Client, *, image: bytes | None = lesion_jpeg, headers: dict[str, str] | None = None, **claims: Any
    ) -> Any:
        form = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
        if image is not None:
            form["image"] = SimpleUploadedFile("skin.jpg", image, "image/jpeg")
        return client.post("/api/scans/", form, headers=headers)

    return post


@pytest.fixture
def stranger(db) -> User:
    """Somebody else with an account."""
    return User.objects.create_user("eve@example.org", "correct horse")


@pytest.fixture
def wall_png(encode: Callable[..., bytes]) -> bytes:
    """A photo of a plain wall: an image, but nothing to see."""
    return encode("PNG", np.full((300, 400, 3), 190, np.uint8))


@pytest.fixture
def assert_error() -> Callable[..., dict[str, Any]]:
    """Check status, code and the one body of every error; returns the body."""

    def check(response: Any, status: int, code: str) -> dict[str, Any]:
        assert response.status_code == status, response.content[:500]
        assert response.headers["Content-Type"] == "application/json"
        body = response.json()
        assert set(body) == ERROR_KEYS
        assert isinstance(body["error"], str)
        assert body["error"]
        assert body["detail"] == body["error"]
        assert isinstance(body["fields"], dict)
        assert body["code"] == code
        return body

    return check


@pytest.fixture
def make_prediction(lesion_jpeg: bytes) -> Callable[..., Prediction]:
    """Write a row with its file directly: `make_prediction(days_old=31, user=..., label=...)`."""

    def make(*, days_old: float = 0, content_sha256: str = "a1" * 32, **values: Any) -> Prediction:
        defaults: dict[str, Any] = {
            "created_at": timezone.now() - timedelta(days=days_old),
            "status": "ok",
            "label": "nv",
            "diagnosis": "Melanocytic nevus (mole)",
            "confidence_percent": 61.5,
            "severity": "Moderate",
            "advice": "Watch it.",
            "is_safe": False,
            "probabilities": {"nv": 1.0},
            "suspicious": False,
            "model_name": "a-model",
            "model_version": "1",
            "model_digest": "d" * 64,
            "preprocess_version": 1,
            "duration_ms": 10.0,
        }
        prediction = Prediction.objects.create(**defaults | values)
        image = PredictionImage(
            prediction=prediction,
            content_sha256=content_sha256,
            format="jpeg",
            width_px=600,
            height_px=450,
        )
        image.photo.save("photo.jpg", SimpleUploadedFile("photo.jpg", lesion_jpeg))
        return prediction

    return make


def stored_files(folder: Path) -> list[Path]:
    """Every file under the media folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
