"""Forgetting in time: photos and rows whose days are over, and files that no row speaks of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import Storage
from django.db import transaction
from django.db.models import QuerySet

from api.models import Prediction, PredictionImage, Scan
from api.selectors import expired_predictions, expired_scans
from api.services.idempotency import expired_keys
from api.services.photo_files import delete_files
from api.services.scans import delete_scans

_FOLDERS: dict[str, type[PredictionImage | Scan]] = {"predictions": PredictionImage, "scans": Scan}
_ORPHAN_AGE = timedelta(days=1)
_BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class PurgeSummary:
    """What was removed, or would be."""

    predictions: int
    orphan_files: int
    scans: int = 0
    idempotency_keys: int = 0


def purge_expired(*, now: datetime, dry_run: bool = False) -> PurgeSummary:
    """Delete what is past its retention with its files, then files older than a day without a row.

    Anonymous rows live ANONYMOUS_RETENTION_DAYS, attributed ones RETENTION_DAYS (0: until the person deletes them),
    keys of repeated requests IDEMPOTENCY_HOURS. A file goes after its row: interrupted, it is an orphan that the next
    run removes.
    """
    predictions, scans, keys = expired_predictions(now=now), expired_scans(now=now), expired_keys(now=now)
    counts = {"predictions": predictions.count(), "scans": scans.count(), "idempotency_keys": keys.count()}
    if not dry_run:
        for batch in _batches(predictions):
            delete_predictions(predictions=Prediction.objects.filter(pk__in=batch))
        for batch in _batches(scans):
            delete_scans(scans=Scan.objects.filter(pk__in=batch))
        keys.delete()
    orphan_files = sum(_purge_orphans(folder, older_than=now - _ORPHAN_AGE, dry_run=dry_run) for folder in _FOLDERS)
    return PurgeSummary(orphan_files=orphan_files, **counts)


def delete_predictions(*, predictions: QuerySet[Prediction]) -> int:
    """Delete rows and, once that is committed, their files; how many rows."""
    with transaction.atomic():
        keys = list(predictions.values_list("pk", flat=True))
        names = list(PredictionImage.objects.filter(prediction__in=keys).values_list("photo", flat=True))
        Prediction.objects.filter(pk__in=keys).delete()
    delete_files(names=names, storage=_storage())
    return len(keys)


def _batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Keys of what is still there: short transactions, so that photos of others can be answered in between."""
    while batch := list(rows.values_list("pk", flat=True)[:_BATCH_SIZE]):
        yield batch


def _purge_orphans(folder: str, *, older_than: datetime, dry_run: bool) -> int:
    storage, removed = _storage(), 0
    parts, _ = storage.listdir(folder) if storage.exists(folder) else ([], [])
    for part in sorted(parts):
        _, files = storage.listdir(f"{folder}/{part}")
        names = {f"{folder}/{part}/{file}" for file in files}
        rows = _FOLDERS[folder].objects.filter(photo__startswith=f"{folder}/{part}/")
        for name in sorted(names - set(rows.values_list("photo", flat=True))):
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
