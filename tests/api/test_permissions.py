"""Who may open what: every route of the API and the photos of the administration, times every kind of client."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from api.models import PredictionImage, Scan
from api.urls import urlpatterns

pytestmark = pytest.mark.django_db

KINDS = ("anonymous", "user", "staff", "reviewer", "superuser")
EVERYBODY = dict.fromkeys(KINDS, 200)
PEOPLE = EVERYBODY | {"anonymous": 401}
REVIEWERS = {"anonymous": 302, "user": 302, "staff": 404, "reviewer": 200, "superuser": 200}
FORBIDDEN = {"anonymous": 302, "user": 302, "staff": 403, "reviewer": 200, "superuser": 200}

# Route name: the status for every kind of client. A new route belongs here, or the last test fails.
API_ROUTES = {
    "predict": EVERYBODY,
    "predict-skin-disease": EVERYBODY,
    "predict-short": EVERYBODY,
    "explanation": EVERYBODY,
    "explanation-grid": EVERYBODY,
    "history": PEOPLE,
    "history-entry": PEOPLE,
    "feedback": PEOPLE,
    "scans": PEOPLE,
    "scan": PEOPLE,
    "scan-pdf": PEOPLE,
    "photo": EVERYBODY,
    "account": {"anonymous": 401, "user": 204, "staff": 403, "reviewer": 403, "superuser": 403},
    "account-export": PEOPLE,
    "chatbot": EVERYBODY,
    "nearby-hospitals": PEOPLE,
    "model": EVERYBODY,
    "on-device": EVERYBODY,
    "on-device-file": EVERYBODY,
    "schema": EVERYBODY,
    "docs": EVERYBODY,
    "redoc": EVERYBODY,
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
}
ADMIN_ROUTES = {
    "api_predictionimage_photo": REVIEWERS,
    "api_predictionimage_activation": REVIEWERS,
    "api_scan_photo": REVIEWERS,
    "api_scan_changelist": FORBIDDEN,
    "api_scan_change": FORBIDDEN,
    "api_prediction_changelist": FORBIDDEN,
    "api_prediction_change": FORBIDDEN,
    "api_prediction_history": FORBIDDEN,
}
POSTED = {"predict", "predict-skin-disease", "predict-short"}
OF_ROWS = {"scan": "scan_id", "scan-pdf": "scan_id", "history-entry": "prediction_id", "feedback": "prediction_id"}
BODIES = {
    "feedback": ("post", {"remark": "It itches."}),
    "account": ("delete", {"password": "correct horse"}),
    "chatbot": ("post", {"message": "What is a mole?"}),
    "nearby-hospitals": ("post", {"diagnosis": "Melanoma"}),
}


def cells(routes: dict[str, dict[str, int]]) -> list:
    return [
        pytest.param(route, kind, status, id=f"{kind}-{route}")
        for route, row in routes.items()
        for kind, status in row.items()
    ]


@pytest.fixture
def people(request: pytest.FixtureRequest) -> Callable[[str], object]:
    """A person by kind; None for the anonymous."""
    names = {"user": "person"}
    return lambda kind: None if kind == "anonymous" else request.getfixturevalue(names.get(kind, kind))


@pytest.fixture
def explanation_url(anonymous: Client, predict) -> str:
    return predict(anonymous, explain="true").json()["explanation_url"]


@pytest.fixture
def keys(predict, save) -> Callable[[Client, str], dict[str, str]]:
    """What a route's address asks for, of a row that the client made; of none where it cannot make one."""

    def made(client: Client, route: str) -> dict[str, str]:
        if route not in OF_ROWS:
            return {}
        row = predict(client) if OF_ROWS[route] == "prediction_id" else save(client)
        return {OF_ROWS[route]: row.json().get("id", str(uuid.uuid4()))}

    return made


@pytest.fixture
def photo_url(bearer, stranger, save) -> str:
    return save(bearer(stranger)).json()["image"]


@pytest.fixture
def open_route(predict, keys, photo_url: str, explanation_url: str) -> Callable[[Client, str], int]:
    """Use a route as it is meant to be used; the status."""
    signed = {"explanation": explanation_url, "explanation-grid": f"{explanation_url}grid/", "photo": photo_url}

    def use(client: Client, route: str) -> int:
        if route == "on-device-file":
            return client.head(client.get(reverse("api:on-device")).json()["file"]["url"]).status_code
        if route in POSTED:
            return predict(client, path=reverse(f"api:{route}")).status_code
        if route in signed:
            return client.get(signed[route]).status_code
        method, body = BODIES.get(route, ("get", None))
        address = reverse(f"api:{route}", kwargs=keys(client, route))
        return getattr(client, method)(address, body, content_type="application/json").status_code

    return use


@pytest.mark.parametrize(("route", "kind", "status"), cells(API_ROUTES))
def test_api_route_answers_by_kind(anonymous: Client, bearer, people, open_route, route: str, kind: str, status: int):
    person = people(kind)
    assert open_route(bearer(person) if person else anonymous, route) == status


@pytest.mark.usefixtures("explanation_url", "photo_url")
@pytest.mark.parametrize(("route", "kind", "status"), cells(ADMIN_ROUTES))
def test_admin_route_answers_by_kind(anonymous: Client, logged_in, people, route: str, kind: str, status: int):
    person, image, scan = people(kind), PredictionImage.objects.get(), Scan.objects.get()
    arguments = {
        "api_scan_photo": [scan.pk, 96],
        "api_scan_changelist": [],
        "api_scan_change": [scan.pk],
        "api_predictionimage_photo": [image.pk, 96],
        "api_predictionimage_activation": [image.pk],
        "api_prediction_changelist": [],
    }.get(route, [image.prediction_id])
    client = logged_in(person) if person else anonymous
    response = client.get(reverse(f"admin:{route}", args=arguments))
    assert response.status_code == status
    if status == 302:
        assert response.headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("route", ["api_predictionimage_photo", "api_predictionimage_activation"])
def test_admin_photo_is_not_opened_by_a_bearer_token(bearer, superuser, explanation_url: str, route: str):
    """The administration knows sessions alone, so a token that leaks from a phone shows no photos of others."""
    image = PredictionImage.objects.get()
    arguments = [image.pk, 96] if route.endswith("photo") else [image.pk]
    assert bearer(superuser).get(reverse(f"admin:{route}", args=arguments)).status_code == 302


@pytest.mark.parametrize("path", ["/media/{}", "/{}", "/static/{}", "/static/../media/{}"])
def test_stored_photo_is_served_by_no_path(logged_in, superuser, explanation_url: str, path: str):
    name = PredictionImage.objects.get().photo.name
    assert logged_in(superuser).get(path.format(name)).status_code == 404


def test_matrix_names_every_route_of_the_api():
    assert {pattern.name for pattern in urlpatterns} == set(API_ROUTES)


@pytest.mark.parametrize("row", [*API_ROUTES.items(), *ADMIN_ROUTES.items()], ids=lambda row: row[0])
def test_matrix_row_names_every_kind(row: tuple[str, dict[str, int]]):
    assert set(row[1]) == set(KINDS)
