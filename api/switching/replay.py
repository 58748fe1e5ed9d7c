"""Answering a logged prediction again: its own model, its own photos, the same figures. Changes nothing."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.ml_utils import classify_stored_photos
from api.models import Prediction, PredictionImage
from api.services.predict import Patient
from api.switching.models import ModelVersion
from api.switching.store import artefact_folders, folder_of, load_verified
from ml_models.artefact import DOCUMENT, file_digest
from ml_models.classification import Classification, Decision, SeenPhoto
from ml_models.classifier import Classifier
from ml_models.errors import ArtefactError, SkinModelError
from ml_models.preprocess import VERSION

SAME_MACHINE = 1e-6
ELSEWHERE = 1e-3  # other instruction sets round otherwise


class ReplayImpossible(Exception):
    """There is nothing to compare; the text says exactly what is missing or has changed."""


@dataclass(frozen=True, slots=True)
class ReplayedImage:
    """One photo; `difference` is the largest of any probability, 0 where both times nothing was to be seen."""

    position: int
    difference: float


@dataclass(frozen=True, slots=True)
class Replay:
    """The model that answered, its photos in order, and the difference of the answer to all of them together.

    `changed` says which parts of the decision are others now: the code that decides may have changed since.
    """

    model: str
    images: tuple[ReplayedImage, ...]
    together: float
    changed: tuple[str, ...]

    @property
    def difference(self) -> float:
        """The largest of all."""
        return max(self.together, *(image.difference for image in self.images))


def replay_prediction(*, prediction_id: uuid.UUID) -> Replay:
    """Classify the stored photos of a prediction with the model and the facts on record.

    Raises ReplayImpossible with the reason.
    """
    prediction = Prediction.objects.prefetch_related("images").filter(pk=prediction_id).first()
    if prediction is None:
        raise ReplayImpossible("it is not in the log. Its retention may be over, or the person has deleted it.")
    images = list(prediction.images.all())
    if not images:
        raise ReplayImpossible("it has no photo in the log.")
    answer = _answered_again(prediction, images, _recorded_model(prediction))
    return Replay(
        f"{prediction.model_name} {prediction.model_version}",
        tuple(_compared(image, seen) for image, seen in zip(images, answer.photos, strict=True)),
        _largest_difference(prediction.probabilities or {}, answer.probabilities or {}),
        _changed(prediction, answer.decision),
    )


def _recorded_model(prediction: Prediction) -> Classifier:
    if prediction.preprocess_version != VERSION:
        raise ReplayImpossible(
            f"it was made with preprocessing {prediction.preprocess_version}, and this code has {VERSION}. Check out "
            "the code of that time."
        )
    folder = _folder_with(prediction.model_digest)
    if folder is None:
        raise ReplayImpossible(
            f"the model {prediction.model_name} {prediction.model_version} ({prediction.model_digest[:12]}) is neither "
            "among the shipped ones nor in MODEL_DIR. Restore its folder."
        )
    try:
        return load_verified(folder, digest=prediction.model_digest)
    except ArtefactError as error:
        raise ReplayImpossible(f"its model is broken: {error}") from error


def _folder_with(digest: str) -> Path | None:
    version = ModelVersion.objects.filter(digest=digest).first()
    registered = [folder_of(version)] if version else []
    documents = (folder / DOCUMENT for folder in (*registered, *artefact_folders()))
    return next((path.parent for path in documents if path.is_file() and file_digest(path) == digest), None)


def _answered_again(
    prediction: Prediction, images: Sequence[PredictionImage], classifier: Classifier
) -> Classification:
    for image in images:
        _require_unaltered(image)
    patient = Patient(age_years=prediction.age_years, sex=prediction.sex, site=prediction.site)
    try:
        files = (image.photo for image in images)
        return classify_stored_photos(files, classifier=classifier, patient=patient.facts)
    except SkinModelError as error:
        raise ReplayImpossible(f"a photo of it cannot be read or answered any more: {error}") from error


def _changed(prediction: Prediction, now: Decision) -> tuple[str, ...]:
    then = {
        "status": (prediction.status, now.status),
        "label": (prediction.label, now.label or ""),
        "severity": (prediction.severity, now.severity),
        "safe": (prediction.is_safe, now.is_safe),
    }
    return tuple(f"{name} {was}, now {is_now}" for name, (was, is_now) in then.items() if was != is_now)


def _compared(image: PredictionImage, seen: SeenPhoto) -> ReplayedImage:
    _require_same_gates(image, seen)
    return ReplayedImage(image.position, _largest_difference(image.probabilities or {}, seen.probabilities or {}))


def _require_unaltered(image: PredictionImage) -> None:
    try:
        with image.photo.open("rb") as file:
            seen = hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, ValueError) as error:  # a row without a file name has a ValueError
        raise ReplayImpossible(f"the file of {image} is gone.") from error
    if seen != image.content_sha256:
        raise ReplayImpossible(f"the file of {image} is not the one that was answered: sha256 {seen[:12]}.")


def _require_same_gates(image: PredictionImage, seen: SeenPhoto) -> None:
    """Another verdict of the gates is no other probability: it is none at all, on one of the two sides."""
    was, now = image.probabilities is None, seen.probabilities is None
    if was == now:
        return
    changed = ", ".join(
        f"{name} {image.gate_scores.get(name)} then, {seen.gate_scores.get(name)} now"
        for name in sorted(image.gate_scores | dict(seen.gate_scores))
    )
    verdict = "refused the photo then and lets it pass now" if was else "let the photo pass then and refuses it now"
    raise ReplayImpossible(f"the gates have changed: this code {verdict} ({changed}).")


def _largest_difference(then: Mapping[str, float], now: Mapping[str, float]) -> float:
    if set(then) != set(now):  # the digest pins the labels, so this is no rounding
        raise ReplayImpossible(f"its classes were {sorted(then)}, and are {sorted(now)} now.")
    return max((abs(then[code] - now[code]) for code in then), default=0.0)
