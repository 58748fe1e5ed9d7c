"""Reads of the log and of what people keep. What belongs to a person is found only through that person."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from api.models import Prediction, PredictionImage, Scan


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """What a history is narrowed by: None leaves it as it is. Days are whole ones in TIME_ZONE, both included."""

    status: str | None = None
    severity: str | None = None
    label: str | None = None
    date_from: date | None = None
    date_to: date | None = None


def predictions_of(*, user: User) -> QuerySet[Prediction]:
    """The person's answers with their photos and remarks, newest first."""
    return Prediction.objects.filter(user=user).select_related("remark").prefetch_related("images")


def history_of(*, user: User, narrowed: HistoryFilter) -> QuerySet[Prediction]:
    """The person's answers that the filter lets through, newest first."""
    lookups = {
        "status": narrowed.status,
        "severity": narrowed.severity,
        "label": narrowed.label,
        "created_at__date__gte": narrowed.date_from,
        "created_at__date__lte": narrowed.date_to,
    }
    wanted = {lookup: value for lookup, value in lookups.items() if value is not None}
    return predictions_of(user=user).filter(**wanted)


def scans_of(*, user: User) -> QuerySet[Scan]:
    """What the person saved, with the server's own answers, newest first."""
    return Scan.objects.filter(user=user).select_related("user", "prediction").prefetch_related("prediction__images")


def claimable_predictions(*, content_sha256: str, since: datetime) -> QuerySet[Prediction]:
    """Nobody's answers to these very bytes, newest first.

    Without those that tell of a person, or show more of one: somebody else may hold the same file, and must neither
    read another's history nor see another's other photos.
    """
    others = PredictionImage.objects.filter(prediction=OuterRef("pk")).exclude(content_sha256=content_sha256)
    return Prediction.objects.filter(
        ~Exists(others),
        images__content_sha256=content_sha256,
        user=None,
        created_at__gte=since,
        age_years=None,
        sex="",
        site="",
        history="",
    )


def expired_predictions(*, now: datetime) -> QuerySet[Prediction]:
    """Predictions whose retention is over at `now`, oldest first."""
    expired = Q(user=None, created_at__lt=now - timedelta(days=settings.ANONYMOUS_RETENTION_DAYS))
    if settings.RETENTION_DAYS:
        expired |= Q(user__isnull=False, created_at__lt=now - timedelta(days=settings.RETENTION_DAYS))
    return Prediction.objects.filter(expired).order_by("created_at", "pk")


def expired_scans(*, now: datetime) -> QuerySet[Scan]:
    """Saved scans whose retention is over at `now`, oldest first."""
    if not settings.RETENTION_DAYS:
        return Scan.objects.none()
    before = now - timedelta(days=settings.RETENTION_DAYS)
    return Scan.objects.filter(created_at__lt=before).order_by("created_at", "pk")


def explained_image(*, image_id: int) -> PredictionImage | None:
    """A photo of the log, if it has class activation maps."""
    explained = PredictionImage.objects.filter(pk=image_id, activations__isnull=False)
    return explained.select_related("prediction").first()
