"""Answering a photo, and the map that shows where the answer came from."""

from django.conf import settings
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
from api.services.predict import predict_photos
from api.uploads import FormParser
from api.views.base import IDEMPOTENCY_PARAMETER, UPLOAD_ERRORS, refuse_too_many, retry_key

_FOR_AN_HOUR = {"Cache-Control": "private, max-age=3600"}


class PredictView(PublicView):
    """Classify one skin lesion by one photo or several."""

    parser_classes = [FormParser]
    throttle_scope = "predict"

    @extend_schema(
        tags=["predictions"],
        request=PredictionRequest,
        parameters=[IDEMPOTENCY_PARAMETER],
        responses={200: PredictionResponse, **UPLOAD_ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Answer one photo, or up to five of one and the same spot together.

        Unsure, unusable and not-a-lesion photos are answers too (200, `isSafe` false).
        """
        refuse_too_many(request, most=settings.MAX_PHOTOS)
        key = retry_key(request, purpose="predict")
        form = PredictionRequest(data=request.data)
        form.is_valid(raise_exception=True)
        prediction = predict_photos(user=request.user, key=key, **form.arguments())
        return Response(prediction_payload(prediction, request))


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
