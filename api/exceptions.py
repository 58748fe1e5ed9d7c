"""The one place that turns errors into HTTP, and the one body that every error has.

Body: `{"error": text, "detail": text, "code": stable_code, "fields": {name: [texts]}}`; `error` is always a string.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import UnreadablePostError
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as rest_framework_handler

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
# Paths and digests in an artefact error are for the operator's log, not for strangers.
_PUBLIC_TEXT: dict[type[SkinModelError], str] = {
    ArtefactError: "No model is available at the moment. Try again later.",
    InferenceError: "The photo could not be classified. Try again later.",
}


class StorageUnavailable(Exception):
    """A photo or a row could not be written: full disk, read-only folder. Nothing of it is left behind."""


def error_body(text: str, code: str, fields: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """The body of every error response."""
    return {"error": text, "detail": text, "code": code, "fields": dict(fields or {})}


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Answer for every exception that is expected in a view; None lets a bug become a logged 500."""
    # Errors are JSON also where a view answers with something else, such as the schema's YAML.
    context["request"].accepted_renderer, context["request"].accepted_media_type = JSONRenderer(), "application/json"
    if isinstance(exception, SkinModelError):
        return _model_error_response(exception)
    if isinstance(exception, RequestDataTooBig):
        text = "The request is too large. Send one photo and short texts."
        return Response(error_body(text, "request_too_large"), status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
    if isinstance(exception, SuspiciousOperation | UnreadablePostError):
        text = "The request could not be read. Send it again."
        return Response(error_body(text, "bad_request"), status.HTTP_400_BAD_REQUEST)
    if isinstance(exception, StorageUnavailable | OperationalError):
        # Locked, full, read-only, gone: no answer without its row in the log.
        logger.error("Storage is not available", exc_info=exception)
        text = "The answer could not be recorded, so none is given. Send the photo again in a few seconds."
        return _try_again(Response(error_body(text, "storage_unavailable"), status.HTTP_503_SERVICE_UNAVAILABLE))
    response = rest_framework_handler(exception, context)
    if response is None:
        return None
    if isinstance(exception, ValidationError):
        fields = _flat(exception.detail)
        text = next((_named(name, texts[0]) for name, texts in fields.items() if texts), "The request is not valid.")
        response.data = error_body(text, "invalid", fields)
    else:
        detail = exception.detail if isinstance(exception, APIException) else response.data.get("detail")
        code = detail.get("code") if isinstance(detail, Mapping) else getattr(detail, "code", None)
        response.data = error_body(_as_text(detail), str(code or "error"))
    return response


def _model_error_response(exception: SkinModelError) -> Response:
    code = next(code for kind, code in _STATUS_OF if isinstance(exception, kind))
    text = next((text for kind, text in _PUBLIC_TEXT.items() if isinstance(exception, kind)), str(exception))
    if isinstance(exception, ArtefactError | InferenceError):
        logger.error("No answer could be given", exc_info=exception)
    response = Response(error_body(text, exception.code), code)
    return _try_again(response) if code == status.HTTP_503_SERVICE_UNAVAILABLE else response


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
        return str(detail.get("detail", "The request was refused."))
    if isinstance(detail, list):
        return " ".join(str(item) for item in detail)
    return str(detail)
