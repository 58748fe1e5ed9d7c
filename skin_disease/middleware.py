"""Middleware of the whole site. Must not touch bodies or users."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import is_valid_path

from api.exceptions import error_body
from api.i18n import translated

# What a page may load: files of this site, photos that it has made itself (blob:), and nothing written into the page.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS_POLICY = "geolocation=(self), camera=(), microphone=(), payment=(), usb=()"
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


class PagePolicyMiddleware:
    """Gives every page the policy of all pages, unless its view has set one of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
            response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response
