"""Alive and ready, for whoever watches."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from api import health, ml_state
from api.services.model_versions import activate_version
from api.switching.store import folder_of
from tests.artefacts import spoil


@pytest.mark.parametrize("path", ["/healthz", "/healthz/"])
def test_healthz_answers_without_database(anonymous: Client, path: str):
    """There is no database mark here: a query would fail."""
    assert anonymous.get(path).json() == {"status": "ok"}


def test_healthz_answers_without_model(anonymous: Client, no_model: Path):
    assert anonymous.get("/healthz").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/readyz", "/readyz/"])
def test_readyz_with_model_and_database_is_ready(anonymous: Client, path: str):
    response = anonymous.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


@pytest.mark.django_db
def test_readyz_without_model_is_503(anonymous: Client, assert_error: Callable[..., Any], no_model: Path):
    body = assert_error(anonymous.get("/readyz"), 503, "not_ready")
    assert "model" in body["error"]
    assert no_model.name not in body["error"]


@pytest.mark.django_db
def test_readyz_is_yellow_while_another_model_than_the_active_one_answers(anonymous: Client, registered):
    """Still 200: a balancer must not take every replica away because of one broken folder."""
    version = registered("left")
    activate_version(version=version)
    folder = folder_of(version)
    spoil(folder)
    ml_state.refresh()
    response = anonymous.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    (warning,) = response.json()["warnings"]
    assert warning.startswith(f"{version} is active, but")
    assert "missing or broken" in warning
    assert str(folder.parent) not in warning


@pytest.mark.django_db
def test_readyz_is_green_again_after_the_switch(anonymous: Client, registered):
    activate_version(version=registered("left"))
    assert anonymous.get("/readyz").json()["status"] == "degraded"
    ml_state.refresh()
    assert anonymous.get("/readyz").json() == {"status": "ready"}


@pytest.mark.django_db
def test_readyz_is_yellow_when_nobody_knows_which_model_is_active(anonymous: Client, monkeypatch):
    def refuse() -> None:
        raise InterfaceError("password=secret")

    monkeypatch.setattr(ml_state, "active_version", refuse)
    (warning,) = anonymous.get("/readyz").json()["warnings"]
    assert "not known" in warning
    assert "secret" not in warning


@pytest.mark.django_db
def test_readyz_with_an_unapplied_migration_is_503(anonymous: Client, assert_error: Callable[..., Any]):
    MigrationRecorder.Migration.objects.filter(app="api").delete()
    body = assert_error(anonymous.get("/readyz"), 503, "not_ready")
    assert "migrate" in body["error"]


@pytest.mark.django_db
def test_readyz_without_database_is_503(anonymous: Client, assert_error: Callable[..., Any], monkeypatch):
    def refuse(_connection: object) -> None:
        raise DatabaseError("password=secret")

    monkeypatch.setattr(health, "MigrationExecutor", refuse)
    body = assert_error(anonymous.get("/readyz"), 503, "not_ready")
    assert "database" in body["error"]
    assert "secret" not in body["error"]


@pytest.mark.django_db
def test_readyz_with_two_problems_names_both(anonymous: Client, assert_error: Callable[..., Any], no_model: Path):
    MigrationRecorder.Migration.objects.filter(app="api").delete()
    error = assert_error(anonymous.get("/readyz"), 503, "not_ready")["error"]
    assert "model" in error
    assert "migrate" in error
