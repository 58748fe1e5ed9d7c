"""Finding a dermatologist: the nearest, the best rated, in a city, and nowhere."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from api.directory.importing import import_dermatologists
from api.directory.provider import MAX_PLACES

pytestmark = pytest.mark.django_db

PATH = "/api/nearby-hospitals/"
AT_VIENNA = {"lat": 48.2082, "lon": 16.3738}


@pytest.fixture
def ask(bearer, person) -> Callable[..., Any]:
    """Ask as the app does: `ask(lat=..., lon=...)`."""
    client: Client = bearer(person)
    return lambda **body: client.post(PATH, {"diagnosis": "Melanoma", **body}, content_type="application/json")


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [place["name"] for place in response.json()["hospitals"]]


def query_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["query"][0]


# Coordinates


def test_nearby_by_coordinates_is_sorted_by_distance(ask, practices):
    assert names(ask(**AT_VIENNA)) == ["Centre", "Unrated", "Suburb"]


def test_nearby_by_rating_has_the_unrated_last(ask, practices):
    assert names(ask(**AT_VIENNA, sort="rating")) == ["Suburb", "Centre", "Unrated"]


@pytest.mark.parametrize("sort", [None, "", "distance", "price"])
def test_nearby_unknown_sort_means_distance(ask, practices, sort: str | None):
    assert names(ask(**AT_VIENNA, sort=sort)) == ["Centre", "Unrated", "Suburb"]


def test_nearby_distance_is_the_great_circle(ask, practices):
    distances = [place["distance_km"] for place in ask(**AT_VIENNA).json()["hospitals"]]
    assert distances == pytest.approx([0.3, 5.5, 6.1], abs=0.11)


def test_nearby_beyond_the_radius_is_left_out(ask, practices, settings):
    settings.DIRECTORY_RADIUS_KM = 6
    assert names(ask(**AT_VIENNA)) == ["Centre", "Unrated"]


def test_nearby_radius_is_a_circle_not_a_box(ask, csv_of, settings):
    settings.DIRECTORY_RADIUS_KM = 10
    corner = {"latitude": AT_VIENNA["lat"] + 0.085, "longitude": AT_VIENNA["lon"] + 0.125}
    import_dermatologists(content=csv_of(corner))
    assert names(ask(**AT_VIENNA)) == []


def test_nearby_looks_across_the_180th_meridian(ask, csv_of):
    import_dermatologists(content=csv_of({"name": "Taveuni", "latitude": -16.8, "longitude": -179.95}))
    assert names(ask(lat=-16.8, lon=179.95)) == ["Taveuni"]


def test_nearby_answers_with_at_most_twenty(ask, csv_of):
    import_dermatologists(content=csv_of(*({"name": f"Practice {number}"} for number in range(MAX_PLACES + 5))))
    assert len(names(ask(**AT_VIENNA))) == MAX_PLACES


def test_nearby_coordinates_win_over_a_city(ask, practices):
    assert "Elsewhere" not in names(ask(**AT_VIENNA, city="Graz"))


@pytest.mark.parametrize("number", [0, 0.0, -0.0])
def test_nearby_zero_is_a_coordinate(ask, csv_of, number: float):
    import_dermatologists(content=csv_of({"name": "Null island", "latitude": 0, "longitude": 0}))
    assert names(ask(lat=number, lon=number)) == ["Null island"]


# A city


@pytest.mark.parametrize("city", ["Wien", "wien", "  WIEN ", "Wíen", "Wien, Österreich"])
def test_nearby_by_city_ignores_case_accents_and_country(ask, practices, city: str):
    assert set(names(ask(city=city))) == {"Centre", "Unrated", "Suburb"}


def test_nearby_by_city_measures_from_the_middle_of_its_entries(ask, csv_of):
    import_dermatologists(content=csv_of({"name": "West", "longitude": 16.0}, {"name": "East", "longitude": 16.2}))
    distances = [place["distance_km"] for place in ask(city="Wien").json()["hospitals"]]
    assert distances == pytest.approx([7.4, 7.4], abs=0.1)


def test_nearby_city_with_a_comma_in_its_name_is_found_whole(ask, csv_of):
    rows = ({"name": "DC", "city": "Washington, D.C."}, {"name": "State", "city": "Washington"})
    import_dermatologists(content=csv_of(*({**row, "address": row["name"]} for row in rows)))
    assert names(ask(city="washington, d.c.")) == ["DC"]


# Nowhere


@pytest.mark.parametrize(
    ("body", "query"),
    [
        pytest.param({"lat": -33.8688, "lon": 151.2093}, "dermatologist near -33.87,151.21", id="coordinates"),
        pytest.param({"city": "Perth"}, "dermatologist near Perth", id="city"),
        pytest.param({}, "dermatologist near me", id="nothing"),
        pytest.param({"lat": None, "lon": None, "city": ""}, "dermatologist near me", id="nulls"),
    ],
)
def test_nearby_nothing_known_is_an_empty_list_and_a_map_search(ask, practices, body: dict[str, Any], query: str):
    answer = ask(**body).json()
    assert answer["hospitals"] == []
    assert answer["message"]
    assert query_of(answer["maps_search_url"]) == query


# What each entry says


def test_nearby_entry_has_the_keys_that_the_app_reads(ask, practices):
    for place in ask(**AT_VIENNA).json()["hospitals"]:
        assert {"name", "rating", "distance_km", "maps_url", "why_recommended", "top_doctors"} <= set(place)
        assert all(isinstance(place[key], float) for key in ("rating", "distance_km"))
        assert place["top_doctors"] == []


def test_nearby_entry_recommends_by_facts_alone(ask, practices):
    reasons = [place["why_recommended"] for place in ask(**AT_VIENNA).json()["hospitals"]]
    assert reasons[0] == "Dermatology, 0.3 km away, rated 4.1 of 5"
    assert reasons[1] == "Dermatology, 5.5 km away"


def test_nearby_entry_of_a_city_claims_no_distance_from_the_person(ask, practices):
    assert ask(city="graz").json()["hospitals"][0]["why_recommended"] == "Dermatology, in Graz, rated 5.0 of 5"


def test_nearby_entry_opens_in_a_map(ask, csv_of):
    import_dermatologists(content=csv_of({"name": "A & B #1", "address": "Gasse 5/2"}))
    url = ask(**AT_VIENNA).json()["hospitals"][0]["maps_url"]
    assert url.startswith("https://www.google.com/maps/search/?api=1&query=")
    assert query_of(url) == "A & B #1, Gasse 5/2, Wien"


@pytest.mark.parametrize(("severity", "urgent"), [("High", True), ("high", True), ("Low", False), (None, False)])
def test_nearby_high_severity_says_how_soon(ask, practices, severity: str | None, urgent):
    assert ("within days" in ask(**AT_VIENNA, severity=severity).json()["message"]) is urgent


# What is refused


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param('{"lat": NaN, "lon": 16}', {"lat"}, id="nan"),
        pytest.param('{"lat": 48, "lon": Infinity}', {"lon"}, id="infinity"),
        pytest.param('{"lat": 1e999, "lon": 16}', {"lat"}, id="overflow"),
        pytest.param(f'{{"lat": 1{"0" * 400}, "lon": 16}}', {"lat"}, id="huge-integer"),
        pytest.param('{"lat": "48.2", "lon": 16}', {"lat"}, id="text"),
        pytest.param('{"lat": true, "lon": 16}', {"lat"}, id="boolean"),
        pytest.param('{"lat": [48], "lon": {}}', {"lat", "lon"}, id="containers"),
        pytest.param('{"lat": 90.01, "lon": -180.5}', {"lat", "lon"}, id="out-of-range"),
        pytest.param('{"lat": 48.2}', {"lon"}, id="latitude-alone"),
        pytest.param('{"lon": 16.4, "lat": null, "city": "Wien"}', {"lat"}, id="longitude-alone"),
        pytest.param('{"city": "\\ud800"}', {"city"}, id="half-a-character"),
        pytest.param('{"city": ["Wien"]}', {"city"}, id="list-of-cities"),
        pytest.param('["Wien"]', {"non_field_errors"}, id="no-object"),
    ],
)
def test_nearby_bad_body_is_400_with_fields(bearer, person, assert_error, body: str, fields: set[str]):
    response = bearer(person).post(PATH, body, content_type="application/json")
    assert set(assert_error(response, 400, "invalid")["fields"]) == fields


def test_nearby_body_that_is_no_json_is_400(bearer, person, assert_error):
    assert_error(bearer(person).post(PATH, '{"lat": ', content_type="application/json"), 400, "parse_error")


def test_nearby_without_token_is_401(anonymous: Client, assert_error):
    assert_error(anonymous.post(PATH, {}, content_type="application/json"), 401, "not_authenticated")


def test_nearby_reads_few_rows_of_a_large_directory(ask, practices, csv_of, django_assert_max_num_queries):
    far = ({"name": f"Far {number}", "latitude": -40 + number / 1000} for number in range(2000))
    import_dermatologists(content=csv_of(*far))
    with django_assert_max_num_queries(3):
        assert len(names(ask(**AT_VIENNA))) == 3
