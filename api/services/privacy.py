"""A person's own data: all of it to take along, all of it to delete."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from django.core.files.storage import Storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied

from accounts.audit import record_event
from accounts.errors import FormRefused
from accounts.models import AuditKind, User
from accounts.selectors import current_person
from accounts.services import delete_person
from api.models import Prediction, PredictionImage, Scan, Tombstone
from api.reviews.models import Review
from api.selectors import predictions_of, scans_of
from api.services.photo_files import delete_files

_CHUNK_BYTES = 2**20
_SECRETS = {"password"}
_OF_OTHERS = {"reviewer_id", "reviewer_pseudonym", "may_read_log"}  # reviewers are people, too


def delete_account(*, user: User, password: str) -> None:
    """Delete the person with all rows and photos; a tombstone that says nothing of them is left.

    Every token ends with the person. Raises FormRefused for a wrong password, PermissionDenied for staff, whose
    reviews must stay attributed.
    """
    if not user.check_password(password):
        raise FormRefused({"password": [_("This is not your password.")]})
    if user.is_staff:
        raise PermissionDenied(_("Accounts of staff are closed by an administrator."))
    erase_person(user=user)


def erase_person(*, user: User) -> None:
    """Delete the person with all rows and photos, whoever asked for it; see `delete_account`."""
    with transaction.atomic():
        person = current_person(user)  # locked: a photo that is being sent at this moment waits, and then has nobody
        predictions, scans = Prediction.objects.filter(user=person), Scan.objects.filter(user=person)
        images = PredictionImage.objects.filter(prediction__user=person)
        photos = [*images.values_list("photo", flat=True), *scans.values_list("photo", flat=True)]
        Tombstone.objects.create(user_id=person.pk, predictions=predictions.count(), scans=scans.count())
        scans.delete()
        predictions.delete()
        delete_person(user=person)
    delete_files(names=photos, storage=_storage())


def export_account(*, user: User) -> Iterator[bytes]:
    """A zip of everything kept about the person, in pieces: JSON first, then one photo after the other.

    All rows are read and the export is recorded before this returns; only files are read while it streams.
    Raises TokenRefused when the person has gone meanwhile.
    """
    predictions = list(predictions_of(user=user))
    scans = list(scans_of(user=user))
    images = [image for prediction in predictions for image in prediction.images.all()]
    names = {image.photo.name: f"photos/predictions/{image.prediction_id}-{image.position}" for image in images}
    names |= {scan.photo.name: f"photos/scans/{scan.pk}" for scan in scans}
    names = {stored: f"{name}{PurePath(stored).suffix}" for stored, name in names.items()}
    with transaction.atomic():
        record_event(kind=AuditKind.EXPORT, actor=current_person(user))
    documents = {
        "account.json": _record(user),
        "predictions.json": [_prediction_record(prediction, names) for prediction in predictions],
        "scans.json": [_record(scan) | {"photo": names[scan.photo.name]} for scan in scans],
        "events.json": [_record(event) for event in user.audit_events.all()],
    }
    return _zipped(documents, names)


def _prediction_record(prediction: Prediction, names: dict[str, str]) -> dict[str, Any]:
    remark = getattr(prediction, "remark", None)
    images = [_record(image) | {"photo": names[image.photo.name]} for image in prediction.images.all()]
    reviews = [
        _record(review) | {"remarks": [_record(each) for each in review.remarks.all()]}
        for review in Review.objects.filter(case=prediction.pk).prefetch_related("remarks")
    ]
    return _record(prediction) | {"remark": remark and _record(remark), "images": images, "reviews": reviews}


def _record(row: models.Model) -> dict[str, Any]:
    """Every column, so that one added later is exported without being thought of here."""
    return {
        field.attname: _plain(field.value_from_object(row))
        for field in row._meta.concrete_fields  # noqa: SLF001 - documented under this name
        if field.attname not in _SECRETS | _OF_OTHERS
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    return value.name if isinstance(value, models.fields.files.FieldFile) else value


def _zipped(documents: dict[str, Any], photos: dict[str, str]) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:  # stored, not deflated: photos do not shrink
        for name, content in documents.items():
            text = json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
            archive.writestr(name, text, zipfile.ZIP_DEFLATED)
            yield pipe.taken()
        for stored, name in photos.items():
            try:
                file = _storage().open(stored)
            except FileNotFoundError:  # deleted since, or lost
                continue
            with file, archive.open(name, "w") as entry:
                for chunk in file.chunks(_CHUNK_BYTES):
                    entry.write(chunk)
                    yield pipe.taken()
    yield pipe.taken()


class _Pipe(io.RawIOBase):
    """Takes what a zip writes, until it is taken on its way."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def taken(self) -> bytes:
        """Everything written since the last time."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole


def _storage() -> Storage:
    return Scan.photo.field.storage
