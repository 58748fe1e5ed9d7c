"""A person's own history on the wire: every answer they were given, and what they say about it."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from api.models import Prediction
from api.photo_addresses import photo_address
from api.selectors import HistoryFilter
from api.serializers import PredictionResponse, SeenPhotoSerializer, prediction_payload, seen_photo_payload
from ml_models.classification import Severity, Status


class HistoryQuery(serializers.Serializer[Any]):
    """What the history may be narrowed by; all may be absent, and all that are there must apply."""

    status = serializers.ChoiceField(choices=[each.value for each in Status], required=False)
    severity = serializers.ChoiceField(choices=[each.value for each in Severity], required=False)
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=64, required=False, help_text="class code, such as mel"
    )
    date_from = serializers.DateField(required=False, help_text="first day, such as 2026-03-01, in the server's zone")
    date_to = serializers.DateField(required=False, help_text="last day")

    def filter(self) -> HistoryFilter:
        """The validated query."""
        return HistoryFilter(**self.validated_data)


class PatientSerializer(serializers.Serializer[Any]):
    """What the person said about themselves; empty where they said nothing."""

    age = serializers.IntegerField(allow_null=True, help_text="years")
    sex = serializers.CharField(allow_blank=True)
    site = serializers.CharField(allow_blank=True)
    history = serializers.CharField(allow_blank=True)


class KeptPhotoSerializer(SeenPhotoSerializer):
    """What was found of one photo, and where it can be looked at."""

    image = serializers.URLField(help_text="absolute, signed, expires; opens without a header")


class HistoryEntry(PredictionResponse):
    """One answer with everything that was said beside it."""

    image = serializers.URLField(allow_null=True, help_text="the first of the photos")
    photos = KeptPhotoSerializer(many=True, help_text="in the order sent")
    patient = PatientSerializer()
    consent = serializers.BooleanField(help_text="training with this photo was allowed when it was sent")
    remark = serializers.CharField(allow_null=True, help_text="the person's own, see feedback")


class HistoryPage(serializers.Serializer[Any]):
    """A page of the history, newest first. Follow `next` until it is null."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = HistoryEntry(many=True)


class FeedbackRequest(serializers.Serializer[Any]):
    """The person's own remark: what a doctor said, say. A later one takes its place."""

    remark = serializers.CharField(max_length=2000)


def history_entry(prediction: Prediction, request: Request) -> dict[str, Any]:
    """What `HistoryEntry` describes. The prediction comes from `predictions_of`, with photos and remark at hand."""
    remark = getattr(prediction, "remark", None)
    photos = [
        seen_photo_payload(image, request) | {"image": photo_address(image, request)}
        for image in prediction.images.all()
    ]
    return prediction_payload(prediction, request) | {
        "image": photos[0]["image"] if photos else None,
        "photos": photos,
        "patient": {
            "age": prediction.age_years,
            "sex": prediction.sex,
            "site": prediction.site,
            "history": prediction.history,
        },
        "consent": prediction.consent,
        "remark": remark and remark.text,
    }
