"""Fixtures that several rooms share. Photos are drawn, never taken from anyone."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import hypothesis
import numpy as np
import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import translation
from numpy.typing import NDArray
from PIL import Image

from ml_models.classifier import Classifier, load_classifier
from ml_models.shipped import SHIPPED_MODEL
from ml_pipeline.synthetic import Scene, draw

# No test is timed: a busy machine would fail it. On CI hypothesis chooses its fixed examples by itself.
hypothesis.settings.register_profile("untimed", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent
_SHARED_DATA = Path(os.environ.get("SKIN_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(autouse=True)
def _language_of_the_last_request_is_forgotten() -> Iterator[None]:
    """A request leaves its language with its thread, where the next request brings its own and a test does not."""
    yield
    translation.deactivate()


@pytest.fixture
def shared_data() -> Path:
    """The folder of real photos; the test is skipped where it is absent."""
    if not _SHARED_DATA.is_dir():
        pytest.skip(f"no real photos at {_SHARED_DATA}; set SKIN_SHARED_DATA to a folder that has them")
    return _SHARED_DATA


@pytest.fixture(scope="session")
def lesion_rgb() -> NDArray[np.uint8]:
    """A drawn mole, uint8 [450, 600, 3]."""
    return draw(Scene(lesion="nv"), width_px=600, height_px=450, seed=11)


@pytest.fixture(scope="session")
def lesion_jpeg(lesion_rgb: NDArray[np.uint8]) -> bytes:
    """The same as a JPEG file without metadata."""
    _, encoded = cv2.imencode(".jpg", lesion_rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return bytes(encoded)


@pytest.fixture(scope="session")
def encode(lesion_rgb: NDArray[np.uint8]) -> Callable[..., bytes]:
    """Encode the drawn mole, or another picture, with Pillow: `encode("PNG", exif=...)`."""

    def encoded(image_format: str, rgb: NDArray[np.uint8] = lesion_rgb, **options: object) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(rgb).save(buffer, image_format, **options)
        return buffer.getvalue()

    return encoded


@pytest.fixture(scope="session")
def shipped_classifier() -> Classifier:
    """The model of the repository, loaded and verified as a server does."""
    return load_classifier(SHIPPED_MODEL)


@pytest.fixture
def _ungated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos are answered whatever they show: for tests of what comes after the gates."""
    monkeypatch.setattr("ml_models.classifier.failed_gates", lambda *_, **__: ())


@pytest.fixture
def file_database(tmp_path: Path, monkeypatch, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """A migrated database in a file instead of pytest-django's in memory, where a lock is never waited for."""
    with django_db_blocker.unblock():
        in_memory = connections["default"]
        on_file = {**connections.settings["default"], "NAME": tmp_path / "db.sqlite3"}
        monkeypatch.setitem(connections.settings, "default", on_file)
        connections["default"] = connections.create_connection("default")
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connections["default"].close()
            connections["default"] = in_memory
