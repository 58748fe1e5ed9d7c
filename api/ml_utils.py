"""Uploaded file to validated photo to `Classification`: the only door between Django and the inference core."""

import sys
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models.fields.files import FieldFile

from api import ml_state
from api.i18n import translated
from ml_models.classification import Classification
from ml_models.classifier import Classifier
from ml_models.errors import PhotoTooLarge
from ml_models.image_io import Photo, PhotoFormat, PhotoLimits, read_photo
from ml_models.patient import PatientFacts

# Enough for a dermatologist who reviews the log, a fraction of a 12 MP upload, and above what the model needs.
RECOMMENDED_SHORT_SIDE_PX = 1024
_CHECKED_PX = 64  # a photo that is only checked and kept is decoded as small as possible


@dataclass(frozen=True, slots=True)
class ClassifiedPhoto:
    """A photo and the answer that was given to exactly its cleaned bytes."""

    photo: Photo
    classification: Classification


def classify_upload(upload: UploadedFile, *, patient: PatientFacts, explain: bool) -> ClassifiedPhoto:
    """Read, clean and classify one uploaded file, whatever its name and declared type say.

    Raises PhotoError subclasses, ArtefactError while no model is live, InferenceBusy under overload.
    """
    limits = _limits_for(upload)
    classifier = ml_state.classifier()
    photo = read_photo(upload.read(), model_input_px=classifier.document.input.size_px, limits=limits)
    return ClassifiedPhoto(photo, classifier.classify(photo.rgb, patient=patient, explain=explain))


def read_upload(upload: UploadedFile) -> Photo:
    """Read and clean one uploaded file to exactly the bytes that `classify_upload` stores; needs no model.

    Raises PhotoError subclasses.
    """
    return read_photo(upload.read(), model_input_px=_CHECKED_PX, limits=_limits_for(upload))


def read_stored_photo(file: FieldFile, *, model_input_px: int) -> Photo:
    """A photo of the log. It was checked when it came, and its lossless copy may have outgrown the limit for uploads.

    Raises FileNotFoundError when the file is lost.
    """
    limits = replace(PhotoLimits(), max_bytes=sys.maxsize)
    with file.open("rb"):
        return read_photo(file.read(), model_input_px=model_input_px, limits=limits)


def classify_stored_photo(file: FieldFile, *, classifier: Classifier, patient: PatientFacts) -> Classification:
    """What a model says to a photo of the log: the bytes on file are those that were classified.

    Raises FileNotFoundError when the file is lost, SkinModelError subclasses when it cannot be answered.
    """
    photo = read_stored_photo(file, model_input_px=classifier.document.input.size_px)
    return classifier.classify(photo.rgb, patient=patient)


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
            "max_bytes": settings.MAX_UPLOAD_BYTES,
            "max_jpeg_pixels": limits.max_jpeg_pixels,
            "max_other_pixels": limits.max_other_pixels,
        },
    }


def _limits_for(upload: UploadedFile) -> PhotoLimits:
    """The limits for uploads. Refuses a file whose bytes the upload handler has dropped: only its size is left."""
    limits = replace(PhotoLimits(), max_bytes=settings.MAX_UPLOAD_BYTES)
    if (upload.size or 0) > limits.max_bytes:
        raise PhotoTooLarge(
            f"The image has {(upload.size or 0) / 2**20:.1f} MB; "
            f"at most {limits.max_bytes / 2**20:.0f} MB are accepted. Send a smaller copy."
        )
    return limits
