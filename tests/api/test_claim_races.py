"""One key or one anonymous answer, and many who want it at the same moment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from api.models import IdempotencyKey, Prediction, Scan
from tests.api.conftest import stored_files
from tests.threads import in_threads

pytestmark = pytest.mark.usefixtures("file_database")

MANY = 6
KEY = "9f1c7a52-6f3e-4d0b-9a77-0d5a1b2c3d4e"


def people(count: int) -> list[User]:
    return [User.objects.create_user(f"person{number}@example.org", "correct horse") for number in range(count)]


def test_predict_of_many_under_one_key_is_one_row_and_one_answer(predict: Callable[..., Any], media_root: Path):
    def post() -> Any:
        return predict(Client(headers={"Idempotency-Key": KEY}))

    responses = in_threads(post, threads=MANY)
    assert {response.status_code for response in responses} == {200}
    assert all(response.json() == responses[0].json() for response in responses)
    assert (Prediction.objects.count(), IdempotencyKey.objects.count()) == (1, 1)
    assert len(stored_files(media_root)) == 1


def test_save_of_many_under_one_key_is_one_scan(save: Callable[..., Any], bearer, media_root: Path):
    (person,) = people(1)

    def post() -> Any:
        return save(bearer(person), headers={"Idempotency-Key": KEY})

    responses = in_threads(post, threads=MANY)
    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["id"] for response in responses}) == 1
    assert (Scan.objects.count(), len(stored_files(media_root))) == (1, 1)


def test_save_by_many_people_gives_one_anonymous_answer_to_one_of_them(
    predict: Callable[..., Any], save: Callable[..., Any], bearer
):
    predict(Client())
    waiting = people(MANY)

    def post() -> Any:
        return save(bearer(waiting.pop())).json()["server"]

    servers = in_threads(post, threads=MANY)
    assert servers.count(None) == MANY - 1
    assert Scan.objects.get(prediction__isnull=False).user == Prediction.objects.get().user
