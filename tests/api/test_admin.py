"""The log in the administration: found, shown, and changed by nobody."""

import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from api.models import Prediction, PredictionImage

pytestmark = pytest.mark.django_db

LIST = "/admin/api/prediction/"


@pytest.fixture
def client_of_reviewer(logged_in: Callable[..., Client], reviewer) -> Client:
    return logged_in(reviewer)


def change_page(prediction: Prediction) -> str:
    return reverse("admin:api_prediction_change", args=[prediction.pk])


def photo_page(image: PredictionImage, side_px: int = 96) -> str:
    return reverse("admin:api_predictionimage_photo", args=[image.pk, side_px])


def activation_page(image: PredictionImage) -> str:
    return reverse("admin:api_predictionimage_activation", args=[image.pk])


def listed(response: Any) -> set[Prediction]:
    assert response.status_code == 200
    return set(response.context["cl"].result_list)


# The list


def test_admin_list_shows_what_a_reviewer_needs(client_of_reviewer: Client, make_prediction, person):
    make_prediction(user=person, label="mel", malignant_probability=0.8125, malignancy_threshold=0.25)
    text = client_of_reviewer.get(LIST).text
    for part in ("mel", "61.5 %", "0.812 / 0.250", "a-model 1", person.email):
        assert part in text


def test_admin_list_missing_malignancy_is_a_dash(client_of_reviewer: Client, make_prediction):
    make_prediction(malignant_probability=None, malignancy_threshold=0.25)
    assert "- / 0.250" in client_of_reviewer.get(LIST).text


def test_admin_list_thumbnails_open(client_of_reviewer: Client, make_prediction):
    address = photo_page(make_prediction().images.get())
    assert f'src="{address}"' in client_of_reviewer.get(LIST).text
    with Image.open(io.BytesIO(client_of_reviewer.get(address).content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (96, 72))


def test_admin_list_prediction_without_photo_is_shown(client_of_reviewer: Client, make_prediction):
    prediction = make_prediction()
    prediction.images.all().delete()
    assert listed(client_of_reviewer.get(LIST)) == {prediction}


def test_admin_list_costs_the_same_queries_for_many_rows(
    client_of_reviewer: Client, make_prediction, person, django_assert_max_num_queries
):
    for _ in range(12):
        make_prediction(user=person)
    with django_assert_max_num_queries(14):
        client_of_reviewer.get(LIST)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("status__exact=uncertain", {"status": "uncertain"}),
        ("suspicious__exact=1", {"suspicious": True}),
        ("label=mel", {"label": "mel"}),
        ("severity__exact=High", {"severity": "High"}),
        ("model_name=other", {"model_name": "other"}),
        ("model_version=2", {"model_version": "2"}),
        ("consent__exact=1", {"consent": True}),
    ],
)
def test_admin_filter_keeps_the_rows_that_match(
    client_of_reviewer: Client, make_prediction, query: str, values: dict[str, Any]
):
    _other, sought = make_prediction(), make_prediction(**values)
    assert listed(client_of_reviewer.get(f"{LIST}?{query}")) == {sought}


def test_admin_date_hierarchy_keeps_the_day(client_of_reviewer: Client, make_prediction):
    old, _new = make_prediction(days_old=400), make_prediction()
    day = old.created_at
    query = f"created_at__year={day.year}&created_at__month={day.month}&created_at__day={day.day}"
    assert listed(client_of_reviewer.get(f"{LIST}?{query}")) == {old}


@pytest.mark.parametrize(
    "query",
    [
        "created_at__year=abc",
        "created_at__year=99999",
        "created_at__year=2026&created_at__month=13",
        "suspicious__exact=x",
    ],
)
def test_admin_nonsense_filter_leads_back_to_the_list(client_of_reviewer: Client, query: str):
    assert client_of_reviewer.get(f"{LIST}?{query}").headers["Location"] == f"{LIST}?e=1"


# Searching


@pytest.mark.parametrize(
    "term",
    [
        lambda row: str(row.pk),
        lambda row: row.pk.hex,
        lambda row: f"  {row.pk} ",
        lambda _row: "d4" * 4,
        lambda _row: "d4" * 16,  # 32 digits, as an id has
        lambda _row: "d4" * 32,
        lambda _row: "e5" * 4,
        lambda _row: "Melanom",
        lambda _row: "left shou",
        lambda _row: "itches",
        lambda _row: "ADA@example",
        lambda _row: "melanoma shoulder",
    ],
    ids=[
        "id", "id-hex", "id-blanks", "content-prefix", "content-32-digits", "content-whole", "model-prefix",
        "diagnosis", "site", "history", "e-mail", "two-words",
    ],
)  # fmt: skip
def test_admin_search_finds_the_one(
    client_of_reviewer: Client, make_prediction, person, term: Callable[[Prediction], str]
):
    make_prediction()
    sought = make_prediction(
        diagnosis="Melanoma", site="left shoulder", history="it itches", user=person, model_digest="e5" * 32
    )
    sought.images.update(content_sha256="d4" * 32)
    assert listed(client_of_reviewer.get(LIST, {"q": term(sought)})) == {sought}


@pytest.mark.parametrize(
    "term",
    ["zzzz", str(uuid.UUID(int=1)), "%", "_", "*", "\\", "'\"", "') OR 1=1 --", "a" * 5000, "🦀"],
    ids=["word", "other-id", "percent", "underscore", "star", "backslash", "quotes", "sql", "long", "unicode"],
)
def test_admin_search_for_what_is_not_there_finds_nothing(client_of_reviewer: Client, make_prediction, term: str):
    make_prediction()
    assert listed(client_of_reviewer.get(LIST, {"q": term})) == set()


def test_admin_search_with_a_null_character_still_opens(client_of_reviewer: Client):
    assert client_of_reviewer.get(LIST, {"q": "a\0b"}).status_code == 200


# One prediction


def test_admin_detail_shows_the_answer_and_its_reasons(client_of_reviewer: Client, make_prediction):
    prediction = make_prediction(reasons=[{"code": "suspicious", "text": "Look twice."}], history="<b>bold</b>")
    text = client_of_reviewer.get(change_page(prediction)).text
    for part in (str(prediction.pk), "Look twice.", "d" * 64, "600 x 450 px", "not asked for", "a1" * 32):
        assert part in text


def test_admin_detail_shows_what_people_wrote_as_text(client_of_reviewer: Client, make_prediction):
    text = client_of_reviewer.get(change_page(make_prediction(history="<b>bold</b>"))).text
    assert "&lt;b&gt;bold" in text
    assert "<b>bold" not in text


def test_admin_detail_shows_the_large_photo_and_the_map(client_of_reviewer: Client, anonymous, predict):
    predict(anonymous, explain="true")
    image = PredictionImage.objects.get()
    text = client_of_reviewer.get(change_page(image.prediction)).text
    for address in (photo_page(image, 800), activation_page(image)):
        assert f'src="{address}"' in text


def test_admin_detail_offers_no_input(client_of_reviewer: Client, make_prediction):
    text = client_of_reviewer.get(change_page(make_prediction())).text
    assert 'name="diagnosis"' not in text
    assert 'name="_save"' not in text


# Photos


def test_admin_map_opens_as_png(client_of_reviewer: Client, anonymous, predict):
    predict(anonymous, explain="true")
    response = client_of_reviewer.get(activation_page(PredictionImage.objects.get()))
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/png")


@pytest.mark.parametrize(("asked_px", "width_px"), [(0, 96), (1, 96), (200, 200), (800, 600), (10**12, 600)])
def test_admin_photo_side_stays_between_the_limits(
    client_of_reviewer: Client, make_prediction, asked_px: int, width_px: int
):
    response = client_of_reviewer.get(photo_page(make_prediction().images.get(), asked_px))
    with Image.open(io.BytesIO(response.content)) as picture:
        assert picture.width == width_px


@pytest.mark.parametrize("header", ["Cache-Control", "X-Content-Type-Options"])
def test_admin_photo_is_private_and_not_sniffed(client_of_reviewer: Client, make_prediction, header: str):
    headers = client_of_reviewer.get(photo_page(make_prediction().images.get())).headers
    assert {"Cache-Control": "private, max-age=300", "X-Content-Type-Options": "nosniff"}[header] == headers[header]


def test_admin_photo_with_orientation_is_upright(
    client_of_reviewer: Client, anonymous, predict, encode: Callable[..., bytes]
):
    exif = Image.Exif()
    exif[0x0112] = 6
    predict(anonymous, image=encode("JPEG", exif=exif))
    response = client_of_reviewer.get(photo_page(PredictionImage.objects.get(), 800))
    with Image.open(io.BytesIO(response.content)) as picture:
        assert (picture.size, picture.getexif().get(0x0112, 1)) == ((450, 600), 1)


@pytest.mark.parametrize("page", ["photo/999/96", "photo/99999999999999999999/96", "activation/999"])
def test_admin_photo_that_does_not_exist_is_404(client_of_reviewer: Client, page: str):
    assert client_of_reviewer.get(f"{LIST}{page}/").status_code == 404


def test_admin_map_that_was_not_asked_for_is_404(client_of_reviewer: Client, make_prediction):
    assert client_of_reviewer.get(activation_page(make_prediction().images.get())).status_code == 404


@pytest.mark.parametrize("page", [photo_page, activation_page])
def test_admin_photo_whose_file_is_lost_is_404(
    client_of_reviewer: Client, make_prediction, page: Callable[[PredictionImage], str]
):
    image = make_prediction().images.get()
    PredictionImage.objects.update(activations={"nv": [[1.0]]})
    image.photo.storage.delete(image.photo.name)
    assert client_of_reviewer.get(page(image)).status_code == 404


# Nobody edits


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_admin_superuser_can_neither_add_nor_change_nor_delete(
    logged_in: Callable[..., Client], superuser, make_prediction, method: str, page: str
):
    prediction = make_prediction()
    before = Prediction.objects.values().get()
    arguments = [] if page == "add" else [prediction.pk]
    address = reverse(f"admin:api_prediction_{page}", args=arguments)
    form = {"diagnosis": "Healthy", "is_safe": "on", "post": "yes"} if method == "post" else {}
    response = getattr(logged_in(superuser), method)(address, form)
    assert response.status_code == (200 if (method, page) == ("get", "change") else 403)
    assert Prediction.objects.values().get() == before


def test_admin_superuser_cannot_delete_by_action(logged_in: Callable[..., Client], superuser, make_prediction):
    form = {"action": "delete_selected", "_selected_action": [str(make_prediction().pk)], "post": "yes"}
    logged_in(superuser).post(LIST, form)
    assert Prediction.objects.count() == 1


def test_admin_superuser_cannot_change_photos_inline(logged_in: Callable[..., Client], superuser, make_prediction):
    prediction = make_prediction()
    image = prediction.images.get()
    form = {
        "images-TOTAL_FORMS": "1",
        "images-INITIAL_FORMS": "1",
        "images-0-id": str(image.pk),
        "images-0-prediction": str(prediction.pk),
        "images-0-format": "forged",
        "images-0-DELETE": "on",
    }
    logged_in(superuser).post(change_page(prediction), form)
    assert PredictionImage.objects.get().format == "jpeg"
