"""Middleware of the whole site. Must not touch bodies or users."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import is_valid_path


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
