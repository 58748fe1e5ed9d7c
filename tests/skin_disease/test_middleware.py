"""Both forms of a path are served, without a redirect."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.method} {request.path} {request.POST.get('word', '')}".strip())


class Routes:
    urlpatterns = (path("slash/", echo), path("bare", echo), path("both", echo), path("both/", echo))
    handler404 = "django.views.defaults.page_not_found"


@pytest.fixture(autouse=True)
def routes(settings):
    settings.ROOT_URLCONF = Routes


@pytest.mark.parametrize(
    ("asked", "served"),
    [("/slash", "/slash/"), ("/slash/", "/slash/"), ("/bare", "/bare"), ("/both", "/both"), ("/both/", "/both/")],
)
def test_trailing_slash_either_form_is_served(client, asked, served):
    assert client.get(asked).content.decode() == f"GET {served}"


def test_trailing_slash_post_keeps_its_body(client):
    assert client.post("/slash", {"word": "mole"}).content == b"POST /slash/ mole"


@pytest.mark.parametrize("asked", ["/nothing", "/nothing/", "/bare/"])
def test_trailing_slash_unknown_path_is_not_found(client, asked):
    assert client.get(asked).status_code == 404


def test_trailing_slash_query_is_kept(client):
    assert client.get("/slash?page=2").wsgi_request.get_full_path() == "/slash/?page=2"
