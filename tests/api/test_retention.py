"""Forgetting in time, and nothing else."""

import io
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.utils import timezone

from api.models import Prediction, PredictionImage, Scan
from api.services import retention
from api.services.retention import PurgeSummary, delete_predictions, purge_expired
from tests.api.conftest import stored_files

pytestmark = pytest.mark.django_db

COUNTS = "1 predictions, 0 scans, 0 keys of repeated requests and 1 files without a row.\n"
Make = Callable[..., Prediction]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def make_orphan(media_root: Path) -> Callable[[float], Path]:
    """Write a file that no row speaks of: `make_orphan(days_old)`."""

    def make(days_old: float) -> Path:
        path = media_root / "predictions" / "ab" / f"ab{len(stored_files(media_root))}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left over")
        then = (timezone.now() - timedelta(days=days_old)).timestamp()
        os.utime(path, (then, then))
        return path

    return make


@pytest.mark.parametrize(
    ("days_old", "left"), [(30.01, 0), (29.99, 1), (0, 1)], ids=["over-30-days", "under-30-days", "new"]
)
def test_purge_anonymous_prediction_goes_with_its_file_after_30_days(
    make_prediction: Make, media_root: Path, now: datetime, days_old: float, left: int
):
    make_prediction(days_old=days_old)
    purge_expired(now=now)
    assert (Prediction.objects.count(), len(stored_files(media_root))) == (left, left)


def test_purge_removes_image_rows(make_prediction: Make, now: datetime):
    make_prediction(days_old=31)
    purge_expired(now=now)
    assert not PredictionImage.objects.exists()


def test_purge_anonymous_retention_is_a_setting(make_prediction: Make, settings, now: datetime):
    settings.ANONYMOUS_RETENTION_DAYS = 7
    kept = make_prediction(days_old=6.9)
    make_prediction(days_old=7.1)
    purge_expired(now=now)
    assert list(Prediction.objects.all()) == [kept]


def test_purge_attributed_prediction_stays(make_prediction: Make, media_root: Path, person, now: datetime):
    make_prediction(days_old=4000, user=person)
    purge_expired(now=now)
    assert (Prediction.objects.count(), len(stored_files(media_root))) == (1, 1)


def test_purge_attributed_prediction_goes_after_retention_days(make_prediction: Make, settings, person, now: datetime):
    settings.RETENTION_DAYS = 100
    kept = make_prediction(days_old=99.9, user=person)
    make_prediction(days_old=100.1, user=person)
    purge_expired(now=now)
    assert list(Prediction.objects.all()) == [kept]


def test_purge_retention_days_do_not_lengthen_anonymous_ones(make_prediction: Make, settings, now: datetime):
    settings.RETENTION_DAYS = 100
    make_prediction(days_old=31)
    purge_expired(now=now)
    assert not Prediction.objects.exists()


def test_purge_many_batches_leave_nothing(make_prediction: Make, media_root: Path, now: datetime, monkeypatch):
    monkeypatch.setattr(retention, "_BATCH_SIZE", 2)
    for _ in range(5):
        make_prediction(days_old=31)
    assert purge_expired(now=now).predictions == 5
    assert (Prediction.objects.count(), stored_files(media_root)) == (0, [])


@pytest.fixture
def make_scan(bearer, person, save) -> Callable[..., Scan]:
    """Save a scan some days ago: `make_scan(days_old=100)`."""

    def make(*, days_old: float) -> Scan:
        scan = Scan.objects.get(pk=save(bearer(person)).json()["id"])
        scan.created_at -= timedelta(days=days_old)
        scan.save()
        return scan

    return make


def test_purge_saved_scan_stays(make_scan, media_root: Path, now: datetime):
    make_scan(days_old=4000)
    assert purge_expired(now=now).scans == 0
    assert (Scan.objects.count(), len(stored_files(media_root))) == (1, 1)


def test_purge_saved_scan_goes_with_its_file_after_retention_days(make_scan, media_root, settings, now: datetime):
    settings.RETENTION_DAYS = 100
    kept, _gone = make_scan(days_old=99.9), make_scan(days_old=100.1)
    assert purge_expired(now=now).scans == 1
    assert list(Scan.objects.all()) == [kept]
    assert stored_files(media_root) == [Path(kept.photo.path)]


def test_purge_scans_in_many_batches_leave_nothing(make_scan, media_root: Path, settings, now: datetime, monkeypatch):
    settings.RETENTION_DAYS = 100
    monkeypatch.setattr(retention, "_BATCH_SIZE", 2)
    for _ in range(5):
        make_scan(days_old=101)
    purge_expired(now=now)
    assert (Scan.objects.count(), stored_files(media_root)) == (0, [])


def test_purge_orphan_photo_of_a_scan_goes_after_a_day(make_scan, media_root: Path, now: datetime):
    kept = make_scan(days_old=0)
    orphan = media_root / "scans" / "ab" / "left.jpg"
    orphan.parent.mkdir(parents=True, exist_ok=True)
    orphan.write_bytes(b"left over")
    for path in (orphan, Path(kept.photo.path)):
        os.utime(path, (0, 0))
    assert purge_expired(now=now).orphan_files == 1
    assert stored_files(media_root) == [Path(kept.photo.path)]


@pytest.mark.parametrize(("days_old", "stays"), [(1.01, False), (0.99, True)], ids=["over-a-day", "under-a-day"])
def test_purge_orphan_goes_after_a_day(make_orphan, now: datetime, days_old: float, stays: bool):  # noqa: FBT001
    path = make_orphan(days_old)
    purge_expired(now=now)
    assert path.exists() is stays


def test_purge_old_file_with_a_row_stays(make_prediction: Make, media_root: Path, person, now: datetime):
    make_prediction(user=person)
    (file,) = stored_files(media_root)
    os.utime(file, (0, 0))
    assert purge_expired(now=now).orphan_files == 0
    assert file.exists()


def test_purge_other_folders_of_the_media_root_are_left_alone(media_root: Path, make_orphan, now: datetime):
    make_orphan(2)
    other = media_root / "reports" / "ab" / "report.pdf"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"x")
    os.utime(other, (0, 0))
    purge_expired(now=now)
    assert stored_files(media_root) == [other]


def test_purge_lost_file_does_not_stop_it(make_prediction: Make, media_root: Path, now: datetime):
    make_prediction(days_old=31)
    for file in stored_files(media_root):
        file.unlink()
    assert purge_expired(now=now).predictions == 1
    assert not Prediction.objects.exists()


def test_purge_orphan_that_vanishes_meanwhile_does_not_stop_it(make_orphan, now: datetime, monkeypatch):
    """Two purges may run at once, or a failed prediction may take its file back."""
    make_orphan(2)

    def vanished(_storage: object, _name: str) -> datetime:
        raise FileNotFoundError

    monkeypatch.setattr(FileSystemStorage, "get_modified_time", vanished)
    assert purge_expired(now=now).orphan_files == 0


def test_purge_without_any_media_folder_is_empty(now: datetime):
    assert purge_expired(now=now) == PurgeSummary(predictions=0, orphan_files=0)


def test_purge_dry_run_counts_and_deletes_nothing(make_prediction: Make, make_orphan, media_root: Path, now: datetime):
    make_prediction(days_old=31)
    make_orphan(2)
    assert purge_expired(now=now, dry_run=True) == PurgeSummary(predictions=1, orphan_files=1)
    assert (Prediction.objects.count(), len(stored_files(media_root))) == (1, 2)


def test_purge_counts_what_it_removed(make_prediction: Make, make_orphan, now: datetime):
    make_prediction(days_old=31)
    make_prediction()
    make_orphan(2)
    make_orphan(0)
    assert purge_expired(now=now) == PurgeSummary(predictions=1, orphan_files=1)


def test_delete_predictions_removes_only_those(make_prediction: Make, media_root: Path):
    kept, gone = make_prediction(), make_prediction()
    delete_predictions(predictions=Prediction.objects.filter(pk=gone.pk))
    assert list(Prediction.objects.all()) == [kept]
    assert stored_files(media_root) == [Path(kept.images.get().photo.path)]


@pytest.mark.parametrize(
    ("options", "text", "left"),
    [
        ([], f"Deleted {COUNTS}", 0),
        (["--dry-run"], f"Would delete {COUNTS}", 1),
    ],
    ids=["for-real", "dry-run"],
)
def test_purge_command_says_what_it_did(make_prediction: Make, make_orphan, options: list[str], text: str, left: int):
    make_prediction(days_old=31)
    make_orphan(2)
    output = io.StringIO()
    call_command("purge_expired", *options, stdout=output)
    assert (output.getvalue(), Prediction.objects.count()) == (text, left)
