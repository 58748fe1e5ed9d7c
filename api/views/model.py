"""The live model and the state of the process."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.base_views import PublicView
from api import health, ml_utils
from api.exceptions import error_body
from api.serializers import ErrorBody, ModelResponse


class ModelView(PublicView):
    """What the live model is and how well it was measured."""

    @extend_schema(tags=["model"], responses={200: ModelResponse, 503: ErrorBody})
    def get(self, request: Request) -> Response:
        """Name, version, labels, metrics with their split, intended use, recommended upload."""
        return Response(ml_utils.model_description())


class HealthView(PublicView):
    """Is the process alive."""

    throttle_classes = []

    @extend_schema(tags=["health"], responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Answers without touching database or model."""
        return Response({"status": "ok"})


class ReadyView(PublicView):
    """Can the process answer photos."""

    throttle_classes = []

    @extend_schema(tags=["health"], responses={200: OpenApiTypes.OBJECT, 503: ErrorBody})
    def get(self, request: Request) -> Response:
        """Checks the model, the database and its migrations. `degraded`: it can, but not with the active model."""
        problems = health.problems()
        if problems:
            body: dict[str, Any] = error_body(" ".join(problems), "not_ready")
            return Response(body, status.HTTP_503_SERVICE_UNAVAILABLE)
        warnings = health.warnings()
        return Response({"status": "degraded", "warnings": warnings} if warnings else {"status": "ready"})
