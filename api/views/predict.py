"""Answering a photo, and the map that shows where the answer came from."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.base_views import PublicView
from api import explanations
from api.serializers import (
    ErrorBody,
    ExplanationLabel,
    ExplanationNumbers,
    ExplanationQuery,
    PredictionRequest,
    PredictionResponse,
    prediction_payload,
)
from api.services.predict import predict_photo
from api.uploads import FormParser
from api.views.base import IDEMPOTENCY_PARAMETER, UPLOAD_ERRORS, retry_key

_FOR_AN_HOUR = {"Cache-Control": "private, max-age=3600"}


class PredictView(PublicView):
    """Classify one photo of a skin lesion."""

    parser_classes = [FormParser]
    throttle_scope = "predict"

    @extend_schema(
        tags=["predictions"],
        request=PredictionRequest,
        parameters=[IDEMPOTENCY_PARAMETER],
        responses={200: PredictionResponse, **UPLOAD_ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Answer one photo. Unsure, unusable and not-a-lesion photos are answers too (200, `isSafe` false)."""
        key = retry_key(request, purpose="predict")
        form = PredictionRequest(data=request.data, context={"request": request})
        form.is_valid(raise_exception=True)
        arguments = form.arguments()
        prediction = predict_photo(user=request.user, key=key, **arguments)
        url = explanations.explanation_url(prediction, request) if arguments["explain"] else None
        return Response(prediction_payload(prediction, explanation_url=url))


class ExplanationView(PublicView):
    """The class activation map of one prediction, for whoever holds its signed address."""

    @extend_schema(
        tags=["predictions"],
        parameters=[ExplanationQuery],
        responses={(200, "image/png"): OpenApiTypes.BINARY, 400: ErrorBody, 404: ErrorBody},
    )
    def get(self, request: Request, token: str) -> HttpResponse:
        """A PNG of the photo under its class activation map, at most 1024 px, its legend in a strip below."""
        query = ExplanationQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        image = explanations.image_of(token)
        try:
            png = explanations.explanation_png(image, **query.arguments())
        except FileNotFoundError as error:
            raise NotFound(_("The photo is no longer stored. Send it again with explain=true.")) from error
        return HttpResponse(png, content_type="image/png", headers=_FOR_AN_HOUR)


class ExplanationGridView(PublicView):
    """The numbers behind the class activation map, below the same signed address."""

    @extend_schema(
        tags=["predictions"],
        parameters=[ExplanationLabel],
        responses={200: ExplanationNumbers, 400: ErrorBody, 404: ErrorBody},
    )
    def get(self, request: Request, token: str) -> Response:
        """The map's grid, for a client that draws it itself."""
        query = ExplanationLabel(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        numbers = explanations.explanation_numbers(explanations.image_of(token), label=query.validated_data["label"])
        return Response(ExplanationNumbers(numbers).data, headers=_FOR_AN_HOUR)
