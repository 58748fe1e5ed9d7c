"""The pages over HTTP: what they say, what they keep, and what they let a browser do."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import is_valid_path
from django.utils.html import escape

from accounts.models import User
from api.directory.models import Dermatologist
from api.models import Prediction
from ml_models.patient import site_of
from skin_disease.middleware import PAGE_POLICY
from tests.web.conftest import SAMPLES
from web.analysis import SITES

pytestmark = pytest.mark.django_db

PAGES = ["/", "/dermatologists/", "/model/", "/privacy/"]
WRITTEN_IN = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=")


@pytest.fixture
def dermatologist() -> Dermatologist:
    entry = Dermatologist(
        name="Praxis Mitte",
        speciality="Dermatology",
        address="Beispielplatz 1",
        city="Wien",
        latitude=48.21,
        longitude=16.37,
        phone="+43 1 555 0100",
        rating=4.5,
    )
    entry.derive_keys()
    entry.save()
    return entry


# Every page


@pytest.mark.parametrize("path", PAGES)
def test_page_says_it_is_not_a_medical_device(client, path):
    assert "Not a medical device" in client.get(path).text


@pytest.mark.parametrize("path", PAGES)
def test_page_links_lead_somewhere(client, path):
    links = re.findall(r'<a [^>]*href="(/[^"]*)"', client.get(path).text)
    assert links
    assert [link for link in links if not is_valid_path(link)] == []


@pytest.mark.parametrize("path", [*PAGES, "/nothing-here/", "/admin/login/", "/api/docs/", "/api/redoc/"])
def test_page_has_nothing_written_into_it_and_a_policy(client, path):
    response = client.get(path, headers={"Accept": "text/html"})
    assert response.headers["Content-Type"].startswith("text/html")
    assert WRITTEN_IN.findall(response.text) == []
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy


def test_policy_lets_forms_and_frames_of_nobody_else(client):
    assert client.get("/").headers["Content-Security-Policy"] == PAGE_POLICY
    assert "form-action 'self'" in PAGE_POLICY
    assert "frame-ancestors 'none'" in PAGE_POLICY


@pytest.mark.parametrize("path", PAGES)
def test_page_files_exist(client, path):
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', client.get(path).text)
    assert "web/design.css" in files
    assert [file for file in files if not finders.find(file)] == []


@pytest.mark.parametrize("path", PAGES)
def test_page_is_in_no_cache(client, path):
    assert client.get(path).headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", PAGES)
def test_page_is_told_in_spanish(client, path):
    page = client.get(path, headers={"Accept-Language": "es"}).text
    assert '<html lang="es">' in page
    assert "No es un producto sanitario" in page


def test_language_is_kept_when_chosen(client):
    response = client.post("/language/", {"language": "es"}, headers={"Referer": "http://testserver/model/"})
    assert response.headers["Location"].endswith("/model/")
    assert '<html lang="es">' in client.get("/").text


def test_language_form_leads_to_no_other_site(client):
    response = client.post("/language/", {"language": "es", "next": "https://evil.example/"})
    assert response.headers["Location"] == "/"


@pytest.mark.parametrize("path", ["/", "/dermatologists/", "/language/"])
def test_form_without_its_token_is_refused_on_a_page(path):
    response = Client(enforce_csrf_checks=True).post(path, headers={"Accept": "text/html"})
    assert response.status_code == 403
    assert "The form has expired" in response.text


def test_nowhere_is_a_page_with_a_way_back(client):
    response = client.get("/nothing-here/", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert "There is nothing here" in response.text
    assert 'href="/"' in response.text


def test_favicon_leads_to_the_icon(client):
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    assert finders.find(response.headers["Location"].removeprefix("/static/"))


# Analyse


def test_answer_shows_what_was_logged(post):
    response = post("mel.jpg")
    logged = Prediction.objects.get()
    assert response.status_code == 200
    assert escape(logged.diagnosis) in response.text
    assert escape(logged.advice) in response.text
    assert str(logged.pk) in response.text
    assert response.text.count("<rect") == len(logged.probabilities)
    assert "no diagnosis" in response.text
    assert response.headers["Cache-Control"] == "private, no-store"
    assert WRITTEN_IN.findall(response.text) == []


def test_answer_of_high_severity_says_days(post):
    page = post("mel.jpg").text
    assert Prediction.objects.get().severity == "High"
    assert "Severity: High" in page
    assert "See a dermatologist within days." in page


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("*.[jp][pn]g")))
def test_answer_says_to_keep_watching_only_when_the_log_calls_it_safe(post, sample):
    page = post(sample).text
    assert ("Keep watching it." in page) <= Prediction.objects.get().is_safe
    assert "healthy" not in page.lower()


def test_answer_to_a_blank_photo_asks_for_another_and_shows_no_diagnosis(post):
    response = post("plain_wall.jpg")
    assert response.status_code == 200
    assert "Photo not usable" in response.text
    assert "Take the photo again." in response.text
    assert "Severity:" not in response.text
    assert "<rect" not in response.text


def test_answer_photo_and_map_open_and_are_signed(client, post):
    page = post("mel.jpg").text
    photo, heat_map = re.findall(r'<img[^>]* src="http://testserver(/api/[^"]+)"', page)
    assert client.get(photo).headers["Content-Type"] == "image/jpeg"
    assert client.get(heat_map).headers["Content-Type"] == "image/png"
    assert client.get(photo.replace(":", ":x", 1)).status_code == 404


def test_answer_in_spanish_is_logged_in_english(post):
    page = post("mel.jpg", headers={"Accept-Language": "es"}).text
    assert "Gravedad: Alta" in page
    assert "Vaya al dermatólogo en los próximos días." in page
    assert Prediction.objects.get().diagnosis == "Melanoma"


def test_form_logs_what_the_person_says(post):
    post("nv.jpg", age="44", sex="female", site="torso", history="Since May.", consent="true")
    logged = Prediction.objects.get()
    assert (logged.age_years, logged.sex, logged.site, logged.history) == (44, "female", "torso", "Since May.")
    assert logged.consent


def test_form_without_optional_fields_logs_none_of_them(post):
    post("nv.jpg", age="", sex="", site="", history="")
    logged = Prediction.objects.get()
    assert (logged.age_years, logged.sex, logged.site, logged.history) == (None, "", "", "")
    assert not logged.consent


def test_answer_is_of_whoever_is_signed_in(client, post):
    person = User.objects.create_user("ada@example.org", "correct horse")
    post("nv.jpg")
    client.force_login(person)
    post("nv.jpg")
    assert {prediction.user for prediction in Prediction.objects.all()} == {None, person}


def test_same_key_and_form_are_answered_once(post):
    headers = {"Idempotency-Key": "a" * 32}
    first, second = (post("nv.jpg", headers=headers).text for _attempt in range(2))
    assert Prediction.objects.count() == 1
    assert str(Prediction.objects.get().pk) in first
    assert str(Prediction.objects.get().pk) in second


def test_form_without_a_photo_asks_for_one_and_keeps_the_rest(post):
    response = post(None, age="44", history='<script>"x"')
    assert response.status_code == 400
    assert "Choose a photo first." in response.text
    assert 'value="44"' in response.text
    assert escape('<script>"x"') in response.text
    assert not Prediction.objects.exists()


def test_form_with_a_wrong_age_says_so(post):
    response = post("nv.jpg", age="200")
    assert response.status_code == 400
    assert "130" in response.text.split('role="alert"')[1]
    assert not Prediction.objects.exists()


def test_file_that_is_no_photo_is_refused_in_the_apis_words(post, tmp_path):
    response = post("expected.json")
    assert response.status_code == 415
    assert "This is not a photo that can be read." in response.text


def test_too_many_photos_are_refused_on_the_page(post, settings):
    settings.THROTTLE_RATES = {"predict_address": (1, 60)}
    assert post("nv.jpg").status_code == 200
    response = post("nv.jpg")
    assert response.status_code == 429
    assert "Too many requests." in response.text
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert Prediction.objects.count() == 1


def test_no_model_is_said_on_the_page(post, monkeypatch, settings, tmp_path):
    from api import ml_state

    settings.MODEL_ARTEFACT = tmp_path / "secret-folder"
    monkeypatch.setattr(ml_state, "_live", None)
    monkeypatch.setattr(ml_state, "_failures", {})
    response = post("nv.jpg")
    assert response.status_code == 503
    assert "No model is available" in response.text
    assert "secret-folder" not in response.text


@pytest.mark.parametrize("site", [site for site, _text in SITES])
def test_every_site_of_the_form_is_understood_by_models(site):
    assert site_of(site) is not None


# Dermatologists


def test_city_is_answered_with_its_dermatologists(client, dermatologist):
    page = client.post("/dermatologists/", {"city": "wien", "severity": "High"}).text
    assert "Praxis Mitte" in page
    assert "within days" in page
    assert 'value="wien"' in page


def test_location_is_answered_by_distance_and_not_repeated(client, dermatologist):
    page = client.post("/dermatologists/", {"lat": "48.2082", "lon": "16.3738"}).text
    assert "Praxis Mitte" in page
    assert "km away" in page
    assert "48.2082" not in page


@pytest.mark.parametrize("place", [{"city": "Nowhere"}, {}])
def test_unknown_place_is_answered_with_a_map_search(client, dermatologist, place):
    response = client.post("/dermatologists/", place)
    assert response.status_code == 200
    assert "Search on a map" in response.text
    assert "Praxis Mitte" not in response.text


@pytest.mark.parametrize("lat", ["nan", "inf", "north", "91", "1" * 400])
def test_location_that_is_none_is_refused_on_the_page(client, lat):
    response = client.post("/dermatologists/", {"lat": lat, "lon": "16"})
    assert response.status_code == 400
    assert 'id="found"' in response.text


# The model


def test_model_page_shows_the_documents_own_figures(client, settings):
    document = json.loads((settings.MODEL_ARTEFACT / "model.json").read_text(encoding="utf-8"))
    page = client.get("/model/").text
    for domain, block in document["metrics"]["test"].items():
        melanoma = block["melanoma_sensitivity_at_threshold"]
        worded = "; ".join(f"{100 * melanoma[name]:.1f}" for name in ("low", "high"))
        assert f"{100 * melanoma['value']:.1f} % [{worded}]" in page, domain
        assert f"{block['photos']} photos of {block['lesions']} lesions" in page
    assert escape(document["intended_use"]) in page
    for limit in document["provenance"]["recipe"]["limits"]:
        assert escape(limit) in page


def test_model_page_plots_open(client, settings):
    addresses = re.findall(r'src="(/model/plots/[^"]+)"', client.get("/model/").text)
    assert len(addresses) == len(list(Path(settings.MODEL_ARTEFACT, "plots").glob("*reliability.png")))
    for address in addresses:
        assert b"".join(client.get(address).streaming_content).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["model", "..", "confusion-of-nobody"])
def test_plot_that_the_model_has_not_is_not_found(client, name):
    assert client.get(f"/model/plots/{name}/").status_code == 404


def test_model_page_without_a_model_says_so(client, monkeypatch, settings, tmp_path):
    from api import ml_state

    settings.MODEL_ARTEFACT = tmp_path
    monkeypatch.setattr(ml_state, "_live", None)
    monkeypatch.setattr(ml_state, "_failures", {})
    response = client.get("/model/")
    assert response.status_code == 503
    assert "No model is available" in response.text
