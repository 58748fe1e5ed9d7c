"""What the person is told about the places that a directory knows: facts, and a map search for all others."""

from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from api.directory.distance import Point
from api.directory.provider import Directory, Order, Place
from ml_models.classification import Severity

# The documented form that opens in every maps app and browser: developers.google.com/maps/documentation/urls
_MAPS = "https://www.google.com/maps/search/?"


def nearby_answer(
    *, directory: Directory, origin: Point | None, city: str, order: Order, severity: str
) -> dict[str, Any]:
    """What `NearbyResponse` describes."""
    places: list[Place] = []
    if origin:
        places = directory.near(origin, order=order)
    elif city:
        places = directory.in_city(city, order=order)
    return {
        "hospitals": [_hospital(place, by_city=origin is None) for place in places],
        "maps_search_url": _maps_search_url(origin, city),
        "message": " ".join(_sentences(places, severity=severity, placed=bool(origin or city))),
    }


def _hospital(place: Place, *, by_city: bool) -> dict[str, Any]:
    distance_km = round(place.distance_km, 1)
    where = _("in %(city)s") if by_city else _("%(distance)s km away")
    facts = [place.speciality, where % {"city": place.city, "distance": distance_km}]
    if place.rating is not None:
        facts.append(_("rated %(rating)s of 5") % {"rating": place.rating})
    return {
        "name": place.name,
        "speciality": place.speciality,
        "address": place.address,
        "city": place.city,
        "phone": place.phone,
        "rating": place.rating or 0.0,
        "distance_km": distance_km,
        "maps_url": _maps_url(f"{place.name}, {place.address}, {place.city}"),
        "why_recommended": ", ".join(facts),
        "top_doctors": [],
    }


def _sentences(places: list[Place], *, severity: str, placed: bool) -> list[str]:
    sentences = []
    if not placed:
        sentences.append(_("Share your location or name a city to find a dermatologist near you."))
    elif not places:
        sentences.append(_("Our directory knows no dermatologist there. The map search may show some."))
    if severity.strip().lower() == Severity.HIGH.lower():
        sentences.append(_("Do not put this off: ask for an appointment within days, and say what you have noticed."))
    return sentences


def _maps_search_url(origin: Point | None, city: str) -> str:
    if origin:
        # About a kilometre: enough to search around, and no more than the map's owner needs to know.
        return _maps_url(_("dermatologist near %(place)s") % {"place": f"{origin.latitude:.2f},{origin.longitude:.2f}"})
    return _maps_url(_("dermatologist near %(place)s") % {"place": city} if city else _("dermatologist near me"))


def _maps_url(query: str) -> str:
    return _MAPS + urlencode({"api": 1, "query": query})
