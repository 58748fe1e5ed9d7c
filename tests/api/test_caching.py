"""What caches may keep of a person: photos in their own phone, and nothing else anywhere."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db

NO_STORE = "private, no-store"


@pytest.mark.parametrize(
    "route",
    ["accounts:profile", "accounts:privacy", "api:scans", "api:history", "api:account-export", "api:model"],
)
def test_answer_to_a_person_is_in_no_cache(bearer, person, route: str):
    assert bearer(person).get(reverse(route)).headers["Cache-Control"] == NO_STORE


def test_tokens_are_in_no_cache(anonymous: Client, person):
    body = {"email": "ada@example.org", "password": "correct horse"}
    response = anonymous.post("/api/auth/login/", body, "application/json")
    assert "access" in response.json()
    assert response.headers["Cache-Control"] == NO_STORE


def test_error_is_in_no_cache(anonymous: Client):
    assert anonymous.get("/api/auth/profile/").headers["Cache-Control"] == NO_STORE


def test_saved_scan_is_in_no_cache_and_its_photo_in_the_phones(bearer, person, save: Callable[..., Any]):
    response = save(bearer(person))
    assert response.headers["Cache-Control"] == NO_STORE
    assert Client().get(response.json()["image"]).headers["Cache-Control"] == "private, max-age=3600"


def test_pdf_of_a_scan_is_in_no_cache(bearer, person, save: Callable[..., Any]):
    client = bearer(person)
    scan = save(client).json()["id"]
    assert client.get(f"/api/scans/{scan}/pdf/").headers["Cache-Control"] == NO_STORE
