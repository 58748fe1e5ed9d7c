"""Predicting: photos of one lesion in, one answer out, one row in the log."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.models import User
from accounts.selectors import current_person
from api.ml_utils import SentPhoto, classify_uploads
from api.models import Prediction, PredictionImage
from api.services.idempotency import RetryKey, once, record_answer
from api.services.photo_files import remove_photo, write_photo
from ml_models.classification import Classification, SeenPhoto
from ml_models.patient import PatientFacts


@dataclass(frozen=True, slots=True)
class Patient:
    """What the person says about themselves, as logged for the reviewer; all may be missing.

    A model reads age, sex and site as far as it understands them; the history is for the reviewer alone.
    """

    age_years: int | None = None
    sex: str = ""
    site: str = ""
    history: str = ""

    @property
    def facts(self) -> PatientFacts:
        """What a model may know."""
        return PatientFacts.from_words(age_years=self.age_years, sex=self.sex, site=self.site)


def predict_photos(
    *,
    uploads: Sequence[UploadedFile],
    patient: Patient,
    consent: bool,
    explain: bool,
    user: User | AnonymousUser,
    key: RetryKey | None = None,
) -> Prediction:
    """Answer the photos of one lesion and log it; all rows and files exist when this returns, or none does.

    Raises PhotoError subclasses and PhotoOfSeveralRefused for bad files; ArtefactError and InferenceBusy when no answer
    can be given, StorageUnavailable and OperationalError when it cannot be recorded, TokenRefused when the person has
    gone meanwhile.
    """
    make = partial(_answer, uploads=uploads, patient=patient, consent=consent, explain=explain, user=user, key=key)
    return once(key=key, make=make)


def _answer(
    *,
    uploads: Sequence[UploadedFile],
    patient: Patient,
    consent: bool,
    explain: bool,
    user: User | AnonymousUser,
    key: RetryKey | None,
) -> Prediction:
    started = time.perf_counter()
    classified = classify_uploads(uploads, patient=patient.facts, explain=explain)
    duration_ms = 1000 * (time.perf_counter() - started)
    prediction = Prediction(
        user=user if isinstance(user, User) else None,
        age_years=patient.age_years,
        sex=patient.sex,
        site=patient.site,
        history=patient.history,
        consent=consent,
        duration_ms=duration_ms,
        **_answer_fields(classified.classification),
    )
    pairs = list(zip(classified.photos, classified.classification.photos, strict=True))
    images = [PredictionImage(prediction=prediction, **_image_fields(sent, seen)) for sent, seen in pairs]
    try:
        for image, (sent, _seen) in zip(images, pairs, strict=True):
            write_photo(file=image.photo, photo=sent.photo)
        with transaction.atomic():
            if prediction.user:
                current_person(prediction.user)
            prediction.save(force_insert=True)
            for image in images:
                image.save(force_insert=True)
            record_answer(key=key, prediction=prediction)
    except BaseException:
        for image in images:
            if image.photo:  # else it was not its turn yet
                remove_photo(file=image.photo)
        raise
    return prediction


def _answer_fields(classification: Classification) -> dict[str, Any]:
    decision, model = classification.decision, classification.model
    return {
        "status": decision.status.value,
        "reasons": [{"code": reason.code.value, "text": reason.text} for reason in decision.reasons],
        "label": decision.label or "",
        "possible": list(decision.possible),
        "modality": classification.modality or "",
        "diagnosis": decision.diagnosis,
        "confidence_percent": decision.confidence_percent,
        "severity": decision.severity.value,
        "advice": decision.advice,
        "is_safe": decision.is_safe,
        "probabilities": _as_json(classification.probabilities),
        "top": [
            {"label": each.code, "name": each.name, "probability": each.probability} for each in classification.top
        ],
        "malignant_probability": decision.malignancy.probability,
        "malignancy_threshold": decision.malignancy.threshold,
        "suspicious": decision.malignancy.suspicious,
        "model_name": model.name,
        "model_version": model.version,
        "model_digest": model.digest,
        "preprocess_version": model.preprocess_version,
    }


def _image_fields(sent: SentPhoto, seen: SeenPhoto) -> dict[str, Any]:
    photo, activations = sent.photo, seen.activations
    return {
        "position": sent.position,
        "content_sha256": photo.content_sha256,
        "format": photo.format.value,
        "width_px": photo.width_px,
        "height_px": photo.height_px,
        "probabilities": _as_json(seen.probabilities),
        "rejections": [code.value for code in seen.rejections],
        "modality": seen.modality or "",
        "gate_scores": dict(seen.gate_scores),
        "embedding": seen.embedding.astype(np.dtype("<f4")).tobytes(),
        "activations": activations and {code: np.round(grid, 4).tolist() for code, grid in activations.items()},
    }


def _as_json(probabilities: Any) -> dict[str, float] | None:
    return None if probabilities is None else dict(probabilities)
