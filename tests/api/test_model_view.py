"""What `/api/model/` says about the live model."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from api import ml_state
from ml_models.classifier import Classifier

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


def test_model_view_metrics_are_told_by_domain_with_their_split(model: dict[str, Any]):
    for domain, block in model["metrics"]["test"].items():
        assert domain in {"dermatoscopic", "clinical"}
        assert block["split"].startswith("test")
        assert set(block["balanced_accuracy"]) == {"value", "low", "high"}


def test_model_view_slices_are_left_to_the_model_card(anonymous: Client, monkeypatch):
    live = ml_state.classifier()
    metrics = {**live.document.metrics, "slices": {"dermatoscopic": [{"fact": "sex", "value": "female"}]}}
    sliced = dataclasses.replace(live._artefact, document=dataclasses.replace(live.document, metrics=metrics))
    monkeypatch.setattr(ml_state, "_live", Classifier(sliced, live._runtime))
    assert "slices" not in anonymous.get("/api/model/").json()["metrics"]


def test_model_view_limit_is_the_setting(anonymous: Client, settings):
    settings.MAX_UPLOAD_BYTES = 4711
    assert anonymous.get("/api/model/").json()["recommended_upload"]["max_bytes"] == 4711


def test_model_view_names_no_path(anonymous: Client, settings):
    assert str(settings.MODEL_ARTEFACT.parent).encode() not in anonymous.get("/api/model/").content


@pytest.mark.django_db
def test_model_view_without_model_is_503(anonymous: Client, assert_error: Callable[..., Any], no_model: Path):
    body = assert_error(anonymous.get("/api/model/"), 503, "artefact_invalid")
    assert no_model.name not in body["error"]


def test_model_view_head_answers_without_body(anonymous: Client):
    response = anonymous.head("/api/model/")
    assert (response.status_code, response.content) == (200, b"")
