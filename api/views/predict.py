"""Answering a photo, and the map that shows where the answer came from."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.base_views import PublicView
from api import explanations, selectors
from api.serializers import ErrorBody, PredictionRequest, PredictionResponse, prediction_payload
from api.services.predict import predict_photo
from api.uploads import FormParser
from api.views.base import IDEMPOTENCY_PARAMETER, UPLOAD_ERRORS, retry_key


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

    @extend_schema(tags=["predictions"], responses={(200, "image/png"): OpenApiTypes.BINARY, 404: ErrorBody})
    def get(self, request: Request, token: str) -> HttpResponse:
        """A PNG of the photo under its class activation map."""
        prediction_id = explanations.prediction_id_of(token)
        image = selectors.explained_image(prediction_id=prediction_id) if prediction_id else None
        if image is None:
            raise NotFound(_("This address has expired. Send the photo again with explain=true."))
        try:
            png = explanations.explanation_png(image)
        except FileNotFoundError as error:
            raise NotFound(_("The photo is no longer stored. Send it again with explain=true.")) from error
        return HttpResponse(png, content_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
