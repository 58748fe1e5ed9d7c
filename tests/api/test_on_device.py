"""What a phone takes along: the description of the live model, and its file by digest."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from api import ml_state
from benchmarks.serving import running_server
from ml_models.artefact import DOCUMENT, LITERT_MODEL, file_digest
from ml_models.classifier import Classifier, load_classifier
from ml_models.decision import REASON_TEXTS
from ml_models.gates import NETWORK_SCORES, PHOTO_SCORES, TIERS
from ml_models.heads import KIND_ORDER
from tests.artefacts import model_called

ADDRESS = "/api/model/on-device/"
GONE = "0" * 64


@pytest.fixture
def description(anonymous: Client) -> dict[str, Any]:
    return anonymous.get(ADDRESS).json()


@pytest.fixture
def content(settings) -> bytes:
    return (settings.MODEL_ARTEFACT / LITERT_MODEL).read_bytes()


@pytest.fixture
def live_copy(settings, monkeypatch, tmp_path: Path) -> Path:
    """A folder of one's own that is live, and may be damaged."""
    folder = shutil.copytree(settings.MODEL_ARTEFACT, tmp_path / "model", ignore=shutil.ignore_patterns("plots"))
    monkeypatch.setattr(ml_state, "_live", load_classifier(folder))
    settings.MODEL_ARTEFACT = Path(folder)
    return settings.MODEL_ARTEFACT


def test_description_has_exactly_the_promised_keys(description: dict[str, Any]):
    assert set(description) == {
        "format", "model", "intended_use", "file", "input", "labels", "calibrations", "patient", "heads", "gates",
        "decision", "disclaimer",
    }  # fmt: skip


def test_description_is_that_of_the_live_model(description: dict[str, Any], anonymous: Client):
    document = ml_state.classifier().document
    assert description["model"]["digest"] == anonymous.get("/api/model/").json()["digest"]
    assert description["input"]["size_px"] == document.input.size_px
    assert [label["code"] for label in description["labels"]] == list(document.codes)
    assert (
        description["calibrations"]["dermatoscopic"]["temperature"]
        == document.calibrations["dermatoscopic"].temperature
    )
    assert description["decision"]["malignancy_thresholds"] == document.malignancy_thresholds
    assert description["decision"]["prediction_sets"] == document.prediction_sets
    assert description["decision"]["gated"] == list(document.gated)
    assert description["heads"]["modality_certainty"] == document.modality_certainty


def test_description_names_every_score_and_reason(description: dict[str, Any]):
    assert description["gates"]["photo_scores"] == list(PHOTO_SCORES)
    assert description["gates"]["network_scores"] == list(NETWORK_SCORES)
    assert description["heads"]["kind_order"] == list(KIND_ORDER)
    gates = ml_state.classifier().document.gates
    assert description["gates"]["rules"] == [{**dataclasses.asdict(gate), "tier": TIERS[gate.reason]} for gate in gates]
    assert description["decision"]["reasons"] == REASON_TEXTS


def test_description_names_the_outputs_that_the_file_has(
    description: dict[str, Any], shipped_classifier: Classifier, lesion_rgb
):
    has_heads = "lesion_photo" in shipped_classifier.classify(lesion_rgb).photos[0].gate_scores
    assert set(description["file"]["outputs"]) == ({"logits", "kinds", "coverage"} if has_heads else {"logits"})


def test_description_age_bands_leave_out_no_year(description: dict[str, Any]):
    years = [
        year for band in description["patient"]["age_bands"] for year in range(band["from_years"], band["to_years"] + 1)
    ]
    assert years == list(range(121))


def test_description_is_in_the_language_of_the_request(anonymous: Client):
    texts = anonymous.get(ADDRESS, headers={"Accept-Language": "es"}).json()["decision"]["texts"]
    assert texts["rejected_diagnosis"] == "Foto no utilizable"
    assert texts["unsure"].endswith(" ")


def test_description_names_no_path(anonymous: Client, settings):
    assert str(settings.MODEL_ARTEFACT.parent).encode() not in anonymous.get(ADDRESS).content


@pytest.mark.django_db
@pytest.mark.parametrize("path", [ADDRESS, f"{ADDRESS}{GONE}/"])
def test_without_model_nothing_is_given(anonymous: Client, assert_error: Callable[..., Any], no_model: Path, path: str):
    body = assert_error(anonymous.get(path), 503, "artefact_invalid")
    assert no_model.name not in body["error"]


@pytest.mark.parametrize("slash", ["/", ""])
def test_file_is_streamed_as_described(anonymous: Client, description: dict[str, Any], content: bytes, slash: str):
    response = anonymous.get(description["file"]["url"].rstrip("/") + slash)
    assert response.status_code == 200
    assert response.streaming
    assert response.getvalue() == content
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["ETag"] == f'"{description["file"]["sha256"]}"'
    assert response.headers["Content-Length"] == str(description["file"]["size_bytes"])
    assert response.headers["Accept-Ranges"] == "bytes"
    assert "immutable" in response.headers["Cache-Control"]


def test_file_is_read_in_parts(anonymous: Client, description: dict[str, Any]):
    response = anonymous.get(description["file"]["url"])
    assert max(len(part) for part in response.streaming_content) <= 2**16


def test_file_that_the_client_has_is_not_sent(anonymous: Client, description: dict[str, Any]):
    url, etag = description["file"]["url"], f'"{description["file"]["sha256"]}"'
    response = anonymous.get(url, headers={"If-None-Match": etag, "Range": "bytes=0-9"})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == etag
    other = anonymous.get(url, headers={"If-None-Match": '"other"'})
    assert (other.status_code, len(other.getvalue())) == (200, description["file"]["size_bytes"])


def test_file_can_be_resumed(anonymous: Client, description: dict[str, Any], content: bytes):
    url, etag = description["file"]["url"], f'"{description["file"]["sha256"]}"'
    half = len(content) // 2
    first = anonymous.get(url, headers={"Range": f"bytes=0-{half - 1}"})
    rest = anonymous.get(url, headers={"Range": f"bytes={half}-", "If-Range": etag})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert rest.headers["Content-Range"] == f"bytes {half}-{len(content) - 1}/{len(content)}"
    assert rest.headers["Content-Length"] == str(len(content) - half)
    assert first.getvalue() + rest.getvalue() == content


def test_file_range_after_its_end_is_416(
    anonymous: Client, description: dict[str, Any], content: bytes, assert_error: Callable[..., Any]
):
    response = anonymous.get(description["file"]["url"], headers={"Range": f"bytes={len(content)}-"})
    assert_error(response, 416, "range_not_satisfiable")
    assert response.headers["Content-Range"] == f"bytes */{len(content)}"


@pytest.mark.django_db
def test_file_of_a_model_that_is_not_live_is_404(anonymous: Client, assert_error: Callable[..., Any]):
    assert_error(anonymous.get(f"{ADDRESS}{GONE}/"), 404, "not_found")


@pytest.mark.django_db
def test_switched_model_has_another_address_and_the_old_one_is_gone(
    anonymous: Client, description: dict[str, Any], assert_error: Callable[..., Any], monkeypatch, live_copy: Path
):
    with (live_copy / LITERT_MODEL).open("ab") as file:
        file.write(b"another model")
    live = ml_state.classifier()
    digest = hashlib.sha256((live_copy / LITERT_MODEL).read_bytes()).hexdigest()
    document = dataclasses.replace(live.document, files={**live.document.files, LITERT_MODEL: digest})
    switched = Classifier(dataclasses.replace(live._artefact, document=document), live._runtime)
    monkeypatch.setattr(ml_state, "_live", switched)
    file = anonymous.get(ADDRESS).json()["file"]
    assert file["sha256"] == digest
    assert hashlib.sha256(anonymous.get(file["url"]).getvalue()).hexdigest() == digest
    assert_error(anonymous.get(description["file"]["url"]), 404, "not_found")


@pytest.mark.django_db
def test_late_worker_looks_for_the_model_that_another_one_has_described(
    anonymous: Client, description: dict[str, Any], settings, tmp_path: Path
):
    """Both behind one address: whoever reads the description here and asks for the file there is not sent away."""
    other = model_called("other", tmp_path / "other")
    with (other / LITERT_MODEL).open("ab") as file:
        file.write(b"another network")
    document = json.loads((other / DOCUMENT).read_text())
    document["files"][LITERT_MODEL] = file_digest(other / LITERT_MODEL)
    (other / DOCUMENT).write_text(json.dumps(document))
    settings.MODEL_ARTEFACT = other
    digest = document["files"][LITERT_MODEL]
    assert anonymous.get(f"{ADDRESS}{digest}/").getvalue() == (other / LITERT_MODEL).read_bytes()
    assert anonymous.get(ADDRESS).json()["file"]["sha256"] == digest != description["file"]["sha256"]


def test_file_written_over_in_its_place_is_never_served(
    anonymous: Client, description: dict[str, Any], assert_error: Callable[..., Any], live_copy: Path, content: bytes
):
    """Its bytes would not be those of the address, which caches keep for ever."""
    (live_copy / LITERT_MODEL).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for url in (ADDRESS, description["file"]["url"]):
        assert_error(anonymous.get(url), 503, "artefact_invalid")
    (live_copy / LITERT_MODEL).write_bytes(content)
    assert anonymous.get(description["file"]["url"]).getvalue() == content


def test_file_that_is_gone_is_503(
    anonymous: Client, description: dict[str, Any], assert_error: Callable[..., Any], live_copy: Path
):
    (live_copy / LITERT_MODEL).unlink()
    for url in (ADDRESS, description["file"]["url"]):
        assert_error(anonymous.get(url), 503, "artefact_invalid")


@pytest.mark.slow
def test_server_sends_the_file_whole_and_in_parts(tmp_path: Path, content: bytes):
    with running_server(tmp_path, WEB_CONCURRENCY="1") as server:
        digest = hashlib.sha256(content).hexdigest()
        address = f"{ADDRESS}{digest}/"
        assert server.request("GET", address).body == content
        part = server.request("GET", address, headers={"Range": "bytes=-3"})
        assert (part.status, part.body) == (206, content[-3:])
        head = server.request("HEAD", address)
        assert (head.status, head.body) == (200, b"")
        assert server.request("GET", address, headers={"If-None-Match": f'"{digest}"'}).status == 304
