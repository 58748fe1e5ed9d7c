"""A person's own history of answers."""

import uuid
from datetime import UTC
from typing import NoReturn

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.base_views import PersonView, person_of
from api import selectors
from api.history_serializers import FeedbackRequest, HistoryEntry, HistoryPage, HistoryQuery, history_entry
from api.serializers import ErrorBody
from api.services.history import remark_on
from api.services.retention import delete_predictions


class HistoryCursor(CursorPagination):
    """Pages that neither skip nor repeat an answer when new ones come in between."""

    ordering = ("-created_at", "-id")
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def decode_cursor(self, request: Request) -> Cursor | None:
        """REST framework's own hands any text on to the database, which has no answer to it."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class HistoryView(PersonView):
    """Every answer that the person was given."""

    @extend_schema(
        operation_id="api_predictions_list",
        tags=["predictions"],
        parameters=[
            HistoryQuery,
            OpenApiParameter("cursor", OpenApiTypes.STR, description="from `next` or `previous`"),
            OpenApiParameter("page_size", OpenApiTypes.INT, description="1 to 100, 20 when absent"),
        ],
        responses={200: HistoryPage, 400: ErrorBody, 401: ErrorBody, 404: ErrorBody},
    )
    def get(self, request: Request) -> Response:
        """Answers given to this token, and anonymous ones that a saved scan made the person's; newest first."""
        query = HistoryQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        pages = HistoryCursor()
        page = pages.paginate_queryset(
            selectors.history_of(user=person_of(request), narrowed=query.filter()), request, self
        )
        return pages.get_paginated_response([history_entry(prediction, request) for prediction in page or []])


class HistoryEntryView(PersonView):
    """One answer of the person who asks; anybody else's does not exist."""

    @extend_schema(tags=["predictions"], responses={200: HistoryEntry, 401: ErrorBody, 404: ErrorBody})
    def get(self, request: Request, prediction_id: uuid.UUID) -> Response:
        """The answer as it was given, with photo, patient facts and remark."""
        prediction = selectors.predictions_of(user=person_of(request)).filter(pk=prediction_id).first()
        return Response(history_entry(prediction or _no_prediction(), request))

    @extend_schema(tags=["predictions"], responses={204: None, 401: ErrorBody, 404: ErrorBody})
    def delete(self, request: Request, prediction_id: uuid.UUID) -> Response:
        """Delete the answer with its photo and remark. A scan saved from it keeps its own photo and claims."""
        if not delete_predictions(
            predictions=selectors.predictions_of(user=person_of(request)).filter(pk=prediction_id)
        ):
            _no_prediction()
        return Response(status=status.HTTP_204_NO_CONTENT)


class FeedbackView(PersonView):
    """What the person says about an answer."""

    @extend_schema(
        tags=["predictions"],
        request=FeedbackRequest,
        responses={200: HistoryEntry, 400: ErrorBody, 401: ErrorBody, 404: ErrorBody},
    )
    def post(self, request: Request, prediction_id: uuid.UUID) -> Response:
        """Keep a remark on an answer; a later one takes its place."""
        predictions = selectors.predictions_of(user=person_of(request)).filter(pk=prediction_id)
        prediction = predictions.first() or _no_prediction()
        form = FeedbackRequest(data=request.data)
        form.is_valid(raise_exception=True)
        remark = remark_on(prediction=prediction, text=form.validated_data["remark"])
        prediction.remark = remark or _no_prediction()
        return Response(history_entry(prediction, request))


def _is_moment(text: str) -> bool:
    try:
        moment = parse_datetime(text)
        return moment is not None and moment.tzinfo is not None and moment.astimezone(UTC) is not None
    except (ValueError, OverflowError):
        return False


def _no_prediction() -> NoReturn:
    raise NotFound(_("There is no such prediction."))
