"""What Django calls when no view answers: the same JSON body, or a small page for a browser."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import csrf, defaults

from api.exceptions import error_body


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 outside the API views, such as a Host that is not allowed."""
    if _wants_page(request):
        return defaults.bad_request(request, exception)
    return _answer(_("The request could not be understood."), "bad_request", 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 outside the API views."""
    if _wants_page(request):
        return defaults.permission_denied(request, exception)
    return _answer(_("You may not do this."), "permission_denied", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for every path that leads nowhere."""
    if _wants_page(request):
        return defaults.page_not_found(request, exception)
    return _answer(_("There is nothing at this address. The API is described at /api/docs/."), "not_found", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a bug of ours, logged with its traceback; nothing of it is shown."""
    if _wants_page(request):
        return defaults.server_error(request)
    return _answer(_("Something went wrong on the server. Try again later."), "server_error", 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token."""
    if _wants_page(request):
        return csrf.csrf_failure(request, reason)
    return _answer(_("The form has expired. Reload the page and send it again."), "csrf_failed", 403)


def _wants_page(request: HttpRequest) -> bool:
    """A browser outside the API; the app and every API client get JSON."""
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith(("/api/", "/predict"))


def _answer(text: str, code: str, status: int) -> JsonResponse:
    return JsonResponse(error_body(text, code), status=status)
