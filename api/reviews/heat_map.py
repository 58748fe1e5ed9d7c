"""Where the model looked, drawn for a reviewer who has answered. The app asks for no map, so most are made then."""

import numpy as np

from api import ml_state
from api.explanations import explanation_png
from api.ml_utils import read_stored_photo
from api.models import PredictionImage
from ml_models.classifier import Classifier
from ml_models.errors import ArtefactError, SkinModelError
from ml_models.patient import PatientFacts

_DECIMALS = 4  # as the log keeps those that were asked for


class HeatMapUnavailable(Exception):
    """The model has no time now, or gave no usable answer."""


def can_be_drawn(image: PredictionImage) -> bool:
    """Whether there is a map: stored, or to be made because the model that answered is still live."""
    answered = image.prediction.probabilities is not None
    return answered and (image.activations is not None or _live(image) is not None)


def heat_map_png(image: PredictionImage) -> bytes | None:
    """The map of the answer's class over the photo, PNG; None where there is none.

    Raises FileNotFoundError when the photo is lost, HeatMapUnavailable under overload.
    """
    if not can_be_drawn(image):
        return None
    if image.activations is None:
        image.activations = _activations(image)
    return explanation_png(image) if image.activations else None


def _activations(image: PredictionImage) -> dict[str, list[list[float]]] | None:
    """What the same model makes of the same bytes and facts again; None if it went out of service just now."""
    classifier, asked = _live(image), image.prediction
    if classifier is None:
        return None
    photo = read_stored_photo(image.photo, model_input_px=classifier.document.input.size_px)
    facts = PatientFacts.from_words(age_years=asked.age_years, sex=asked.sex, site=asked.site)
    try:
        activations = classifier.classify(photo.rgb, patient=facts, explain=True).photos[0].activations
    except SkinModelError as error:
        raise HeatMapUnavailable from error
    return {code: np.round(grid, _DECIMALS).tolist() for code, grid in activations.items()} if activations else None


def _live(image: PredictionImage) -> Classifier | None:
    try:
        classifier = ml_state.classifier()
    except ArtefactError:
        return None
    return classifier if classifier.identity.digest == image.prediction.model_digest else None
