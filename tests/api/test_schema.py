"""The OpenAPI description and its pages."""

import re

import pytest
import yaml
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client


@pytest.fixture
def schema(anonymous: Client) -> dict:
    return yaml.safe_load(anonymous.get("/api/schema/").content)


def test_schema_is_valid_and_made_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))
    assert (tmp_path / "schema.yaml").stat().st_size > 0


def test_schema_describes_every_route_once(schema: dict):
    assert set(schema["paths"]) == {
        "/api/predict/", "/api/explanations/{token}/", "/api/explanations/{token}/grid/", "/healthz/", "/readyz/",
        "/api/model/", "/api/model/on-device/", "/api/model/on-device/{digest}/",
        "/api/auth/register/", "/api/auth/login/", "/api/auth/refresh/", "/api/auth/logout/",
        "/api/auth/profile/", "/api/auth/profile/update/",
        "/api/auth/otp/email/send/", "/api/auth/otp/email/verify/",
        "/api/auth/otp/phone/send/", "/api/auth/otp/phone/verify/",
        "/api/auth/password/forgot/", "/api/auth/password/reset/", "/api/auth/password/change/", "/api/privacy/",
        "/api/scans/", "/api/scans/{scan_id}/", "/api/scans/{scan_id}/pdf/", "/api/photos/{token}/",
        "/api/predictions/", "/api/predictions/{prediction_id}/", "/api/predictions/{prediction_id}/feedback/",
        "/api/account/", "/api/account/export/",
        "/api/chatbot/", "/api/nearby-hospitals/",
    }  # fmt: skip


def test_schema_prediction_has_the_keys_that_are_answered(schema: dict, anonymous: Client, predict, db):
    assert set(schema["components"]["schemas"]["PredictionResponse"]["properties"]) == set(predict(anonymous).json())


def test_schema_prediction_takes_up_to_five_files(schema: dict):
    content = schema["paths"]["/api/predict/"]["post"]["requestBody"]["content"]
    reference = content["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]
    image = schema["components"]["schemas"][reference]["properties"]["image"]
    assert (image["type"], image["items"]["format"], image["maxItems"]) == ("array", "binary", 5)


@pytest.mark.parametrize("status", ["200", "400", "413", "415", "503"])
def test_schema_prediction_describes_its_answers(schema: dict, status: str):
    assert status in schema["paths"]["/api/predict/"]["post"]["responses"]


@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_docs_page_opens(anonymous: Client, path: str):
    response = anonymous.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_docs_page_loads_from_this_server_alone(anonymous: Client, path: str):
    sources = re.findall(r'(?:src|href)="([^"]+)"', anonymous.get(path).text)
    assert any("/static/" in source for source in sources)
    assert [source for source in sources if re.match(r"(https?:)?//", source)] == []


@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_docs_page_sources_exist(anonymous: Client, path: str):
    sources = re.findall(r'(?:src|href)="/static/([^"]+)"', anonymous.get(path).text)
    assert sources
    assert [source for source in sources if finders.find(source) is None] == []
