"""What `/api/model/` says about the live model."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

CODES = ["akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc"]


@pytest.fixture
def model(anonymous: Client) -> dict[str, Any]:
    return anonymous.get("/api/model/").json()


def test_model_view_has_exactly_the_promised_keys(model: dict[str, Any]):
    assert set(model) == {
        "name", "version", "digest", "created_at", "intended_use", "labels", "metrics", "malignancy_thresholds",
        "recommended_upload",
    }  # fmt: skip


def test_model_view_digest_is_that_of_the_document(model: dict[str, Any], settings):
    document = settings.MODEL_ARTEFACT / "model.json"
    assert model["digest"] == hashlib.sha256(document.read_bytes()).hexdigest()


def test_model_view_labels_are_in_the_order_of_the_outputs(model: dict[str, Any]):
    assert [label["code"] for label in model["labels"]] == CODES


def test_model_view_malignant_labels_are_named(model: dict[str, Any]):
    assert {label["code"] for label in model["labels"] if label["malignant"]} == {"akiec", "bcc", "mel", "scc"}


def test_model_view_metrics_are_told(model: dict[str, Any]):
    assert model["metrics"]


def test_model_view_limit_is_the_setting(anonymous: Client, settings):
    settings.MAX_UPLOAD_BYTES = 4711
    assert anonymous.get("/api/model/").json()["recommended_upload"]["max_bytes"] == 4711


def test_model_view_names_no_path(anonymous: Client, settings):
    assert str(settings.MODEL_ARTEFACT.parent).encode() not in anonymous.get("/api/model/").content


def test_model_view_without_model_is_503(anonymous: Client, assert_error: Callable[..., Any], no_model: Path):
    body = assert_error(anonymous.get("/api/model/"), 503, "artefact_invalid")
    assert no_model.name not in body["error"]


def test_model_view_head_answers_without_body(anonymous: Client):
    response = anonymous.head("/api/model/")
    assert (response.status_code, response.content) == (200, b"")
