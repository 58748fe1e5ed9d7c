"""The wire format: what a client may send and what it reads (the phone app's five fields, and more)."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request
from rest_framework.utils.html import is_html_input

from accounts.serializers import ErrorBody as ErrorBody  # noqa: PLC0414 - exported: this room looks for it here
from api.explanations import explanation_url
from api.i18n import translated, translated_texts
from api.models import Prediction, PredictionImage
from api.services.predict import Patient
from ml_models.classification import Modality, ReasonCode, Severity, Status
from ml_models.decision import REASON_TEXTS
from ml_models.labels import MAX_CODE_CHARACTERS

DISCLAIMER = _(
    "This is not a medical device and no diagnosis. It can miss skin cancer. "
    "If a spot worries you, changes, itches or bleeds, see a doctor whatever is said here."
)
NO_IMAGE = _("No photo came. Send one file as multipart/form-data, in the field named image.")
_MODALITIES = [each.value for each in Modality]


class PhotosField(serializers.ListField):
    """Every part of a form that has the field's name, in the order sent."""

    child = serializers.FileField(allow_empty_file=True)
    default_error_messages = {"required": NO_IMAGE}

    def get_value(self, dictionary: Any) -> Any:
        """REST framework's own would take `image[0]` and its like as well, which nobody counts."""
        return (is_html_input(dictionary) and dictionary.getlist(self.field_name)) or empty

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        if not all(isinstance(part, UploadedFile) for part in data):
            self.fail("required")  # what came is text
        return data


class PredictionRequest(serializers.Serializer[Any]):
    """Multipart form of a prediction."""

    image = PhotosField(
        max_length=settings.MAX_PHOTOS,
        help_text=(
            "The photo: JPEG, PNG, WebP or HEIC, judged by content, whatever its name and type say. "
            "Several parts of this name are photos of one and the same spot, answered together."
        ),
    )
    age = serializers.IntegerField(min_value=0, max_value=130, required=False, allow_null=True, help_text="years")
    sex = serializers.ChoiceField(choices=["female", "male", "other"], required=False, allow_blank=True)
    site = serializers.CharField(max_length=100, required=False, allow_blank=True, help_text="anatomical site")
    history = serializers.CharField(max_length=2000, required=False, allow_blank=True, help_text="in own words")
    explain = serializers.BooleanField(default=False, help_text="also make a class activation map")
    consent = serializers.BooleanField(default=False, help_text="the photo may be used to train later models")

    def arguments(self) -> dict[str, Any]:
        """The validated form as keyword arguments of `predict_photos`, without the user."""
        form = self.validated_data
        return {
            "uploads": form["image"],
            "patient": Patient(
                age_years=form.get("age"),
                sex=form.get("sex", ""),
                site=form.get("site", ""),
                history=form.get("history", ""),
            ),
            "consent": form["consent"],
            "explain": form["explain"],
        }


class ReasonSerializer(serializers.Serializer[Any]):
    """Why the answer is not a plain one."""

    code = serializers.CharField()
    text = serializers.CharField()


class RankedLabelSerializer(serializers.Serializer[Any]):
    """One of the most probable classes."""

    label = serializers.CharField()  # type: ignore[assignment]
    name = serializers.CharField()
    probability = serializers.FloatField()


class MalignancySerializer(serializers.Serializer[Any]):
    """Summed probability of the malignant classes; `threshold` null where none has been validated.

    `probability` is null when rejected, and where no class of the model is known to be malignant but some may be.
    """

    probability = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)
    suspicious = serializers.BooleanField()


class ModelIdentitySerializer(serializers.Serializer[Any]):
    """Which model answered."""

    name = serializers.CharField()
    version = serializers.CharField()
    digest = serializers.CharField(help_text="sha256 of model.json, which names every file's sha256")


class SeenPhotoSerializer(serializers.Serializer[Any]):
    """What was found of one photo. One that is not usable did not count; with none that is, the answer is rejected."""

    number = serializers.IntegerField(min_value=1, help_text="among those sent; one sent twice is named once")
    usable = serializers.BooleanField()
    reasons = ReasonSerializer(many=True, help_text="why it is not usable, and how to take it again")
    modality = serializers.ChoiceField(choices=_MODALITIES, allow_null=True, help_text="null when unsure")
    explanation_url = serializers.URLField(allow_null=True, help_text="its own map; signed, expires")


class PredictionResponse(serializers.Serializer[Any]):
    """The answer. An unsure or unusable photo is an answer too: status 200, `isSafe` false, the reason in `advice`."""

    id = serializers.UUIDField()
    label = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="class code, null when rejected"
    )
    diagnosis = serializers.CharField()
    confidence = serializers.FloatField(min_value=0, max_value=100, help_text="per cent, 0 when rejected")
    severity = serializers.ChoiceField(choices=[each.value for each in Severity])
    advice = serializers.CharField()
    isSafe = serializers.BooleanField(help_text="false unless everything says otherwise; never means healthy")  # noqa: N815
    status = serializers.ChoiceField(choices=[each.value for each in Status])
    reasons = ReasonSerializer(many=True)
    probabilities = serializers.DictField(
        child=serializers.FloatField(), allow_null=True, help_text="every label in the model's order, sum 1"
    )
    top_k = RankedLabelSerializer(many=True)
    possible_labels = serializers.ListField(
        child=serializers.CharField(), help_text="classes that cannot be ruled out, most probable first; none: rejected"
    )
    modality = serializers.ChoiceField(
        choices=_MODALITIES, allow_null=True, help_text="kind of photo; null when unsure"
    )
    photos = SeenPhotoSerializer(many=True, help_text="in the order sent")
    malignancy = MalignancySerializer()
    explanation_url = serializers.URLField(
        allow_null=True, help_text="of the first usable photo; signed, expires; null unless `explain` was true"
    )
    model = ModelIdentitySerializer()
    disclaimer = serializers.CharField()
    created_at = serializers.DateTimeField()


class ExplanationLabel(serializers.Serializer[Any]):
    """Of which class a map is asked for."""

    label = serializers.CharField(  # type: ignore[assignment]
        max_length=MAX_CODE_CHARACTERS,
        default="",
        allow_blank=True,
        help_text="class code; the answer's own without it",
    )


class ExplanationQuery(ExplanationLabel):
    """How a map is drawn."""

    legend = serializers.BooleanField(
        default=True, help_text="false leaves the strip below out: exactly the upright photo, shrunk"
    )

    def arguments(self) -> dict[str, Any]:
        """The validated query as keyword arguments of `explanation_png`."""
        return {"label": self.validated_data["label"], "has_legend": self.validated_data["legend"]}


class FrameSerializer(serializers.Serializer[Any]):
    """The part of the upright photo that the grid covers, as shares of its width and height."""

    left = serializers.FloatField()
    top = serializers.FloatField()
    width = serializers.FloatField()
    height = serializers.FloatField()


class ExplanationNumbers(serializers.Serializer[Any]):
    """A class activation map as numbers, rows from top to bottom."""

    label = serializers.CharField()  # type: ignore[assignment]
    labels = serializers.ListField(child=serializers.CharField(), help_text="the classes that may be asked for")
    grid = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(min_value=0, max_value=1)),
        help_text="evidence for the class as it is drawn: its peak is 1; all 0 where there is none",
    )
    activation = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        help_text="what each cell adds to the class's logit, signed",
    )
    frame = FrameSerializer()


class LabelSerializer(serializers.Serializer[Any]):
    """One class of the live model; `malignant` null where it is unknown."""

    code = serializers.CharField()
    name = serializers.CharField()
    malignant = serializers.BooleanField(allow_null=True)
    severity = serializers.ChoiceField(choices=[each.value for each in Severity])


class RecommendedUploadSerializer(serializers.Serializer[Any]):
    """What to send: larger photos are accepted, and cost only time on the way."""

    formats = serializers.ListField(child=serializers.CharField())
    preferred_format = serializers.CharField()
    short_side_px = serializers.IntegerField()
    max_photos = serializers.IntegerField(help_text="of one spot in one request")
    max_bytes = serializers.IntegerField(help_text="of all photos of a request together")
    max_jpeg_pixels = serializers.IntegerField()
    max_other_pixels = serializers.IntegerField()


class ModelResponse(ModelIdentitySerializer):
    """The live model."""

    created_at = serializers.DateTimeField()
    intended_use = serializers.CharField()
    labels = LabelSerializer(many=True)  # in the order of the model's outputs
    metrics = serializers.DictField(help_text="measured: test figures by domain; every block names its split")
    malignancy_thresholds = serializers.DictField(child=serializers.FloatField(), help_text="by modality")
    recommended_upload = RecommendedUploadSerializer()


def seen_photo_payload(image: PredictionImage, request: HttpRequest | Request) -> dict[str, Any]:
    """What `SeenPhotoSerializer` describes, in the active language."""
    return {
        "number": image.position + 1,
        "usable": not image.rejections,
        "reasons": [{"code": code, "text": translated(REASON_TEXTS[ReasonCode(code)])} for code in image.rejections],
        "modality": image.modality or None,
        "explanation_url": explanation_url(image, request),
    }


def prediction_payload(prediction: Prediction, request: HttpRequest | Request) -> dict[str, Any]:
    """What `PredictionResponse` describes, read from the logged row, in the active language."""
    photos = [seen_photo_payload(image, request) for image in prediction.images.all()]
    return {
        "id": str(prediction.pk),
        "label": prediction.label or None,
        "diagnosis": translated(prediction.diagnosis),
        "confidence": prediction.confidence_percent,
        "severity": prediction.severity,
        "advice": translated(prediction.advice),
        "isSafe": prediction.is_safe,
        "status": prediction.status,
        "reasons": translated_texts(prediction.reasons, "text"),
        "probabilities": prediction.probabilities,
        "top_k": translated_texts(prediction.top, "name"),
        "possible_labels": prediction.possible,
        "modality": prediction.modality or None,
        "photos": photos,
        "malignancy": {
            "probability": prediction.malignant_probability,
            "threshold": prediction.malignancy_threshold,
            "suspicious": prediction.suspicious,
        },
        "explanation_url": next((photo["explanation_url"] for photo in photos if photo["explanation_url"]), None),
        "model": {
            "name": prediction.model_name,
            "version": prediction.model_version,
            "digest": prediction.model_digest,
        },
        "disclaimer": str(DISCLAIMER),
        "created_at": prediction.created_at.isoformat(),
    }
