"""A form of the page to places in the directory: a city as typed, or where the browser says the person is."""

from typing import Any

from django.http import HttpRequest

from api.directory.answer import nearby_answer
from api.directory.provider import Order, directory
from api.directory.serializers import NearbyRequest
from web.throttles import check_throttle


def places_near(request: HttpRequest) -> dict[str, Any]:
    """What `NearbyResponse` describes, nearest first. Raises what `api.exceptions` words."""
    check_throttle(request, scope="api")
    texts = {name: request.POST.get(name, "") for name in ("city", "severity", "lat", "lon")}
    form = NearbyRequest(data={**texts, "lat": _degrees(texts["lat"]), "lon": _degrees(texts["lon"])})
    form.is_valid(raise_exception=True)
    return nearby_answer(
        directory=directory(),
        origin=form.origin(),
        city=form.validated_data["city"],
        order=Order.DISTANCE,
        severity=form.validated_data["severity"],
    )


def _degrees(text: str) -> float | str | None:
    """A form's text as the API's number; what is none stays a text, which the API refuses in words."""
    try:
        return float(text) if text else None
    except ValueError:
        return text
