"""Requests that come twice: one answer and one row, whoever sends them and however close together."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from api.models import IdempotencyKey, Prediction, Scan
from api.services import predict as predict_service
from api.services.idempotency import MIN_ANONYMOUS_LENGTH
from api.services.retention import purge_expired
from tests.api.conftest import stored_files

pytestmark = pytest.mark.django_db

KEY = "9f1c7a52-6f3e-4d0b-9a77-0d5a1b2c3d4e"


@pytest.fixture
def client(bearer: Callable[..., Client], person) -> Client:
    return bearer(person)


@pytest.fixture
def ask(predict: Callable[..., Any]) -> Callable[..., Any]:
    """Post a photo with a key: `ask(client, key, age=...)`."""

    def post(client: Client, key: str = KEY, **options: Any) -> Any:
        client.defaults["HTTP_IDEMPOTENCY_KEY"] = key
        return predict(client, **options)

    return post


@pytest.fixture
def save_with_key(save: Callable[..., Any]) -> Callable[..., Any]:
    return lambda client, key=KEY, **claims: save(client, headers={"Idempotency-Key": key}, **claims)


def test_predict_again_is_the_same_answer_and_no_second_row(anonymous: Client, ask, media_root: Path):
    first, second = ask(anonymous, age="30"), ask(anonymous, age="30")
    assert (second.status_code, second.json()) == (200, first.json())
    assert (Prediction.objects.count(), len(stored_files(media_root))) == (1, 1)


def test_predict_again_does_not_classify_again(anonymous: Client, ask, monkeypatch):
    first = ask(anonymous)
    monkeypatch.setattr("api.services.predict.classify_uploads", None)
    assert ask(anonymous).json() == first.json()


def test_predict_that_is_overtaken_by_its_twin_answers_like_it(anonymous: Client, ask, media_root: Path, monkeypatch):
    classify, twins = predict_service.classify_uploads, []

    def overtaken(uploads: Any, **options: Any) -> Any:
        monkeypatch.setattr(predict_service, "classify_uploads", classify)
        twins.append(ask(Client()).json())
        return classify(uploads, **options)

    monkeypatch.setattr(predict_service, "classify_uploads", overtaken)
    assert ask(anonymous).json() == twins[0]
    assert (Prediction.objects.count(), len(stored_files(media_root))) == (1, 1)


def test_predict_without_key_is_a_row_each(anonymous: Client, predict: Callable[..., Any]):
    for _ in range(2):
        predict(anonymous)
    assert (Prediction.objects.count(), IdempotencyKey.objects.count()) == (2, 0)


def test_predict_under_another_key_is_another_row(anonymous: Client, ask):
    ids = {ask(anonymous, key).json()["id"] for key in (KEY, str(uuid.uuid4()))}
    assert len(ids) == 2


def test_predict_under_another_name_of_the_route_is_the_same_request(anonymous: Client, ask):
    ids = {
        ask(anonymous, path=path).json()["id"] for path in ("/api/predict/", "/api/predict/skin-disease", "/predict")
    }
    assert len(ids) == 1


@pytest.mark.parametrize("change", [{"age": "31"}, {"site": "back"}, {"explain": "true"}], ids=str)
def test_predict_same_key_other_fields_is_409(client: Client, ask, assert_error, change: dict[str, str]):
    ask(client, age="30")
    assert_error(ask(client, **{"age": "30", **change}), 409, "idempotency_key_reused")
    assert Prediction.objects.count() == 1


@pytest.mark.parametrize("who", ["client", "anonymous"])
def test_predict_same_key_other_photo_is_409(request, ask, assert_error, encode: Callable[..., bytes], who: str):
    client = request.getfixturevalue(who)
    ask(client)
    assert_error(ask(client, image=encode("JPEG", quality=60)), 409, "idempotency_key_reused")


def test_predict_file_name_does_not_make_it_another_request(anonymous: Client, ask):
    """A phone that tries again may name its temporary file anew."""
    ids = {ask(anonymous, name=name, content_type=kind).json()["id"] for name, kind in [("a.jpg", "a/b"), ("b", "c/d")]}
    assert len(ids) == 1


def test_predict_key_of_a_refused_request_is_free(anonymous: Client, ask):
    assert ask(anonymous, image=b"hello").status_code == 415
    assert ask(anonymous).status_code == 200


# Whose key


def test_keys_of_two_people_do_not_meet(client: Client, bearer: Callable[..., Client], stranger, ask):
    mine, theirs = ask(client, "1").json(), ask(bearer(stranger), "1").json()
    assert mine["id"] != theirs["id"]


def test_key_of_a_person_is_not_that_of_an_anonymous_request(client: Client, anonymous: Client, ask):
    assert ask(client).json()["id"] != ask(anonymous).json()["id"]


def test_anonymous_key_that_others_might_choose_too_is_refused(anonymous: Client, ask, assert_error):
    body = assert_error(ask(anonymous, "x" * (MIN_ANONYMOUS_LENGTH - 1)), 400, "invalid")
    assert "Idempotency-Key" in body["fields"]
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "ñ" * 20, "a\tb" * 10], ids=["empty", "long", "accents", "tab"])
def test_key_that_is_none_is_refused(client: Client, ask, assert_error, key: str):
    assert_error(ask(client, key), 400, "invalid")


def test_stored_key_tells_neither_key_nor_photo_nor_person(anonymous: Client, ask, media_root: Path):
    ask(anonymous)
    stored = IdempotencyKey.objects.get()
    assert KEY not in stored.digest + stored.body_digest
    assert Prediction.objects.get().images.get().content_sha256 != stored.body_digest


def test_key_of_a_predict_is_free_for_a_scan(client: Client, ask, save_with_key):
    assert (ask(client).status_code, save_with_key(client).status_code) == (200, 201)


# Scans


def test_save_again_is_the_same_scan(client: Client, save_with_key, media_root: Path):
    first, second = save_with_key(client), save_with_key(client)
    assert (second.status_code, second.json()) == (201, first.json())
    assert (Scan.objects.count(), len(stored_files(media_root))) == (1, 1)


def test_save_same_key_other_claims_is_409(client: Client, save_with_key, assert_error):
    save_with_key(client)
    assert_error(save_with_key(client, diagnosis="Healthy"), 409, "idempotency_key_reused")
    assert Scan.objects.count() == 1


def test_save_again_by_somebody_else_is_theirs(client: Client, bearer: Callable[..., Client], stranger, save_with_key):
    mine, theirs = save_with_key(client).json(), save_with_key(bearer(stranger)).json()
    assert mine["id"] != theirs["id"]


def test_save_of_a_deleted_scan_is_a_new_one(client: Client, save_with_key):
    first = save_with_key(client).json()["id"]
    client.delete(f"/api/scans/{first}/")
    assert save_with_key(client).json()["id"] != first


# In time


def test_key_is_forgotten_after_its_hours(anonymous: Client, ask, settings):
    first = ask(anonymous).json()["id"]
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS, minutes=1))
    assert ask(anonymous).json()["id"] != first
    assert ask(anonymous).json()["id"] != first


def test_key_is_known_until_then(anonymous: Client, ask, settings):
    first = ask(anonymous).json()["id"]
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS, minutes=-1))
    assert ask(anonymous).json()["id"] == first


@pytest.mark.parametrize(("age_h", "left"), [(25, 0), (23, 1)])
def test_purge_removes_forgotten_keys_and_not_their_rows(anonymous: Client, ask, age_h: int, left: int):
    ask(anonymous)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=age_h))
    assert purge_expired(now=timezone.now()).idempotency_keys == 1 - left
    assert (IdempotencyKey.objects.count(), Prediction.objects.count()) == (left, 1)
