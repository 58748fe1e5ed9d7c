"""Signed, expiring addresses of class activation maps, and drawing one when its address is opened."""

import uuid

import cv2
import numpy as np
from django.core import signing
from django.http import HttpRequest
from django.urls import reverse

from api.ml_utils import read_stored_photo
from api.models import Prediction, PredictionImage
from ml_models.explanation import overlay

LIFETIME_S = 24 * 3600
MAX_SIDE_PX = 1024

_signer = signing.TimestampSigner(salt="api.explanations")


def explanation_url(prediction: Prediction, request: HttpRequest) -> str | None:
    """Absolute address of the prediction's map for a day; None when the photo was rejected."""
    if all(image.activation is None for image in prediction.images.all()):
        return None
    token = _signer.sign(prediction.pk.hex)
    return request.build_absolute_uri(reverse("api:explanation", kwargs={"token": token}))


def prediction_id_of(token: str) -> uuid.UUID | None:
    """The prediction that a token opens; None for a forged or expired one."""
    try:
        return uuid.UUID(hex=_signer.unsign(token, max_age=LIFETIME_S))
    except (signing.BadSignature, ValueError):
        return None


def explanation_png(image: PredictionImage) -> bytes:
    """Draw the stored activation over the stored photo: PNG, longer side at most 1024 px."""
    return _encoded(image, ".png", max_side_px=MAX_SIDE_PX)


def explanation_jpeg(image: PredictionImage, *, max_side_px: int) -> bytes:
    """The same as JPEG, for print."""
    return _encoded(image, ".jpg", max_side_px=max_side_px)


def _encoded(image: PredictionImage, suffix: str, *, max_side_px: int) -> bytes:
    photo = read_stored_photo(image.photo, model_input_px=max_side_px)
    factor = min(1.0, max_side_px / max(photo.rgb.shape[:2]))
    shrunk = cv2.resize(photo.rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    grid = np.asarray(image.activation, dtype=np.float32)
    drawn = overlay(np.asarray(shrunk, np.uint8), grid)
    _, encoded = cv2.imencode(suffix, cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    return bytes(encoded)
