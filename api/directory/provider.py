"""The question that any directory answers, and the one directory that is built in: the imported rows.

DIRECTORY_PROVIDER names the class. Another one, such as a national register's service, needs the two methods alone.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from api.directory.distance import Box, Point, bounding_box, centroid, great_circle_km
from api.directory.models import Dermatologist
from api.text import folded

MAX_PLACES = 20


class Order(StrEnum):
    """What comes first."""

    DISTANCE = "distance"
    RATING = "rating"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to go. `rating` is 0-5, None when nobody has rated it."""

    name: str
    speciality: str
    address: str
    city: str
    phone: str
    rating: float | None
    distance_km: float


class Directory(Protocol):
    """Both answer with at most MAX_PLACES places in the order asked for; none is an answer, too."""

    def near(self, origin: Point, *, order: Order) -> list[Place]:
        """Places within reach of a person."""

    def in_city(self, city: str, *, order: Order) -> list[Place]:
        """Places in a city, however it is spelled; distances from the middle of them."""


def directory() -> Directory:
    """The directory that DIRECTORY_PROVIDER names."""
    chosen: Directory = import_string(settings.DIRECTORY_PROVIDER)()
    return chosen


class ImportedDirectory:
    """The rows that administrators have imported, within DIRECTORY_RADIUS_KM."""

    def near(self, origin: Point, *, order: Order) -> list[Place]:
        """By a box of degrees in the database, then by the exact distance."""
        radius_km: float = settings.DIRECTORY_RADIUS_KM
        rows = Dermatologist.objects.filter(_inside(bounding_box(origin, radius_km)))
        return _Candidates(rows).nearest(origin, order, radius_km=radius_km)

    def in_city(self, city: str, *, order: Order) -> list[Place]:
        """The city as it is written; where no entry has it, what stands before its first comma."""
        for name in dict.fromkeys((city, city.partition(",")[0])):
            candidates = _Candidates(Dermatologist.objects.filter(city_key=folded(name)))
            if candidates.ids.size:
                middle = centroid(candidates.latitudes, candidates.longitudes)
                return candidates.nearest(middle, order, radius_km=np.inf)
        return []


class _Candidates:
    """What sorting needs of many rows; the rest is read for the few that are shown."""

    def __init__(self, rows: QuerySet[Dermatologist]) -> None:
        values = np.array(list(rows.order_by("pk").values_list("pk", "latitude", "longitude", "rating")), np.float64)
        self.ids, self.latitudes, self.longitudes, ratings = values.reshape(-1, 4).T
        self._ratings = np.nan_to_num(ratings, nan=-1)  # unrated ones come last

    def nearest(self, origin: Point, order: Order, *, radius_km: float) -> list[Place]:
        distances = great_circle_km(origin, self.latitudes, self.longitudes)
        keys = (distances, -self._ratings) if order is Order.RATING else (-self._ratings, distances)
        ranked = np.lexsort(keys)  # the last key decides first
        chosen = ranked[distances[ranked] <= radius_km][:MAX_PLACES]
        rows = Dermatologist.objects.in_bulk([int(self.ids[index]) for index in chosen])
        return [_place(rows[int(self.ids[index])], float(distances[index])) for index in chosen]


def _inside(box: Box) -> Q:
    if box.west <= box.east:
        across = Q(longitude__range=(box.west, box.east))
    else:
        across = Q(longitude__gte=box.west) | Q(longitude__lte=box.east)
    return Q(latitude__range=(box.south, box.north)) & across


def _place(row: Dermatologist, distance_km: float) -> Place:
    return Place(
        name=row.name,
        speciality=row.speciality,
        address=row.address,
        city=row.city,
        phone=row.phone,
        rating=row.rating,
        distance_km=distance_km,
    )
