"""The one place that turns errors into HTTP, and the one body that every error has.

Body: `{"error": text, "detail": text, "code": stable_code, "fields": {name: [texts]}}`; `error` is always a string.
"""

import logging
import math
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as rest_framework_handler

from accounts.errors import FormRefused
from api.i18n import translated
from ml_models.errors import (
    ArtefactError,
    InferenceBusy,
    InferenceError,
    PhotoError,
    PhotoTooLarge,
    PhotoUnsupported,
    SkinModelError,
)

logger = logging.getLogger(__name__)

# First match wins, so subclasses come before their base.
_STATUS_OF: tuple[tuple[type[SkinModelError], int], ...] = (
    (PhotoTooLarge, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE),
    (PhotoUnsupported, status.HTTP_415_UNSUPPORTED_MEDIA_TYPE),
    (PhotoError, status.HTTP_400_BAD_REQUEST),
    (InferenceBusy, status.HTTP_503_SERVICE_UNAVAILABLE),
    (ArtefactError, status.HTTP_503_SERVICE_UNAVAILABLE),
    (InferenceError, status.HTTP_500_INTERNAL_SERVER_ERROR),
)
_RETRY_AFTER_S = 5
_MINUTE_S = 60
_MINUTES_PER_HOUR = 60
# Paths and digests in an artefact error are for the operator's log, not for strangers.
_PUBLIC_TEXT: dict[type[SkinModelError], Promise] = {
    ArtefactError: _("No model is available at the moment. Try again later."),
    InferenceError: _("The photo could not be classified. Try again later."),
}


class StorageUnavailable(Exception):
    """A photo or a row could not be written: full disk, read-only folder. Nothing of it is left behind."""


class PhotoOfSeveralRefused(Exception):
    """The photo of this number, from 1 on, of those that a form brought is not one that can be answered."""

    def __init__(self, number: int, error: PhotoError) -> None:
        super().__init__(f"photo {number}: {error}")
        self.number, self.error = number, error


class TooManyImages(ValidationError):
    """A form with more photos than the route takes: which ones are meant cannot be known."""

    default_code = "too_many_images"

    def __init__(self, *, most: int) -> None:
        one, several = gettext("Send one photo."), gettext("Send at most %(most)d photos of one spot.")
        super().__init__({"image": [one if most == 1 else several % {"most": most}]})


class IdempotencyKeyReused(APIException):
    """The same Idempotency-Key came with another body: which of the two is meant cannot be known."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = _("This Idempotency-Key was used for another request. Send a new key.")
    default_code = "idempotency_key_reused"


def error_body(text: str, code: str, fields: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """The body of every error response."""
    return {"error": text, "detail": text, "code": code, "fields": dict(fields or {})}


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Answer for every exception that is expected in a view; None lets a bug become a logged 500."""
    # Errors are JSON also where a view answers with something else, such as the schema's YAML.
    context["request"].accepted_renderer, context["request"].accepted_media_type = JSONRenderer(), "application/json"
    if isinstance(exception, PhotoOfSeveralRefused | SkinModelError):
        return _model_error_response(exception)
    if isinstance(exception, RequestDataTooBig):
        text = gettext("The request is too large. Send one photo and short texts.")
        return Response(error_body(text, "request_too_large"), status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
    if isinstance(exception, SuspiciousOperation | UnreadablePostError):
        text = gettext("The request could not be read. Send it again.")
        return Response(error_body(text, "bad_request"), status.HTTP_400_BAD_REQUEST)
    if isinstance(exception, StorageUnavailable | OperationalError):
        # Locked, full, read-only, gone: no answer without its row in the log.
        logger.error("Storage is not available", exc_info=exception)
        text = gettext("The answer could not be recorded, so none is given. Send it again in a few seconds.")
        return _try_again(Response(error_body(text, "storage_unavailable"), status.HTTP_503_SERVICE_UNAVAILABLE))
    response = rest_framework_handler(exception, context)
    if response is None:
        return None
    if isinstance(exception, ValidationError):
        response.data = _validation_body(exception)
    elif isinstance(exception, Throttled):
        response.data = error_body(_wait_text(getattr(exception, "wait", None)), "throttled")
    else:
        detail = exception.detail if isinstance(exception, APIException) else response.data.get("detail")
        code = detail.get("code") if isinstance(detail, Mapping) else getattr(detail, "code", None)
        response.data = error_body(_as_text(detail), str(code or "error"))
    return response


def _validation_body(exception: ValidationError) -> dict[str, Any]:
    fields = {name: texts for name, texts in _flat(exception.detail).items() if texts}
    if isinstance(exception, FormRefused):  # its texts name their field themselves
        text = next((texts[0] for texts in fields.values()), gettext("The request is not valid."))
        repeated = {name: fields[name][0] for name in exception.repeated if name in fields}
        return error_body(text, "invalid", fields) | repeated
    text = next((_named(name, texts[0]) for name, texts in fields.items()), gettext("The request is not valid."))
    return error_body(text, exception.default_code, fields)


def _wait_text(wait_s: float | None) -> str:
    seconds = math.ceil(wait_s or 1)
    if seconds < 2 * _MINUTE_S:
        text = ngettext(
            "Too many requests. Try again in %(count)d second.",
            "Too many requests. Try again in %(count)d seconds.",
            seconds,
        )
        return text % {"count": seconds}
    minutes = math.ceil(seconds / _MINUTE_S)
    if minutes < 2 * _MINUTES_PER_HOUR:
        return gettext("Too many requests. Try again in %(count)d minutes.") % {"count": minutes}
    hours = math.ceil(minutes / _MINUTES_PER_HOUR)
    return gettext("Too many requests. Try again in %(count)d hours.") % {"count": hours}


def _model_error_response(exception: SkinModelError | PhotoOfSeveralRefused) -> Response:
    if isinstance(exception, PhotoOfSeveralRefused):
        return _numbered_response(exception)
    code = next(code for kind, code in _STATUS_OF if isinstance(exception, kind))
    text = next((text for kind, text in _PUBLIC_TEXT.items() if isinstance(exception, kind)), None)
    if isinstance(exception, ArtefactError | InferenceError):
        logger.error("No answer could be given", exc_info=exception)
    response = Response(error_body(str(text or translated(str(exception))), exception.code), code)
    return _try_again(response) if code == status.HTTP_503_SERVICE_UNAVAILABLE else response


def _numbered_response(exception: PhotoOfSeveralRefused) -> Response:
    response = _model_error_response(exception.error)
    words = {"number": exception.number, "text": response.data["error"]}
    text = gettext("Photo %(number)d: %(text)s") % words
    response.data = error_body(text, exception.error.code, {f"image.{exception.number - 1}": [text]})
    return response


def _try_again(response: Response) -> Response:
    response["Retry-After"] = str(_RETRY_AFTER_S)
    return response


def _flat(detail: Any, name: str = api_settings.NON_FIELD_ERRORS_KEY) -> dict[str, list[str]]:
    """Nested validation details to `{"field.subfield": [texts]}`."""
    if isinstance(detail, Mapping):
        flat: dict[str, list[str]] = {}
        for key, value in detail.items():
            flat |= _flat(value, str(key) if name == api_settings.NON_FIELD_ERRORS_KEY else f"{name}.{key}")
        return flat
    if isinstance(detail, list) and any(isinstance(item, Mapping) for item in detail):
        flat = {}
        for index, item in enumerate(detail):
            flat |= _flat(item, f"{name}.{index}")
        return flat
    return {name: [str(item) for item in detail] if isinstance(detail, list) else [str(detail)]}


def _named(field: str, text: str) -> str:
    """Texts such as "Enter a number." say nothing without the field."""
    return text if field == api_settings.NON_FIELD_ERRORS_KEY else f"{field}: {text}"


def _as_text(detail: Any) -> str:
    """Simplejwt puts a mapping where others put a string; the app can show only a string."""
    if isinstance(detail, Mapping):
        return str(detail.get("detail", gettext("The request was refused.")))
    if isinstance(detail, list):
        return " ".join(str(item) for item in detail)
    return str(detail)
