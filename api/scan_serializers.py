"""Saved scans on the wire: the app's fields are what the client claimed, `server` is what the server answered."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from api.claims import mismatch_of
from api.models import Scan
from api.photo_addresses import photo_address
from api.serializers import NO_IMAGE, PredictionResponse, prediction_payload
from api.services.scans import ScanClaim
from ml_models.classification import Severity

MAX_ADVICE = 10_000


class ScanRequest(serializers.Serializer[Any]):
    """Multipart form of a scan to be saved: the photo, and what the app showed for it."""

    image = serializers.FileField(
        allow_empty_file=True,
        help_text="the photo that was predicted, the very same bytes",
        error_messages={"required": NO_IMAGE, "invalid": NO_IMAGE},
    )
    diagnosis = serializers.CharField(max_length=500, trim_whitespace=False)
    confidence = serializers.CharField(max_length=32, trim_whitespace=False, help_text='as shown, such as "93%"')
    severity = serializers.ChoiceField(choices=[each.value for each in Severity])
    advice = serializers.CharField(max_length=MAX_ADVICE, trim_whitespace=False, allow_blank=True, default="")
    is_safe = serializers.BooleanField(default=False, help_text="absent means false")

    def claim(self) -> ScanClaim:
        """The validated form without its photo."""
        return ScanClaim(**{name: value for name, value in self.validated_data.items() if name != "image"})


class ScanListItem(serializers.Serializer[Any]):
    """A saved scan as the client saved it."""

    id = serializers.UUIDField()
    diagnosis = serializers.CharField()
    confidence = serializers.CharField(help_text="as saved")
    severity = serializers.ChoiceField(choices=[each.value for each in Severity])
    advice = serializers.CharField(allow_blank=True)
    is_safe = serializers.BooleanField()
    image = serializers.URLField(help_text="absolute, signed, expires; opens without a header")
    created_at = serializers.DateTimeField()


class MismatchSerializer(serializers.Serializer[Any]):
    """Where the saved claims differ from the server's own answer."""

    differs = serializers.ListField(child=serializers.CharField(), help_text="names of the claims that differ")
    plays_down = serializers.BooleanField(help_text="the claims say less danger than the server saw")
    text = serializers.CharField()


class ScanDetail(ScanListItem):
    """A saved scan beside the server's own answer to the same photo; `server` is null where there is none."""

    server = PredictionResponse(allow_null=True)
    mismatch = MismatchSerializer(allow_null=True)


def scan_list_item(scan: Scan, request: Request) -> dict[str, Any]:
    """What `ScanListItem` describes."""
    return {
        "id": str(scan.pk),
        "diagnosis": scan.claimed_diagnosis,
        "confidence": scan.claimed_confidence,
        "severity": scan.claimed_severity,
        "advice": scan.claimed_advice,
        "is_safe": scan.claimed_is_safe,
        "image": photo_address(scan, request),
        "created_at": scan.created_at.isoformat(),
    }


def scan_detail(scan: Scan, request: Request) -> dict[str, Any]:
    """What `ScanDetail` describes."""
    answer, mismatch = scan.prediction, mismatch_of(scan)
    return scan_list_item(scan, request) | {
        "server": prediction_payload(answer, request) if answer else None,
        "mismatch": mismatch
        and {
            "differs": list(mismatch.fields),
            "plays_down": mismatch.plays_down,
            "text": mismatch_text(plays_down=mismatch.plays_down),
        },
    }


def mismatch_text(*, plays_down: bool) -> str:
    """What a person is told of a mismatch."""
    if plays_down:
        return _("What was saved makes this look less serious than the server's own answer. Trust the server's answer.")
    return _("What was saved differs from the server's own answer. Trust the server's answer.")
