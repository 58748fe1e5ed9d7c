"""Middleware of the whole site. Must not touch bodies or users."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import is_valid_path

from api.exceptions import error_body
from api.i18n import translated

REFUSAL = "skin_disease.refusal"  # the key in a request's ASGI scope under which the front leaves a Refusal


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is answered without being looked at."""

    status: HTTPStatus
    code: str
    text: str
    retry_after_s: int | None = None


class TrailingSlashMiddleware:
    """Serves `/path` as `/path/` where only the latter is a route, in place.

    Django's APPEND_SLASH redirects instead, and a redirect loses the body of a POST.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.endswith("/") and not is_valid_path(path) and is_valid_path(f"{path}/"):
            request.path_info += "/"
            request.path += "/"
        return self.get_response(request)


class RefusalMiddleware:
    """Words what the front of the server has refused, so that such answers have the headers of all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refusal: Refusal | None = getattr(request, "scope", {}).get(REFUSAL)
        if refusal is None:
            return self.get_response(request)
        response = JsonResponse(error_body(translated(refusal.text), refusal.code), status=refusal.status)
        if refusal.retry_after_s is not None:
            response["Retry-After"] = str(refusal.retry_after_s)
        return response
