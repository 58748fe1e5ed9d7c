"""The app's web build asks from another origin; only configured ones may."""

from typing import Any

import pytest
from django.test import Client

ORIGIN = "https://app.example.org"


@pytest.fixture(autouse=True)
def configured(settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


def preflight(client: Client, origin: str, method: str = "POST") -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return client.options("/api/predict/skin-disease/", headers=headers)


def test_cors_preflight_of_a_configured_origin_is_granted(anonymous: Client):
    response = preflight(anonymous, ORIGIN)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_cors_preflight_grants_what_clients_send(anonymous: Client):
    headers = preflight(anonymous, ORIGIN).headers
    granted = set(headers["Access-Control-Allow-Headers"].split(", "))
    assert granted == {"authorization", "content-type", "idempotency-key"}
    assert set(headers["Access-Control-Allow-Methods"].split(", ")) == {"GET", "POST", "PATCH", "DELETE", "OPTIONS"}


@pytest.mark.parametrize("origin", ["https://evil.example", f"{ORIGIN}.evil.example", "null", "http://app.example.org"])
def test_cors_preflight_of_another_origin_is_not_granted(anonymous: Client, origin: str):
    assert "Access-Control-Allow-Origin" not in preflight(anonymous, origin).headers


@pytest.mark.django_db
def test_cors_answer_can_be_read_by_a_configured_origin(anonymous: Client, predict):
    anonymous.defaults["HTTP_ORIGIN"] = ORIGIN
    assert predict(anonymous).headers["Access-Control-Allow-Origin"] == ORIGIN


def test_cors_errors_can_be_read_by_a_configured_origin(anonymous: Client):
    response = anonymous.get("/api/nothing/", headers={"Origin": ORIGIN})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (404, ORIGIN)


def test_cors_never_allows_credentials(anonymous: Client):
    """Cookies belong to the administration alone."""
    assert "Access-Control-Allow-Credentials" not in preflight(anonymous, ORIGIN).headers
