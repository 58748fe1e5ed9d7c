"""Pages for people. Must not read or write data."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this server is, and where to go from here."""
    response = render(request, "web/home.html")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


@require_safe
def favicon(_request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon that a page (the admin's, say) does not name."""
    return redirect(static("web/icon.svg"))
