"""Reads of the log."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from api.models import Prediction, PredictionImage


def expired_predictions(*, now: datetime) -> QuerySet[Prediction]:
    """Predictions whose retention is over at `now`, oldest first."""
    expired = Q(user=None, created_at__lt=now - timedelta(days=settings.ANONYMOUS_RETENTION_DAYS))
    if settings.RETENTION_DAYS:
        expired |= Q(user__isnull=False, created_at__lt=now - timedelta(days=settings.RETENTION_DAYS))
    return Prediction.objects.filter(expired).order_by("created_at", "pk")


def explained_image(*, prediction_id: uuid.UUID) -> PredictionImage | None:
    """The first photo of a prediction that has a class activation map."""
    return PredictionImage.objects.filter(prediction_id=prediction_id, activation__isnull=False).first()
