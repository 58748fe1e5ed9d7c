"""The schema's pages, under policies that let no script or style be written into a page."""

from typing import Any

from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

# Redoc's style library fills empty style elements by script (the hash of nothing), and Redoc sizes its search's worker.
_REDOC_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; "
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; worker-src blob:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class SwaggerView(SpectacularSwaggerSplitView):
    """Swagger UI; its script comes from an address of its own."""

    template_name = "api/swagger.html"


class RedocView(SpectacularRedocView):
    """Redoc."""

    template_name = "api/redoc.html"

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response.headers["Content-Security-Policy"] = _REDOC_POLICY
        return super().finalize_response(request, response, *args, **kwargs)
