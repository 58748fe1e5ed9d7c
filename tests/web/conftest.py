"""Photos to post, a media folder that is gone afterwards, and the pages of a real server in a real browser."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLES = ROOT / "sample_images"


@pytest.fixture(autouse=True)
def media_root(tmp_path: Path, settings) -> Path:
    """The folder of stored photos, private to one test."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def post(client):
    """Post the page's form with a sample image: `post("mel.jpg", age="44")`; None leaves the photo out."""

    def send(sample: str | None = "mel.jpg", headers: dict[str, str] | None = None, **fields: str):
        form = dict(fields)
        if sample:
            form["image"] = SimpleUploadedFile(sample, (SAMPLES / sample).read_bytes(), "image/jpeg")
        return client.post("/", form, headers=headers)

    return send
