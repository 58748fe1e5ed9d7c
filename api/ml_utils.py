"""Uploaded file to validated photo to `Classification`: the only door between Django and the inference core."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models.fields.files import FieldFile

from api import ml_state
from api.exceptions import PhotoOfSeveralRefused
from api.i18n import translated
from ml_models.classification import Classification
from ml_models.classifier import Classifier
from ml_models.errors import PhotoError, PhotoTooLarge
from ml_models.image_io import Photo, PhotoFormat, PhotoLimits, read_photo
from ml_models.patient import PatientFacts

# Enough for a dermatologist who reviews the log, a fraction of a 12 MP upload, and above what the model needs.
RECOMMENDED_SHORT_SIDE_PX = 1024
_CHECKED_PX = 64  # a photo that is only checked and kept is decoded as small as possible
# Five HEICs of a 12 MP phone: their lossless copies, 19 MB each, are in memory together until they are stored.
_LOSSLESS_PIXELS = 62_500_000


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """A photo, and its place from 0 on among those that the form brought."""

    position: int
    photo: Photo


@dataclass(frozen=True, slots=True)
class ClassifiedPhotos:
    """Photos of one lesion in the order sent, equal ones once, and the answer to exactly their cleaned bytes."""

    photos: tuple[SentPhoto, ...]
    classification: Classification


def classify_uploads(uploads: Sequence[UploadedFile], *, patient: PatientFacts, explain: bool) -> ClassifiedPhotos:
    """Read, clean and classify the uploaded photos of one lesion, whatever their names and declared types say.

    Raises PhotoError subclasses, PhotoOfSeveralRefused where there are others beside the bad one, ArtefactError while
    no model is live, InferenceBusy under overload.
    """
    _check_size(uploads)
    classifier = ml_state.classifier()
    photos = _read_all(uploads, model_input_px=classifier.document.input.size_px)
    pixels = [sent.photo.rgb for sent in photos]
    return ClassifiedPhotos(photos, classifier.classify(*pixels, patient=patient, explain=explain))


def read_upload(upload: UploadedFile) -> Photo:
    """Read and clean one uploaded file to exactly the bytes that `classify_uploads` stores; needs no model.

    Raises PhotoError subclasses.
    """
    _check_size([upload])
    return read_photo(upload.read(), model_input_px=_CHECKED_PX, limits=_upload_limits())


def read_stored_photo(file: FieldFile, *, model_input_px: int) -> Photo:
    """A photo of the log. It was checked when it came, and its lossless copy may have outgrown the limit for uploads.

    Raises FileNotFoundError when the file is lost.
    """
    limits = replace(PhotoLimits(), max_bytes=sys.maxsize)
    with file.open("rb"):
        return read_photo(file.read(), model_input_px=model_input_px, limits=limits)


def classify_stored_photos(
    files: Iterable[FieldFile], *, classifier: Classifier, patient: PatientFacts
) -> Classification:
    """What a model says to the photos of one logged answer: the bytes on file are those that were classified.

    Raises FileNotFoundError when a file is lost, SkinModelError subclasses when it cannot be answered.
    """
    size_px = classifier.document.input.size_px
    photos = [read_stored_photo(file, model_input_px=size_px).rgb for file in files]
    return classifier.classify(*photos, patient=patient)


def model_description() -> dict[str, Any]:
    """The live model as `/api/model/` tells it. Raises ArtefactError while no model is live."""
    classifier = ml_state.classifier()
    document, limits = classifier.document, PhotoLimits()
    return {
        "name": document.name,
        "version": document.version,
        "digest": classifier.identity.digest,
        "created_at": document.created_at,
        "intended_use": document.intended_use,
        "labels": [
            {
                "code": label.code,
                "name": translated(label.name),
                "malignant": label.malignant,
                "severity": label.severity.value,
            }
            for label in document.labels
        ],
        # slices are a hundred rows for a report, not for a phone
        "metrics": {name: block for name, block in document.metrics.items() if name != "slices"},
        "malignancy_thresholds": {modality.value: value for modality, value in document.malignancy_thresholds.items()},
        "recommended_upload": {
            "formats": [each.value for each in PhotoFormat],
            "preferred_format": PhotoFormat.JPEG.value,
            "short_side_px": RECOMMENDED_SHORT_SIDE_PX,
            "max_photos": settings.MAX_PHOTOS,
            "max_bytes": settings.MAX_UPLOAD_BYTES,
            "max_jpeg_pixels": limits.max_jpeg_pixels,
            "max_other_pixels": limits.max_other_pixels,
        },
    }


def _read_all(uploads: Sequence[UploadedFile], *, model_input_px: int) -> tuple[SentPhoto, ...]:
    limits, lossless_pixels = _upload_limits(), _LOSSLESS_PIXELS
    kept: dict[str, SentPhoto] = {}
    for position, upload in enumerate(uploads):
        try:
            photo = read_photo(upload.read(), model_input_px=model_input_px, limits=limits)
        except PhotoError as error:
            if len(uploads) == 1:
                raise
            raise PhotoOfSeveralRefused(position + 1, error) from error
        if photo.format is not PhotoFormat.JPEG:
            lossless_pixels -= photo.width_px * photo.height_px
            limits = replace(limits, max_other_pixels=min(limits.max_other_pixels, lossless_pixels))
        kept.setdefault(photo.content_sha256, SentPhoto(position, photo))
    return tuple(kept.values())


def _upload_limits() -> PhotoLimits:
    return replace(PhotoLimits(), max_bytes=settings.MAX_UPLOAD_BYTES)


def _check_size(uploads: Sequence[UploadedFile]) -> None:
    """Refuse a form with a file whose bytes the upload handler has dropped: only its size is left."""
    size, limit = max(upload.size or 0 for upload in uploads), settings.MAX_UPLOAD_BYTES
    if size <= limit:
        return
    if len(uploads) > 1:
        raise PhotoTooLarge(
            f"The photos have more than {limit / 2**20:.0f} MB together. Send fewer of them, or smaller copies."
        )
    raise PhotoTooLarge(
        f"The image has {size / 2**20:.1f} MB; at most {limit / 2**20:.0f} MB are accepted. Send a smaller copy."
    )
