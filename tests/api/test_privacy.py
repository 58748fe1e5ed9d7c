"""A person's own data: taken along whole, or deleted so that nothing of it is left."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import AuditEvent, AuditKind, User
from api.models import Prediction, PredictionImage, Scan, Tombstone
from tests.api.conftest import stored_files

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse"
HISTORY = "My mother had one, ñ 🦀"


@pytest.fixture
def client(bearer: Callable[..., Client], person) -> Client:
    return bearer(person)


@pytest.fixture
def data(client: Client, predict: Callable[..., Any], save: Callable[..., Any]) -> dict[str, str]:
    """One answer with remark and map, one scan of it; their ids."""
    prediction_id = predict(client, explain="true", age="34", history=HISTORY).json()["id"]
    client.post(f"/api/predictions/{prediction_id}/feedback/", {"remark": "A remark."}, "application/json")
    return {"prediction": prediction_id, "scan": save(client).json()["id"]}


@pytest.fixture
def data_of_others(
    anonymous: Client, bearer, stranger, predict: Callable[..., Any], save: Callable[..., Any], encode
) -> set[Path]:
    """What a stranger and nobody have; the files of it."""
    photo = encode("JPEG", quality=70)
    predict(anonymous, image=photo)
    predict(bearer(stranger), image=photo)
    save(bearer(stranger), image=photo)
    images = PredictionImage.objects.exclude(prediction__user__email="ada@example.org")
    return {Path(row.photo.path) for row in [*images, *Scan.objects.filter(user=stranger)]}


def exported(client: Client) -> zipfile.ZipFile:
    response = client.get("/api/account/export/")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/zip")
    return zipfile.ZipFile(io.BytesIO(response.getvalue()))


def delete(client: Client, password: Any = PASSWORD) -> Any:
    return client.delete("/api/account/", {"password": password}, "application/json")


# Export


def test_export_is_streamed_and_not_kept_by_caches(client: Client, data):
    response = client.get("/api/account/export/")
    assert response.streaming
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Content-Disposition"].startswith('attachment; filename="skin-export-')


def test_export_is_a_whole_zip(client: Client, data):
    archive = exported(client)
    assert archive.testzip() is None
    assert set(archive.namelist()) == {
        "account.json",
        "predictions.json",
        "scans.json",
        "events.json",
        f"photos/predictions/{data['prediction']}-0.jpg",
        f"photos/scans/{data['scan']}.jpg",
    }


def test_export_photos_are_those_stored(client: Client, data, media_root: Path):
    archive = exported(client)
    photos = {archive.read(name) for name in archive.namelist() if name.startswith("photos/")}
    assert photos == {file.read_bytes() for file in stored_files(media_root)}


def test_export_documents_name_their_photos(client: Client, data):
    archive = exported(client)
    (prediction,), (scan,) = (json.loads(archive.read(f"{name}.json")) for name in ("predictions", "scans"))
    assert {prediction["images"][0]["photo"], scan["photo"]} <= set(archive.namelist())


def test_export_holds_what_the_person_said_and_was_told(client: Client, data):
    archive = exported(client)
    (prediction,) = json.loads(archive.read("predictions.json"))
    assert (prediction["history"], prediction["age_years"]) == (HISTORY, 34)
    assert prediction["remark"]["text"] == "A remark."
    assert set(prediction["probabilities"]) == {"akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc"}
    assert prediction["images"][0]["embedding"]


def test_export_account_has_every_column_but_the_password(client: Client, data):
    account = json.loads(exported(client).read("account.json"))
    assert set(account) == {field.attname for field in User._meta.concrete_fields} - {"password"}
    assert account["email"] == "ada@example.org"


def test_export_says_nothing_of_others(client: Client, data, data_of_others, stranger):
    archive = exported(client)
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert stranger.email.encode() not in everything
    assert len(json.loads(archive.read("predictions.json"))) == len(json.loads(archive.read("scans.json"))) == 1


def test_export_of_nothing_is_a_zip_too(client: Client):
    assert json.loads(exported(client).read("predictions.json")) == []


def test_export_without_a_lost_photo_is_whole(client: Client, data, media_root: Path):
    for file in stored_files(media_root):
        file.unlink()
    assert len(exported(client).namelist()) == 4


def test_export_is_recorded(client: Client, person, data):
    exported(client)
    assert AuditEvent.objects.get(kind=AuditKind.EXPORT).actor == person


def test_export_without_token_is_401(anonymous: Client, assert_error):
    assert_error(anonymous.get("/api/account/export/"), 401, "not_authenticated")


# Deletion


def test_delete_account_leaves_neither_row_nor_file(client: Client, person, data, media_root: Path):
    key = person.pk
    assert delete(client).status_code == 204
    assert stored_files(media_root) == []
    assert not User.objects.filter(pk=key).exists()
    assert (Prediction.objects.count(), PredictionImage.objects.count(), Scan.objects.count()) == (0, 0, 0)


def test_delete_account_leaves_the_person_in_no_column_of_any_table(client: Client, person, data):
    """Whatever is added later is looked at, too."""
    RefreshToken.for_user(person)
    client.post("/api/auth/otp/email/send/")
    marks = ["ada@example.org", HISTORY, "A remark.", data["prediction"], data["scan"]]
    delete(client)
    for model in apps.get_models():
        text = repr(list(model._base_manager.values_list()))
        assert not [mark for mark in marks if mark in text or mark.replace("-", "") in text], model


def test_delete_account_leaves_a_tombstone_without_content(client: Client, person, data):
    key = person.pk
    delete(client)
    tombstone = Tombstone.objects.get()
    assert (tombstone.user_id, tombstone.predictions, tombstone.scans) == (key, 1, 1)
    assert {field.name for field in Tombstone._meta.concrete_fields} == {
        "id", "user_id", "deleted_at", "predictions", "scans",
    }  # fmt: skip


def test_delete_account_touches_nobody_else(
    client: Client, data, data_of_others: set[Path], stranger, media_root: Path
):
    delete(client)
    assert set(stored_files(media_root)) == data_of_others
    assert set(Prediction.objects.values_list("user", flat=True)) == {None, stranger.pk}
    assert Scan.objects.get().user == stranger


def test_delete_account_ends_every_token(client: Client, anonymous: Client, person, assert_error):
    refresh = RefreshToken.for_user(person)
    other_phone = Client(headers={"Authorization": f"Bearer {AccessToken.for_user(person)}"})
    delete(client)
    assert other_phone.get("/api/scans/").status_code == 401
    response = anonymous.post("/api/auth/refresh/", {"refresh": str(refresh)}, "application/json")
    assert_error(response, 401, "token_not_valid")


def test_delete_account_closes_the_addresses_of_its_photos(client: Client, anonymous: Client, data):
    addresses = [client.get(path).json()["image"] for path in (
        f"/api/scans/{data['scan']}/", f"/api/predictions/{data['prediction']}/"
    )]  # fmt: skip
    addresses.append(client.get(f"/api/predictions/{data['prediction']}/").json()["explanation_url"])
    delete(client)
    assert [anonymous.get(address).status_code for address in addresses] == [404, 404, 404]


def test_delete_account_is_recorded_without_a_name(client: Client, data):
    delete(client)
    event = AuditEvent.objects.get(kind=AuditKind.ACCOUNT_DELETED)
    assert (event.actor, event.subject) == (None, "")
    assert event.actor_pseudonym


def test_deleted_accounts_e_mail_can_register_again(client: Client, data):
    delete(client)
    assert User.objects.create_user("ada@example.org", PASSWORD).pk != Tombstone.objects.get().user_id


@pytest.mark.parametrize("password", ["wrong", "", None, "Correct horse", " correct horse", ["correct horse"]])
def test_delete_account_with_a_wrong_password_deletes_nothing(
    client: Client, person, data, assert_error, media_root: Path, password: Any
):
    body = assert_error(delete(client, password), 400, "invalid")
    assert set(body["fields"]) == {"password"}
    assert User.objects.filter(pk=person.pk).exists()
    assert (Prediction.objects.count(), Scan.objects.count(), len(stored_files(media_root))) == (1, 1, 2)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_delete_account_without_a_body_deletes_nothing(client: Client, person, content_type: str):
    assert client.delete("/api/account/", content_type=content_type).status_code in {400, 415}
    assert User.objects.filter(pk=person.pk).exists()


def test_delete_account_of_staff_is_for_an_administrator(bearer, reviewer, assert_error):
    assert_error(delete(bearer(reviewer)), 403, "permission_denied")
    assert User.objects.filter(pk=reviewer.pk).exists()


def test_delete_account_that_fails_half_way_deletes_nothing(
    client: Client, person, data, media_root: Path, monkeypatch
):
    def refuse(**_values: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("api.services.privacy.delete_person", refuse)
    assert delete(client).status_code == 500
    assert (Prediction.objects.count(), Scan.objects.count(), len(stored_files(media_root))) == (1, 1, 2)
    assert not Tombstone.objects.exists()
