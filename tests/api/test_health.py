"""Alive and ready, for whoever watches."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from api import health


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
