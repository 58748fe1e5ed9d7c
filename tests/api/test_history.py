"""A person's own answers: found in pages, narrowed, remarked on, deleted, and seen by nobody else."""

import base64
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from api.models import Prediction, PredictionRemark
from tests.api.conftest import stored_files

pytestmark = pytest.mark.django_db

HISTORY = "/api/predictions/"


@pytest.fixture
def client(bearer: Callable[..., Client], person) -> Client:
    return bearer(person)


@pytest.fixture
def mine(make_prediction, person) -> Callable[..., Prediction]:
    """Write an answer of the person."""
    return lambda **values: make_prediction(user=person, **values)


def ids(page: dict[str, Any]) -> list[str]:
    return [entry["id"] for entry in page["results"]]


# Pages


def test_history_holds_attributed_answers_and_no_others(
    client: Client, anonymous: Client, bearer, stranger, predict: Callable[..., Any]
):
    predict(anonymous)
    predict(bearer(stranger))
    answer = predict(client, path="/api/predict/").json()
    assert ids(client.get(HISTORY).json()) == [answer["id"]]


def test_history_entry_is_the_answer_with_what_was_said_beside_it(client: Client, predict: Callable[..., Any]):
    answer = predict(client, age="34", sex="female", site="back", history="It itches.", consent="true").json()
    (entry,) = client.get(HISTORY).json()["results"]
    assert [photo.pop("image") for photo in entry["photos"]] == [entry["image"]]
    assert {name: entry[name] for name in answer} == answer
    assert entry["patient"] == {"age": 34, "sex": "female", "site": "back", "history": "It itches."}
    assert (entry["consent"], entry["remark"]) == (True, None)


def test_history_entry_has_a_photo_that_opens_without_a_header(client: Client, mine):
    mine()
    address = client.get(HISTORY).json()["results"][0]["image"]
    assert Client().get(address).headers["Content-Type"] == "image/jpeg"


def test_history_entry_explained_has_its_map(client: Client, predict: Callable[..., Any]):
    predict(client, explain="true")
    address = client.get(HISTORY).json()["results"][0]["explanation_url"]
    assert Client().get(address).headers["Content-Type"] == "image/png"


def test_history_pages_hold_every_answer_once_newest_first(client: Client, mine):
    made = [str(mine(days_old=age).pk) for age in range(45)]
    seen, address, pages = [], HISTORY, 0
    while address:
        page = client.get(address).json()
        assert set(page) == {"next", "previous", "results"}
        seen, address, pages = seen + ids(page), page["next"], pages + 1
    assert (seen, pages) == (made, 3)


def test_history_page_is_not_moved_by_a_new_answer(client: Client, mine):
    made = [str(mine(days_old=age).pk) for age in range(1, 31)]
    first = client.get(HISTORY).json()
    mine()
    assert ids(client.get(first["next"]).json()) == made[20:]


def test_history_previous_leads_back(client: Client, mine):
    for age in range(30):
        mine(days_old=age)
    first = client.get(HISTORY).json()
    second = client.get(first["next"]).json()
    assert ids(client.get(second["previous"]).json()) == ids(first)


def test_history_answers_of_one_moment_are_all_found(client: Client, mine, settings):
    moment = mine().created_at
    for _ in range(6):
        mine(created_at=moment)
    first = client.get(HISTORY, {"page_size": 4}).json()
    both = ids(first) + ids(client.get(first["next"]).json())
    assert len(set(both)) == 7


@pytest.mark.parametrize(("asked", "length"), [("5", 5), ("100", 100), ("1000", 100), ("0", 20), ("x", 20)])
def test_history_page_size_has_a_limit(client: Client, mine, asked: str, length: int):
    for _ in range(101):
        mine()
    assert len(client.get(HISTORY, {"page_size": asked}).json()["results"]) == length


def test_history_unknown_cursor_is_404(client: Client, assert_error):
    assert_error(client.get(HISTORY, {"cursor": "nonsense"}), 404, "not_found")


@pytest.mark.parametrize(
    "position",
    ["garbage", "\0", "1", "2026-03-01", "2026-03-01 10:00", "2026-13-01 10:00+00:00", "0001-01-01 00:00+14:00"],
)
def test_history_cursor_of_no_moment_is_404(client: Client, assert_error, position: str):
    cursor = base64.b64encode(urlencode({"p": position}).encode()).decode()
    assert_error(client.get("/api/predictions/", {"cursor": cursor}), 404, "not_found")


def test_history_costs_the_same_queries_for_a_full_page(client: Client, mine, django_assert_max_num_queries):
    for _ in range(20):
        PredictionRemark.objects.create(prediction=mine(), text="x", updated_at=mine().created_at)
    with django_assert_max_num_queries(4):
        client.get(HISTORY)


# Narrowing


@pytest.mark.parametrize(
    "query",
    [
        {"status": "uncertain"},
        {"severity": "High"},
        {"label": "mel"},
        {"date_from": "2026-03-02", "date_to": "2026-03-02"},
        {"status": "uncertain", "severity": "High", "label": "mel"},
    ],
    ids=str,
)
def test_history_filter_keeps_what_matches(client: Client, mine, query: dict[str, str]):
    mine()
    sought = mine(status="uncertain", severity="High", label="mel", created_at="2026-03-02T12:00:00Z")
    assert ids(client.get(HISTORY, query).json()) == [str(sought.pk)]


@pytest.mark.parametrize(
    ("created_at", "is_found"),
    [
        ("2026-03-01T23:30:00Z", True),
        ("2026-03-02T22:30:00Z", True),
        ("2026-03-01T22:30:00Z", False),
        ("2026-03-02T23:30:00Z", False),
    ],
)
def test_history_days_are_those_of_the_servers_zone(
    client: Client,
    mine,
    settings,
    created_at: str,
    is_found: bool,  # noqa: FBT001
):
    settings.TIME_ZONE = "Europe/Berlin"  # an hour ahead of UTC in March
    mine(created_at=created_at)
    found = client.get(HISTORY, {"date_from": "2026-03-02", "date_to": "2026-03-02"}).json()["results"]
    assert bool(found) is is_found


def test_history_filter_holds_on_the_next_page(client: Client, mine):
    for age in range(5):
        mine(days_old=age, label="mel")
        mine(days_old=age)
    first = client.get(HISTORY, {"label": "mel", "page_size": 3}).json()
    assert len(ids(client.get(first["next"]).json())) == 2


@pytest.mark.parametrize(
    "query", [{"status": "fine"}, {"severity": "low"}, {"date_from": "yesterday"}, {"date_to": "2026-13-01"}], ids=str
)
def test_history_nonsense_filter_is_400(client: Client, assert_error, query: dict[str, str]):
    assert set(assert_error(client.get(HISTORY, query), 400, "invalid")["fields"]) == set(query)


# One answer


def test_history_detail_is_the_entry(client: Client, mine):
    address = f"{HISTORY}{mine().pk}/"
    assert client.get(address).json()["id"] == client.get(HISTORY).json()["results"][0]["id"]


def test_history_delete_removes_row_photo_and_remark(client: Client, mine, media_root: Path):
    gone, kept = mine(), mine()
    client.post(f"{HISTORY}{gone.pk}/feedback/", {"remark": "x"}, "application/json")
    assert client.delete(f"{HISTORY}{gone.pk}/", content_type="application/json").status_code == 204
    assert list(Prediction.objects.all()) == [kept]
    assert not PredictionRemark.objects.exists()
    assert stored_files(media_root) == [Path(kept.images.get().photo.path)]


def test_history_delete_on_a_disk_that_refuses_leaves_an_orphan_and_no_row(client: Client, mine, monkeypatch, caplog):
    prediction = mine()

    def refuse(_storage: object, _name: str) -> None:
        raise OSError("Read-only file system")

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage.delete", refuse)
    assert client.delete(f"{HISTORY}{prediction.pk}/").status_code == 204
    assert not Prediction.objects.exists()
    assert "could not be deleted" in caplog.text


# Remarks


def test_feedback_is_kept_with_the_answer(client: Client, mine):
    address = f"{HISTORY}{mine().pk}/"
    response = client.post(f"{address}feedback/", {"remark": "The doctor said: a mole. ñ 🦀"}, "application/json")
    assert (response.status_code, response.json()["remark"]) == (200, "The doctor said: a mole. ñ 🦀")
    assert client.get(address).json() == response.json()


def test_feedback_again_takes_the_place_of_the_first(client: Client, mine):
    address = f"{HISTORY}{mine().pk}/feedback/"
    for text in ("first", "second"):
        client.post(address, {"remark": text}, "application/json")
    assert PredictionRemark.objects.get().text == "second"


@pytest.mark.parametrize(
    "body",
    [{}, {"remark": ""}, {"remark": None}, {"remark": "x" * 2001}, {"remark": "a\0b"}, {"remark": ["x"]}],
    ids=str,
)
def test_feedback_that_is_no_remark_is_400(client: Client, mine, assert_error, body: dict[str, Any]):
    response = client.post(f"{HISTORY}{mine().pk}/feedback/", body, "application/json")
    assert "remark" in assert_error(response, 400, "invalid")["fields"]


# Nobody else's


@pytest.mark.parametrize(
    ("method", "path"), [("get", ""), ("delete", ""), ("post", "feedback/")], ids=["get", "delete", "feedback"]
)
@pytest.mark.parametrize("owner", ["somebody-else", "nobody", "not-there"])
def test_history_answer_of_others_does_not_exist(
    client: Client, make_prediction, stranger, assert_error, method: str, path: str, owner: str
):
    row = make_prediction(user=stranger if owner == "somebody-else" else None)
    key = uuid.uuid4() if owner == "not-there" else row.pk
    response = getattr(client, method)(f"{HISTORY}{key}/{path}", {"remark": "x"}, content_type="application/json")
    assert_error(response, 404, "not_found")
    assert Prediction.objects.filter(pk=row.pk, remark=None).exists()


@pytest.mark.parametrize("key", ["1", "abc", "00000000-0000-0000-0000-00000000000"])
def test_history_key_that_is_none_is_404(client: Client, assert_error, key: str):
    assert_error(client.get(f"{HISTORY}{key}/"), 404, "not_found")
