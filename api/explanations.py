"""Signed, expiring addresses of class activation maps, and drawing one when its address is opened."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from django.core import signing
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from rest_framework.exceptions import NotFound, ValidationError

from api import selectors
from api.i18n import translated
from api.ml_utils import read_stored_photo
from api.models import PredictionImage
from ml_models.explanation import MAX_SIDE_PX, explanation_picture, heat
from ml_models.labels import CATALOGUE
from ml_models.legend import Legend
from ml_models.preprocess import frame_box

LIFETIME_S = 24 * 3600
_DECIMALS = 4

_signer = signing.TimestampSigner(salt="api.explanations")


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of the upright photo that the model saw, as shares of its width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A map as numbers, rows from top to bottom: `grid` in 0-1 as it is drawn, `activation` as it adds to the logit."""

    label: str
    labels: tuple[str, ...]
    grid: list[list[float]]
    activation: list[list[float]]
    frame: Frame


def explanation_url(image: PredictionImage, request: HttpRequest) -> str | None:
    """Absolute address of the photo's map for a day; None where none was asked for, or the photo was rejected."""
    if image.activations is None:
        return None
    token = _signer.sign(str(image.pk))
    return request.build_absolute_uri(reverse("api:explanation", kwargs={"token": token}))


def image_of(token: str) -> PredictionImage:
    """The photo whose map a token opens. Raises NotFound for a forged or expired token and when the map is gone."""
    try:
        image_id = int(_signer.unsign(token, max_age=LIFETIME_S))
    except (signing.BadSignature, ValueError):
        image_id = None
    image = selectors.explained_image(image_id=image_id) if image_id is not None else None
    if image is None:
        raise NotFound(_("This address has expired. Send the photo again with explain=true."))
    return image


def explanation_png(image: PredictionImage, *, label: str = "", has_legend: bool = True) -> bytes:
    """Draw the stored map of a label, of the decided one if none is named: PNG, longer side at most 1024 px.

    Raises ValidationError for a label that the answering model does not have, FileNotFoundError when the photo is lost.
    """
    code, activation = _activation(image, label)
    legend = _legend(image, code, has_evidence=bool((activation > 0).any())) if has_legend else None
    return _encoded(image, activation, ".png", legend=legend, max_side_px=MAX_SIDE_PX)


def explanation_jpeg(image: PredictionImage, *, max_side_px: int) -> bytes:
    """The decided label's as JPEG without a legend, for print."""
    return _encoded(image, _activation(image, "")[1], ".jpg", legend=None, max_side_px=max_side_px)


def explanation_numbers(image: PredictionImage, *, label: str = "") -> Explanation:
    """The stored map of a label, of the decided one if none is named. Raises ValidationError as above."""
    code, activation = _activation(image, label)
    activations = _activations(image)
    rows, columns = frame_box(image.height_px, image.width_px)
    return Explanation(
        label=code,
        labels=tuple(activations),
        grid=np.round(heat(activation), _DECIMALS).tolist(),
        activation=activations[code],
        frame=Frame(
            left=columns.start / image.width_px,
            top=rows.start / image.height_px,
            width=(columns.stop - columns.start) / image.width_px,
            height=(rows.stop - rows.start) / image.height_px,
        ),
    )


def _activations(image: PredictionImage) -> Mapping[str, list[list[float]]]:
    return image.activations or {}


def _activation(image: PredictionImage, label: str) -> tuple[str, NDArray[np.float32]]:
    code, activations = label or image.prediction.label, _activations(image)
    if code not in activations:
        known = ", ".join(activations)
        raise ValidationError({"label": _("The model has no such class. It has: %(known)s.") % {"known": known}})
    return code, np.asarray(activations[code], dtype=np.float32)


def _legend(image: PredictionImage, code: str, *, has_evidence: bool) -> Legend:
    given = {row["label"]: row["name"] for row in image.prediction.top}
    names = {label.code: label.name for label in CATALOGUE} | given
    title = _("Evidence for: %(name)s") if has_evidence else _("No evidence for: %(name)s")
    return Legend(
        title=title % {"name": translated(names.get(code, code))},
        note=f"{100 * (image.probabilities or {}).get(code, 0.0):.1f} %",
        low=_("none"),
        high=_("strongest"),
    )


def _encoded(
    image: PredictionImage, activation: NDArray[np.float32], suffix: str, *, legend: Legend | None, max_side_px: int
) -> bytes:
    photo = read_stored_photo(image.photo, model_input_px=max_side_px)
    drawn = explanation_picture(photo.rgb, heat(activation), legend=legend, max_side_px=max_side_px)
    _is_done, encoded = cv2.imencode(suffix, cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    return bytes(encoded)
