"""The wire format of finding a dermatologist."""

import math
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from api.directory.distance import Point


class DegreesField(serializers.FloatField):
    """A finite JSON number: the app sends what the phone measured, so a text or NaN is a mistake worth naming."""

    default_error_messages = {"not_a_number": _("A number in degrees is expected.")}

    def to_internal_value(self, data: Any) -> float:
        try:
            degrees = float(data) if isinstance(data, int | float) and not isinstance(data, bool) else math.nan
        except OverflowError:  # whole numbers of any length are JSON
            degrees = math.nan
        if not math.isfinite(degrees):
            self.fail("not_a_number")
        return degrees


class NearbyRequest(serializers.Serializer[Any]):
    """Where to look: at coordinates, or in a city. Coordinates win where both are given."""

    diagnosis = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=300)
    severity = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=20)
    lat = DegreesField(required=False, allow_null=True, min_value=-90, max_value=90)
    lon = DegreesField(required=False, allow_null=True, min_value=-180, max_value=180)
    city = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=100)
    sort = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=20,
        help_text="`distance` or `rating`; anything else means distance",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for given, missing in (("lat", "lon"), ("lon", "lat")):
            if attrs.get(given) is not None and attrs.get(missing) is None:
                raise serializers.ValidationError({missing: _("Send both lat and lon, or neither.")}, code="required")
        return attrs

    def origin(self) -> Point | None:
        """Where the person is; None when only a city or nothing is known."""
        latitude, longitude = self.validated_data.get("lat"), self.validated_data.get("lon")
        return None if latitude is None or longitude is None else Point(latitude, longitude)


class HospitalSerializer(serializers.Serializer[Any]):
    """One place, by what its directory entry says."""

    name = serializers.CharField()
    speciality = serializers.CharField()
    address = serializers.CharField()
    city = serializers.CharField()
    phone = serializers.CharField(allow_blank=True)
    rating = serializers.FloatField(min_value=0, max_value=5, help_text="0 when nobody has rated it")
    distance_km = serializers.FloatField(
        min_value=0, help_text="from the person, or from the middle of the city's entries"
    )
    maps_url = serializers.URLField()
    why_recommended = serializers.CharField(help_text="facts, separated by a comma and a blank")
    top_doctors = serializers.ListField(
        child=serializers.CharField(), help_text="always empty: the directory knows no single doctors"
    )


class NearbyResponse(serializers.Serializer[Any]):
    """At most twenty places; none where the directory knows none."""

    hospitals = HospitalSerializer(many=True)
    maps_search_url = serializers.URLField(help_text="a map search for more")
    message = serializers.CharField(allow_blank=True, help_text="what to do when the list is empty, or how soon to go")
