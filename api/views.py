"""HTTP in, HTTP out. Views parse, call one service or selector, and serialise; no ORM, no OpenCV, no model."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import OptionalBearerAuthentication
from api import explanations, health, ml_utils, selectors
from api.exceptions import error_body
from api.serializers import ErrorBody, ModelResponse, PredictionRequest, PredictionResponse, prediction_payload
from api.services.predict import predict_photo
from api.uploads import FormParser

_ERRORS = {
    400: OpenApiResponse(ErrorBody, "No image, an unreadable one, or a field that is not valid."),
    413: OpenApiResponse(ErrorBody, "Too many bytes or pixels."),
    415: OpenApiResponse(ErrorBody, "Not an image of a supported format, or not a multipart form."),
    408: OpenApiResponse(ErrorBody, "The upload took too long."),
    503: OpenApiResponse(
        ErrorBody, "Overloaded, no model, or nowhere to record the answer; `Retry-After` says when to try again."
    ),
}


class OneFormatNegotiation(DefaultContentNegotiation):
    """Every view has one format and answers in it: an `Accept: image/png` must open a map, not meet a 406."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class PublicView(APIView):
    """Open to everyone; a valid bearer token attributes the request, any other is ignored."""

    authentication_classes = [OptionalBearerAuthentication]
    permission_classes = [AllowAny]
    content_negotiation_class = OneFormatNegotiation


class PredictView(PublicView):
    """Classify one photo of a skin lesion."""

    parser_classes = [FormParser]

    @extend_schema(tags=["predictions"], request=PredictionRequest, responses={200: PredictionResponse, **_ERRORS})
    def post(self, request: Request) -> Response:
        """Answer one photo. Unsure, unusable and not-a-lesion photos are answers too (200, `isSafe` false)."""
        form = PredictionRequest(data=request.data, context={"request": request})
        form.is_valid(raise_exception=True)
        arguments = form.arguments()
        prediction = predict_photo(user=request.user, **arguments)
        url = explanations.explanation_url(prediction, request) if arguments["explain"] else None
        return Response(prediction_payload(prediction, explanation_url=url))


class ExplanationView(PublicView):
    """The class activation map of one prediction, for whoever holds its signed address."""

    @extend_schema(tags=["predictions"], responses={(200, "image/png"): OpenApiTypes.BINARY, 404: ErrorBody})
    def get(self, request: Request, token: str) -> HttpResponse:
        """A PNG of the photo under its class activation map."""
        prediction_id = explanations.prediction_id_of(token)
        image = selectors.explained_image(prediction_id=prediction_id) if prediction_id else None
        if image is None:
            raise NotFound("This address has expired. Send the photo again with explain=true.")
        try:
            png = explanations.explanation_png(image)
        except FileNotFoundError as error:
            raise NotFound("The photo is no longer stored. Send it again with explain=true.") from error
        return HttpResponse(png, content_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


class ModelView(PublicView):
    """What the live model is and how well it was measured."""

    @extend_schema(tags=["model"], responses={200: ModelResponse, 503: ErrorBody})
    def get(self, request: Request) -> Response:
        """Name, version, labels, metrics with their split, intended use, recommended upload."""
        return Response(ml_utils.model_description())


class HealthView(PublicView):
    """Is the process alive."""

    @extend_schema(tags=["health"], responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Answers without touching database or model."""
        return Response({"status": "ok"})


class ReadyView(PublicView):
    """Can the process answer photos."""

    @extend_schema(tags=["health"], responses={200: OpenApiTypes.OBJECT, 503: ErrorBody})
    def get(self, request: Request) -> Response:
        """Checks the model, the database and its migrations."""
        problems = health.problems()
        if problems:
            body: dict[str, Any] = error_body(" ".join(problems), "not_ready")
            return Response(body, status.HTTP_503_SERVICE_UNAVAILABLE)
        return Response({"status": "ready"})
