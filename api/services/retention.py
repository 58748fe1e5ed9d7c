"""Forgetting in time: photos and rows whose days are over, and files that no row speaks of."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.files.storage import Storage
from django.db import transaction
from django.db.models import QuerySet

from api.models import Prediction, PredictionImage
from api.selectors import expired_predictions

_FOLDER = "predictions"
_ORPHAN_AGE = timedelta(days=1)
_BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class PurgeSummary:
    """What was removed, or would be."""

    predictions: int
    orphan_files: int


def purge_expired(*, now: datetime, dry_run: bool = False) -> PurgeSummary:
    """Delete predictions past their retention with their files, then files older than a day without a row.

    Anonymous rows live ANONYMOUS_RETENTION_DAYS, attributed ones RETENTION_DAYS (0: until the person deletes them).
    A file goes after its row: interrupted, it is an orphan that the next run removes.
    """
    expired = expired_predictions(now=now)
    count = expired.count()
    if not dry_run:
        while batch := list(expired.values_list("pk", flat=True)[:_BATCH_SIZE]):
            delete_predictions(predictions=Prediction.objects.filter(pk__in=batch))
    return PurgeSummary(count, _purge_orphans(older_than=now - _ORPHAN_AGE, dry_run=dry_run))


def delete_predictions(*, predictions: QuerySet[Prediction]) -> None:
    """Delete rows and, once that is committed, their files."""
    with transaction.atomic():
        files = list(PredictionImage.objects.filter(prediction__in=predictions).values_list("photo", flat=True))
        predictions.delete()
    for name in files:
        _storage().delete(name)


def _purge_orphans(*, older_than: datetime, dry_run: bool) -> int:
    storage, removed = _storage(), 0
    folders, _ = storage.listdir(_FOLDER) if storage.exists(_FOLDER) else ([], [])
    for folder in sorted(folders):
        _, files = storage.listdir(f"{_FOLDER}/{folder}")
        names = {f"{_FOLDER}/{folder}/{file}" for file in files}
        known = set(
            PredictionImage.objects.filter(photo__startswith=f"{_FOLDER}/{folder}/").values_list("photo", flat=True)
        )
        for name in sorted(names - known):
            if _is_older(storage, name, older_than):
                removed += 1
                if not dry_run:
                    storage.delete(name)
    return removed


def _is_older(storage: Storage, name: str, than: datetime) -> bool:
    """False also for a file that somebody else has removed since it was listed."""
    try:
        return storage.get_modified_time(name) < than
    except FileNotFoundError:
        return False


def _storage() -> Storage:
    return PredictionImage.photo.field.storage
