"""Signed, expiring addresses of people's photos: whoever holds one may look, without any other sign of who they are."""

import time
import uuid
from enum import StrEnum

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.urls import reverse
from rest_framework.request import Request

from api.models import PredictionImage, Scan

MAX_SIDE_PX = 1600
_HOUR_S = 3600
_signer = signing.Signer(salt="api.photo_addresses")


class _Kind(StrEnum):
    PREDICTION_IMAGE = "i"
    SCAN = "s"


def photo_address(of: PredictionImage | Scan, request: HttpRequest | Request) -> str:
    """Absolute address of the photo, which opens for PHOTO_URL_HOURS at least.

    It expires at a full hour, so within one hour it stays the same: a phone that keeps pictures by their address loads
    each once and not with every list.
    """
    name = f"{_Kind.SCAN}{of.pk.hex}" if isinstance(of, Scan) else f"{_Kind.PREDICTION_IMAGE}{of.pk}"
    expires_at_h = int(time.time()) // _HOUR_S + settings.PHOTO_URL_HOURS + 1
    token = _signer.sign(f"{name}.{expires_at_h}")
    return request.build_absolute_uri(reverse("api:photo", kwargs={"token": token}))


def photo_of(token: str) -> PredictionImage | Scan | None:
    """What a token opens; None for a forged or expired one, and when the person has deleted it."""
    try:
        name, _, expires_at_h = _signer.unsign(token).partition(".")
    except signing.BadSignature:
        return None
    if time.time() >= int(expires_at_h) * _HOUR_S:
        return None
    kind, key = name[0], name[1:]
    if kind == _Kind.SCAN:
        return Scan.objects.filter(pk=uuid.UUID(hex=key)).first()
    return PredictionImage.objects.filter(pk=int(key)).first() if kind == _Kind.PREDICTION_IMAGE else None
