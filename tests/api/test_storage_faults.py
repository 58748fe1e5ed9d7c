"""Storage that fails: 503 in words, and neither a row nor a file is left behind."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError
from django.test import Client

from api.models import IdempotencyKey, Prediction, PredictionImage, Scan

pytestmark = pytest.mark.django_db


def stored_files(media_root: Path) -> list[Path]:
    return [path for path in media_root.rglob("*") if path.is_file()]


def full_disk(storage: FileSystemStorage, name: str, content: Any) -> str:
    """Write the beginning, as a disk does that runs full in the middle."""
    path = Path(storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.read(100))
    raise OSError(errno.ENOSPC, "No space left on device")


def read_only_disk(storage: FileSystemStorage, name: str, content: Any) -> str:
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize("disk", [full_disk, read_only_disk])
def test_predict_photo_that_cannot_be_stored_is_503_and_leaves_nothing(
    anonymous: Client, predict: Callable[..., Any], assert_error, media_root: Path, monkeypatch, disk
):
    monkeypatch.setattr(FileSystemStorage, "_save", disk)
    response = predict(anonymous)
    assert_error(response, 503, "storage_unavailable")
    assert response.headers["Retry-After"] == "5"
    assert (Prediction.objects.count(), stored_files(media_root)) == (0, [])


def test_predict_on_a_disk_that_cannot_even_delete_is_503(
    anonymous: Client, predict: Callable[..., Any], assert_error, monkeypatch
):
    def delete(_storage: FileSystemStorage, name: str) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(FileSystemStorage, "_save", full_disk)
    monkeypatch.setattr(FileSystemStorage, "delete", delete)
    assert_error(predict(anonymous), 503, "storage_unavailable")


def test_predict_row_that_cannot_be_written_is_503_and_leaves_no_file(
    anonymous: Client, predict: Callable[..., Any], assert_error, media_root: Path, monkeypatch
):
    def locked(_image: PredictionImage, **options: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(PredictionImage, "save", locked)
    response = predict(anonymous)
    assert_error(response, 503, "storage_unavailable")
    assert (Prediction.objects.count(), stored_files(media_root)) == (0, [])


def test_predict_storage_fault_is_logged_with_its_cause(
    anonymous: Client, predict: Callable[..., Any], monkeypatch, caplog
):
    monkeypatch.setattr(FileSystemStorage, "_save", full_disk)
    predict(anonymous)
    assert "No space left on device" in caplog.text


def test_predict_storage_fault_tells_strangers_no_path(
    anonymous: Client, predict: Callable[..., Any], media_root: Path, monkeypatch
):
    monkeypatch.setattr(FileSystemStorage, "_save", full_disk)
    assert str(media_root) not in predict(anonymous).text


# Saved scans


@pytest.mark.parametrize("disk", [full_disk, read_only_disk])
def test_save_photo_that_cannot_be_stored_is_503_and_leaves_nothing(
    bearer, person, save: Callable[..., Any], assert_error, media_root: Path, monkeypatch, disk
):
    monkeypatch.setattr(FileSystemStorage, "_save", disk)
    response = save(bearer(person))
    assert_error(response, 503, "storage_unavailable")
    assert response.headers["Retry-After"] == "5"
    assert (Scan.objects.count(), stored_files(media_root)) == (0, [])


@pytest.fixture
def answered(anonymous: Client, predict: Callable[..., Any], media_root: Path) -> list[Path]:
    """An anonymous answer to the photo that is about to be saved; its files."""
    predict(anonymous)
    return stored_files(media_root)


@pytest.mark.parametrize("model", [Scan, IdempotencyKey])
def test_save_row_that_cannot_be_written_is_503_and_leaves_nothing_and_claims_nothing(
    bearer, person, save: Callable[..., Any], media_root: Path, answered: list[Path], monkeypatch, model
):
    def locked(_row: Any, **options: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(model, "save", locked)
    response = save(bearer(person), headers={"Idempotency-Key": "a key"})
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert (Scan.objects.count(), stored_files(media_root)) == (0, answered)
    assert Prediction.objects.get().user is None


def test_predict_key_that_cannot_be_written_is_503_and_leaves_nothing(
    bearer, person, predict: Callable[..., Any], assert_error, media_root: Path, monkeypatch
):
    def locked(_row: Any, **options: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(IdempotencyKey, "save", locked)
    client = bearer(person)
    client.defaults["HTTP_IDEMPOTENCY_KEY"] = "a key"
    assert_error(predict(client), 503, "storage_unavailable")
    assert (Prediction.objects.count(), stored_files(media_root)) == (0, [])
