"""The prediction log and what people keep of it. Rows are written by `services/` once; only remarks are rewritten."""

import uuid
from pathlib import PurePath

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from api.directory.models import Dermatologist  # noqa: F401 - Django looks for models here
from api.reviews.models import ReviewCase  # noqa: F401 - and for these
from api.switching.models import ModelSwitch, ModelVersion  # noqa: F401 - and here
from ml_models.classification import Modality, Severity, Status

_MODALITIES = [(each.value, each.value) for each in Modality]


def photo_path(_image: "PredictionImage", filename: str) -> str:
    """A random name that says nothing about person or content; 256 folders keep listings short."""
    return _random_path("predictions", filename)


def scan_photo_path(_scan: "Scan", filename: str) -> str:
    """The same for the photo of a saved scan, in a folder of its own."""
    return _random_path("scans", filename)


def _random_path(folder: str, filename: str) -> str:
    name = uuid.uuid4().hex
    return f"{folder}/{name[:2]}/{name}{PurePath(filename).suffix}"


class Prediction(models.Model):
    """One answer as it was given, with everything needed to replay it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="predictions"
    )

    status = models.CharField(max_length=10, choices=[(each.value, each.value) for each in Status])
    reasons = models.JSONField(default=list, help_text="[{code, text}] in the order of weight")
    label = models.CharField(max_length=64, blank=True, help_text="empty when rejected")
    possible = models.JSONField(default=list, help_text="[code] that cannot be ruled out, most probable first")
    modality = models.CharField(max_length=20, blank=True, choices=_MODALITIES, help_text="empty when unsure")
    diagnosis = models.CharField(max_length=300)
    confidence_percent = models.FloatField()
    severity = models.CharField(max_length=10, choices=[(each.value, each.value) for each in Severity])
    advice = models.TextField()
    is_safe = models.BooleanField()
    probabilities = models.JSONField(null=True, help_text="{code: probability} of every label, null when rejected")
    top = models.JSONField(default=list, help_text="[{label, name, probability}], most probable first")
    malignant_probability = models.FloatField(null=True)
    malignancy_threshold = models.FloatField(null=True)
    suspicious = models.BooleanField()

    model_name = models.CharField(max_length=100)
    model_version = models.CharField(max_length=50)
    model_digest = models.CharField(max_length=64)
    preprocess_version = models.PositiveSmallIntegerField()
    duration_ms = models.FloatField(help_text="decoding and inference of all photos, without storing")

    age_years = models.PositiveSmallIntegerField(null=True)
    sex = models.CharField(max_length=10, blank=True)
    site = models.CharField(max_length=100, blank=True)
    history = models.TextField(blank=True)
    consent = models.BooleanField(default=False, help_text="the person allows training use")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["status", "-created_at"]),
            models.Index(fields=["label", "-created_at"]),
            models.Index(fields=["user", "-created_at"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="prediction_safe_is_only_a_plain_low_answer",
                condition=Q(is_safe=False)
                | (Q(status=Status.OK.value, severity=Severity.LOW.value, suspicious=False) & ~Q(label="")),
            ),
            models.CheckConstraint(
                name="prediction_rejected_has_no_label",
                condition=Q(status=Status.REJECTED.value, label="", probabilities__isnull=True)
                | (~Q(status=Status.REJECTED.value) & ~Q(label="") & Q(probabilities__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.diagnosis} ({self.confidence_percent:.1f} %), {self.created_at:%Y-%m-%d %H:%M}"


class PredictionImage(models.Model):
    """One photo of a prediction: the cleaned file that was classified, and what the model saw in it."""

    prediction = models.ForeignKey(Prediction, models.CASCADE, related_name="images")
    position = models.PositiveSmallIntegerField(default=0, help_text="among those sent; a repeated one leaves a gap")
    photo = models.FileField(upload_to=photo_path, max_length=200)
    content_sha256 = models.CharField(max_length=64, db_index=True, help_text="of the stored file")
    format = models.CharField(max_length=10, help_text="as received, by content")
    width_px = models.PositiveIntegerField(help_text="upright")
    height_px = models.PositiveIntegerField(help_text="upright")
    probabilities = models.JSONField(null=True, help_text="of this photo alone, null when rejected")
    rejections = models.JSONField(default=list, help_text="[reason code] of the gates that it does not pass")
    modality = models.CharField(max_length=20, blank=True, choices=_MODALITIES, help_text="empty when unsure")
    gate_scores = models.JSONField(default=dict)
    embedding = models.BinaryField(null=True, help_text="float32, little-endian")
    activations = models.JSONField(
        null=True, help_text="{code: [rows][columns]}: what each cell adds to the logit of every label, when asked for"
    )

    class Meta:
        ordering = ["prediction", "position"]
        constraints = [models.UniqueConstraint(fields=["prediction", "position"], name="prediction_image_position")]

    def __str__(self) -> str:
        return f"photo {self.position + 1} of {self.prediction_id}"


class PredictionRemark(models.Model):
    """What the person says about an answer they were given; the last word counts."""

    prediction = models.OneToOneField(Prediction, models.CASCADE, related_name="remark")
    text = models.TextField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"remark on {self.prediction_id}"


class Scan(models.Model):
    """What a person saved: the client's claims word for word, their photo, and the server's own answer to that photo.

    `prediction` is set only where the server answered a photo of the same bytes, and to nobody else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="scans")
    prediction = models.ForeignKey(Prediction, models.SET_NULL, null=True, blank=True, related_name="scans")

    claimed_diagnosis = models.CharField(max_length=500)
    claimed_confidence = models.CharField(max_length=32, help_text='as sent, such as "93%"')
    claimed_severity = models.CharField(max_length=10, choices=[(each.value, each.value) for each in Severity])
    claimed_advice = models.TextField(blank=True)
    claimed_is_safe = models.BooleanField()

    photo = models.FileField(upload_to=scan_photo_path, max_length=200)
    content_sha256 = models.CharField(max_length=64, help_text="of the stored file")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["user", "-created_at"])]

    def __str__(self) -> str:
        return f"scan of {self.created_at:%Y-%m-%d %H:%M}"


class IdempotencyKey(models.Model):
    """A request that was answered, found again by its key; the answer itself lives in the row it points at."""

    digest = models.CharField(max_length=64, unique=True, help_text="keyed digest of person, purpose and key")
    body_digest = models.CharField(max_length=64, help_text="keyed digest of the form's fields and files")
    prediction = models.ForeignKey(Prediction, models.CASCADE, null=True, related_name="+")
    scan = models.ForeignKey(Scan, models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="idempotency_key_points_at_one_row",
                condition=Q(prediction__isnull=False, scan__isnull=True)
                | Q(prediction__isnull=True, scan__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"answered {self.created_at:%Y-%m-%d %H:%M}"


class Tombstone(models.Model):
    """That an account was deleted, and nothing of what it held: so that a restored backup can be cleaned again."""

    user_id = models.BigIntegerField(unique=True, help_text="the number of the account; numbers are never reused")
    deleted_at = models.DateTimeField(default=timezone.now)
    predictions = models.PositiveIntegerField()
    scans = models.PositiveIntegerField()

    class Meta:
        ordering = ["-deleted_at"]

    def __str__(self) -> str:
        return f"account {self.user_id}, deleted {self.deleted_at:%Y-%m-%d}"
