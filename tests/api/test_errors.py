"""One body for every error, whoever raises it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.test import Client
from django.urls import path
from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import ml_state
from api.views import PublicView
from ml_models.classifier import load_classifier
from ml_models.errors import InferenceError

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SECRET = "/srv/secret/path"


def raising(error: Exception, base: type[APIView] = PublicView) -> Any:
    class Raising(base):
        def get(self, _request: Request) -> Response:
            raise error

    return Raising.as_view()


def plain_view(error: Exception) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


class Routes:
    """Views that go wrong."""

    handler400 = "api.error_views.bad_request"
    handler403 = "api.error_views.permission_denied"
    handler404 = "api.error_views.not_found"
    handler500 = "api.error_views.server_error"
    urlpatterns = (
        path("api/bug/", raising(RuntimeError(SECRET))),
        path("api/unreadable/", raising(UnreadablePostError("gone"))),
        path("api/suspicious/", raising(SuspiciousOperation(SECRET))),
        path("api/inference/", raising(InferenceError(SECRET))),
        path("api/throttled/", raising(Throttled(wait=7))),
        path("api/private/", raising(RuntimeError(), APIView)),
        path("api/nested/", raising(ValidationError({"rows": [{}, {"age": ["Too old."]}]}))),
        path("api/list/", raising(ValidationError(["First.", "Second."]))),
        path("page/bug/", plain_view(RuntimeError(SECRET))),
        path("page/denied/", plain_view(PermissionDenied(SECRET))),
        path("page/bad/", plain_view(SuspiciousOperation(SECRET))),
    )


@pytest.fixture
def routes(settings) -> None:
    settings.ROOT_URLCONF = Routes


# Routes of the project


@pytest.mark.parametrize("address", ["/api/nothing/", "/api/", "/nothing", "/predict/x/", "/api/%00/", "/api/%ff/"])
def test_unknown_address_is_404(anonymous: Client, assert_error: Callable[..., Any], address: str):
    assert_error(anonymous.get(address), 404, "not_found")


@pytest.mark.parametrize("address", ["/api/nothing/", "/predict/nothing"])
def test_unknown_address_of_the_api_is_json_for_browsers_too(
    anonymous: Client, assert_error: Callable[..., Any], address: str
):
    assert_error(anonymous.get(address, headers=BROWSER), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("get", "/api/predict/"),
        ("put", "/predict"),
        ("delete", "/api/predict/skin-disease/"),
        ("post", "/api/model/"),
        ("post", "/readyz"),
        ("post", "/api/schema/"),
        ("post", "/api/docs/"),
    ],
)
def test_wrong_method_is_405(anonymous: Client, assert_error: Callable[..., Any], method: str, address: str):
    assert_error(getattr(anonymous, method)(address), 405, "method_not_allowed")


def test_wrong_method_says_which_are_right(anonymous: Client):
    assert "POST" in anonymous.get("/api/predict/").headers["Allow"]


@pytest.mark.parametrize("host", ["evil.example", "a b<>", ""])
def test_host_that_is_not_ours_is_400(anonymous: Client, assert_error: Callable[..., Any], host: str):
    assert_error(anonymous.get("/api/model/", headers={"Host": host}), 400, "bad_request")


# No model, no capacity


@pytest.mark.django_db
def test_predict_without_model_is_503(
    anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any], no_model: Path
):
    assert_error(predict(anonymous), 503, "artefact_invalid")


@pytest.mark.django_db
def test_predict_without_model_says_when_to_try_again(anonymous: Client, predict: Callable[..., Any], no_model: Path):
    assert int(predict(anonymous).headers["Retry-After"]) > 0


@pytest.mark.django_db
def test_predict_without_model_names_no_path(anonymous: Client, predict: Callable[..., Any], no_model: Path):
    assert no_model.name.encode() not in predict(anonymous).content


@pytest.mark.django_db
def test_predict_without_model_logs_the_path(anonymous: Client, predict: Callable[..., Any], no_model: Path, caplog):
    predict(anonymous)
    assert str(no_model) in caplog.text


@pytest.fixture
def busy_model(settings, monkeypatch):
    """The model's only interpreter is lent to somebody else."""
    classifier = load_classifier(settings.MODEL_ARTEFACT, pool_size=1, timeout_s=0.01)
    monkeypatch.setattr(ml_state, "_live", classifier)
    with classifier._runtime._borrowed():
        yield


@pytest.mark.django_db
@pytest.mark.usefixtures("busy_model")
def test_predict_under_overload_is_503(
    anonymous: Client, predict: Callable[..., Any], assert_error: Callable[..., Any]
):
    response = predict(anonymous)
    assert_error(response, 503, "inference_busy")
    assert int(response.headers["Retry-After"]) > 0


# Every other error


@pytest.mark.usefixtures("routes")
@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/api/bug/", 500, "server_error"),
        ("/api/unreadable/", 400, "bad_request"),
        ("/api/suspicious/", 400, "bad_request"),
        ("/api/inference/", 500, "inference_failed"),
        ("/api/throttled/", 429, "throttled"),
        ("/api/private/", 401, "not_authenticated"),
        ("/page/bug/", 500, "server_error"),
        ("/page/denied/", 403, "permission_denied"),
        ("/page/bad/", 400, "bad_request"),
        ("/page/nothing/", 404, "not_found"),
    ],
)
def test_error_has_the_one_body(
    anonymous: Client, assert_error: Callable[..., Any], address: str, status: int, code: str
):
    body = assert_error(anonymous.get(address), status, code)
    assert SECRET not in str(body)


@pytest.mark.usefixtures("routes")
def test_bug_in_a_view_is_logged_with_its_traceback(anonymous: Client, caplog):
    anonymous.get("/api/bug/")
    assert f"RuntimeError: {SECRET}" in caplog.text


@pytest.mark.usefixtures("routes")
def test_inference_error_is_logged_with_its_cause(anonymous: Client, caplog):
    anonymous.get("/api/inference/")
    assert f"InferenceError: {SECRET}" in caplog.text


@pytest.mark.usefixtures("routes")
def test_throttled_says_when_to_try_again(anonymous: Client):
    assert anonymous.get("/api/throttled/").headers["Retry-After"] == "7"


@pytest.mark.usefixtures("routes")
def test_bad_token_on_a_private_route_is_401_with_a_text(anonymous: Client, assert_error: Callable[..., Any]):
    """Simplejwt's own body has a mapping where the app renders a text."""
    response = anonymous.get("/api/private/", headers={"Authorization": "Bearer not-a-token"})
    assert_error(response, 401, "token_not_valid")


@pytest.mark.usefixtures("routes")
def test_nested_validation_error_is_flat(anonymous: Client):
    assert anonymous.get("/api/nested/").json()["fields"] == {"rows.1.age": ["Too old."]}


@pytest.mark.usefixtures("routes")
def test_validation_error_without_field_is_repeated_as_the_text(anonymous: Client):
    body = anonymous.get("/api/list/").json()
    assert (body["error"], body["fields"]) == ("First.", {"non_field_errors": ["First.", "Second."]})


# People with browsers


@pytest.mark.usefixtures("routes")
@pytest.mark.parametrize(
    ("address", "status"), [("/page/bug/", 500), ("/page/denied/", 403), ("/page/bad/", 400), ("/page/nothing/", 404)]
)
def test_error_outside_the_api_is_a_page_for_browsers(anonymous: Client, address: str, status: int):
    response = anonymous.get(address, headers=BROWSER)
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert SECRET.encode() not in response.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("headers", "content_type"), [(BROWSER, "text/html"), ({}, "application/json")], ids=["browser", "client"]
)
def test_form_without_csrf_token_is_403(headers: dict[str, str], content_type: str):
    response = Client(enforce_csrf_checks=True).post("/admin/login/", headers=headers)
    assert response.status_code == 403
    assert response.headers["Content-Type"].startswith(content_type)
