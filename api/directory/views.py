"""Finding a dermatologist over HTTP."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.base_views import PersonView
from accounts.parsers import BoundedJSONParser
from api.directory.answer import nearby_answer
from api.directory.provider import Order, directory
from api.directory.serializers import NearbyRequest, NearbyResponse
from api.serializers import ErrorBody


class NumberTolerantJSONParser(BoundedJSONParser):
    """Lets NaN and Infinity through to the field, which refuses them by name."""

    strict = False


class NearbyView(PersonView):
    """Dermatologists near a person."""

    parser_classes = [NumberTolerantJSONParser]

    @extend_schema(
        tags=["guidance"],
        request=NearbyRequest,
        responses={
            200: NearbyResponse,
            400: OpenApiResponse(ErrorBody, "Coordinates that are none; `fields` names them."),
            401: ErrorBody,
        },
    )
    def post(self, request: Request) -> Response:
        """Places from the directory by distance or rating, and a map search for where it knows none."""
        form = NearbyRequest(data=request.data)
        form.is_valid(raise_exception=True)
        asked: dict[str, Any] = form.validated_data
        answer = nearby_answer(
            directory=directory(),
            origin=form.origin(),
            city=asked.get("city") or "",
            order=Order.RATING if asked.get("sort") == Order.RATING else Order.DISTANCE,
            severity=asked.get("severity") or "",
        )
        return Response(answer)
