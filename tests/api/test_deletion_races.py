"""A person deletes the account while something of theirs is still under way: nothing of it is left, and no 500."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from accounts import one_time_codes, services, tokens
from accounts.models import AuditEvent, OneTimeCode, User
from api.models import IdempotencyKey, Prediction, Scan, Tombstone
from api.services import predict as predicting
from api.services import privacy, scans
from api.services.history import remark_on
from api.services.privacy import delete_account
from api.services.retention import delete_predictions
from tests.api.conftest import stored_files

pytestmark = pytest.mark.usefixtures("file_database")

PASSWORD = "correct horse"
KEY = "9f1c7a52-6f3e-4d0b-9a77-0d5a1b2c3d4e"


@pytest.fixture
def ada(file_database) -> User:
    return User.objects.create_user("ada@example.org", PASSWORD)


@pytest.fixture
def client(ada: User) -> Client:
    """The person's phone; its key counts where photos are sent."""
    headers = {"Authorization": f"Bearer {AccessToken.for_user(ada)}", "Idempotency-Key": KEY}
    return Client(raise_request_exception=False, headers=headers)


@pytest.fixture
def gone_before(ada: User, monkeypatch) -> Callable[[Any, str], None]:
    """Let the account be deleted right before a module's function is called for the first time."""

    def arrange(module: Any, name: str) -> None:
        real = getattr(module, name)

        def deleting(*args: Any, **options: Any) -> Any:
            if User.objects.filter(pk=ada.pk).exists():
                delete_account(user=ada, password=PASSWORD)
            return real(*args, **options)

        monkeypatch.setattr(module, name, deleting)

    return arrange


@pytest.mark.parametrize("kind", ["predict", "save"])
def test_upload_of_a_person_who_has_gone_leaves_neither_row_nor_file(
    request, gone_before, assert_error, client: Client, media_root: Path, kind: str
):
    send = request.getfixturevalue(kind)
    gone_before({"predict": predicting, "save": scans}[kind], "write_photo")
    assert_error(send(client), 401, "token_not_valid")
    assert not stored_files(media_root)
    assert (Prediction.objects.count(), Scan.objects.count(), IdempotencyKey.objects.count()) == (0, 0, 0)
    assert Tombstone.objects.exists()


def test_code_for_a_person_who_has_gone_is_not_sent(gone_before, assert_error, client: Client, mailoutbox):
    gone_before(one_time_codes, "salted_hmac")
    assert_error(client.post("/api/auth/otp/email/send/"), 401, "token_not_valid")
    assert (OneTimeCode.objects.count(), mailoutbox) == (0, [])


@pytest.mark.parametrize(
    ("module", "name"),
    [(services, "must_verify_email"), (tokens, "current_person")],
    ids=["before it is recorded", "before the tokens"],
)
def test_login_of_a_person_who_has_gone_is_401(gone_before, assert_error, module: Any, name: str):
    gone_before(module, name)
    body = {"email": "ada@example.org", "password": PASSWORD}
    assert_error(
        Client(raise_request_exception=False).post("/api/auth/login/", body, "application/json"), 401, "token_not_valid"
    )


@pytest.mark.parametrize("path", ["/api/auth/refresh/", "/api/auth/logout/"])
def test_refresh_token_of_a_person_who_has_gone_is_401(gone_before, assert_error, ada: User, path: str):
    refresh = tokens.issue_tokens(user=ada).refresh
    gone_before(tokens, "current_person")
    assert_error(
        Client(raise_request_exception=False).post(path, {"refresh": refresh}, "application/json"),
        401,
        "token_not_valid",
    )


def test_password_of_a_person_who_has_gone_is_not_changed(gone_before, assert_error, client: Client):
    gone_before(services, "make_password")
    body = {"current_password": PASSWORD, "password": "vK3!plum-tree"}
    response = client.post("/api/auth/password/change/", body, "application/json")
    assert_error(response, 401, "token_not_valid")


def test_export_of_a_person_who_has_gone_is_401_and_not_recorded(gone_before, assert_error, client: Client):
    gone_before(privacy, "scans_of")
    assert_error(client.get("/api/account/export/"), 401, "token_not_valid")
    assert not AuditEvent.objects.filter(kind="export").exists()


def test_remark_on_an_answer_that_has_gone_is_404(assert_error, client: Client, predict, monkeypatch):
    answer = predict(client).json()["id"]

    def deleting(**given: Any) -> Any:
        delete_predictions(predictions=Prediction.objects.filter(pk=answer))
        return remark_on(**given)

    monkeypatch.setattr("api.views.history.remark_on", deleting)
    response = client.post(f"/api/predictions/{answer}/feedback/", {"remark": "Seen by a doctor."}, "application/json")
    assert_error(response, 404, "not_found")
