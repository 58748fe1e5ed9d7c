"""Saved scans: what the client claims, kept word for word beside what the server itself answered."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from api.models import Prediction, Scan
from tests.api.conftest import CLAIMS, stored_files
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db

LIST_KEYS = {"id", "diagnosis", "confidence", "severity", "advice", "is_safe", "image", "created_at"}


@pytest.fixture
def client(bearer: Callable[..., Client], person) -> Client:
    return bearer(person)


@pytest.fixture
def digest(client: Client, save: Callable[..., Any]) -> str:
    """The digest of the drawn mole as it is stored."""
    save(client)
    scan = Scan.objects.get()
    digest = scan.content_sha256
    client.delete(f"/api/scans/{scan.pk}/")
    return digest


# Saving


def test_save_answers_what_was_saved(client: Client, save: Callable[..., Any]):
    response = save(client)
    body = response.json()
    assert response.status_code == 201
    assert {name: body[name] for name in CLAIMS} == {**CLAIMS, "is_safe": False}


def test_save_keeps_claims_word_for_word(client: Client, save: Callable[..., Any]):
    claims = {"diagnosis": "  <b>Mole</b> & \u202eñ 🦀 ", "confidence": " 93.7 % ", "advice": "Line one\nline two "}
    save(client, **claims)
    saved = client.get("/api/scans/").json()[0]
    assert {name: saved[name] for name in claims} == claims


@pytest.mark.parametrize(("sent", "kept"), [("true", True), ("false", False), (None, False)])
def test_save_is_safe_is_true_only_when_said(
    client: Client,
    save: Callable[..., Any],
    sent: str | None,
    kept: bool,  # noqa: FBT001
):
    assert save(client, is_safe=sent).json()["is_safe"] is kept


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_save_takes_every_format_under_the_name_of_a_jpeg(
    client: Client, save: Callable[..., Any], encode: Callable[..., bytes], image_format: str
):
    assert save(client, image=encode(image_format)).status_code == 201


@pytest.mark.parametrize("field", ["image", "diagnosis", "confidence", "severity"])
def test_save_without_a_field_is_400_and_names_it(
    client: Client, save: Callable[..., Any], assert_error, media_root: Path, field: str
):
    assert field in assert_error(save(client, **{field: None}), 400, "invalid")["fields"]
    assert (Scan.objects.count(), stored_files(media_root)) == (0, [])


@pytest.mark.parametrize(
    "claim",
    [
        {"severity": "Critical"},
        {"severity": "low"},
        {"is_safe": "perhaps"},
        {"diagnosis": "a\0b"},
        {"diagnosis": "x" * 501},
        {"advice": "x" * 10_001},
        {"confidence": "9" * 33},
    ],
    ids=["severity", "severity-case", "is-safe", "null-character", "long-diagnosis", "long-advice", "long-confidence"],
)
def test_save_claim_that_cannot_be_kept_is_400(client: Client, save: Callable[..., Any], assert_error, claim):
    assert set(assert_error(save(client, **claim), 400, "invalid")["fields"]) == set(claim)


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [(b"hello", 415, "photo_unsupported"), (b"", 400, "photo_missing"), (b"\xff\xd8\xff\xe0", 400, "photo_truncated")],
    ids=["text", "empty", "cut"],
)
def test_save_file_that_is_no_photo_is_refused(
    client: Client, save: Callable[..., Any], assert_error, media_root: Path, image: bytes, status: int, code: str
):
    assert_error(save(client, image=image), status, code)
    assert stored_files(media_root) == []


def test_save_photo_larger_than_the_limit_is_413(
    client: Client, save: Callable[..., Any], assert_error, settings, lesion_jpeg: bytes
):
    settings.MAX_UPLOAD_BYTES = len(lesion_jpeg) - 1
    assert_error(save(client), 413, "photo_too_large")


def test_save_of_json_is_415_in_json(client: Client, assert_error):
    assert_error(client.post("/api/scans/", CLAIMS, "application/json"), 415, "unsupported_media_type")


def test_save_without_token_is_401(anonymous: Client, save: Callable[..., Any], assert_error, media_root: Path):
    assert_error(save(anonymous), 401, "not_authenticated")
    assert stored_files(media_root) == []


def test_save_needs_no_model(client: Client, save: Callable[..., Any], no_model: Path):
    assert save(client).status_code == 201


def test_save_stores_the_cleaned_photo_under_a_random_name(
    client: Client, save: Callable[..., Any], encode: Callable[..., bytes], media_root: Path
):
    exif = Image.Exif()
    exif[0x010E] = "SECRET-DESCRIPTION"
    save(client, image=encode("JPEG", exif=exif))
    (file,) = stored_files(media_root)
    assert file.relative_to(media_root).match("scans/??/*.jpg")
    assert int(file.stem, 16)
    assert b"SECRET" not in file.read_bytes()


# The list


def test_list_item_has_exactly_the_apps_keys(client: Client, save: Callable[..., Any]):
    save(client)
    assert [set(item) for item in client.get("/api/scans/").json()] == [LIST_KEYS]


def test_list_is_a_plain_array_of_all_newest_first(client: Client, save: Callable[..., Any]):
    saved = [save(client, diagnosis=f"number {number}").json()["id"] for number in range(25)]
    assert [item["id"] for item in client.get("/api/scans/").json()] == saved[::-1]


def test_list_without_scans_is_empty(client: Client):
    assert client.get("/api/scans/", content_type="application/json").json() == []


def test_list_costs_the_same_queries_for_many(client: Client, save: Callable[..., Any], django_assert_max_num_queries):
    for _ in range(6):
        save(client)
    with django_assert_max_num_queries(4):
        client.get("/api/scans/")


def test_list_shows_the_claims_and_not_the_servers_answer(
    anonymous: Client, client: Client, predict: Callable[..., Any], save: Callable[..., Any]
):
    predict(anonymous)
    save(client, diagnosis="Something else", severity="Low", is_safe="true")
    item = client.get("/api/scans").json()[0]
    assert (item["diagnosis"], item["severity"], item["is_safe"]) == ("Something else", "Low", True)


# The server's own answer


def test_save_claims_an_anonymous_answer_to_the_same_bytes(
    anonymous: Client, client: Client, person, predict: Callable[..., Any], save: Callable[..., Any]
):
    answer = predict(anonymous).json()
    detail = save(client).json()
    assert detail["server"]["id"] == answer["id"]
    assert Prediction.objects.get().user == person


def test_save_finds_the_answer_whatever_metadata_the_files_had(
    anonymous: Client,
    client: Client,
    predict: Callable[..., Any],
    save: Callable[..., Any],
    encode: Callable[..., bytes],
):
    exif = Image.Exif()
    exif[0x010E] = "another description"
    predict(anonymous, image=encode("JPEG"))
    assert save(client, image=encode("JPEG", exif=exif)).json()["server"] is not None


def test_save_of_other_bytes_claims_nothing(
    anonymous: Client,
    client: Client,
    predict: Callable[..., Any],
    save: Callable[..., Any],
    encode: Callable[..., bytes],
):
    predict(anonymous)
    assert save(client, image=encode("JPEG", quality=80)).json()["server"] is None
    assert Prediction.objects.get().user is None


@pytest.mark.parametrize(("age_h", "is_claimed"), [(23.9, True), (24.1, False)])
def test_save_claims_recent_answers_alone(
    client: Client,
    save: Callable[..., Any],
    make_prediction,
    digest: str,
    age_h: float,
    is_claimed: bool,  # noqa: FBT001
):
    make_prediction(days_old=age_h / 24, content_sha256=digest)
    assert (save(client).json()["server"] is not None) is is_claimed


def test_save_claims_the_newest_of_several(client: Client, save: Callable[..., Any], make_prediction, digest: str):
    make_prediction(days_old=0.5, content_sha256=digest)
    newest = make_prediction(days_old=0.1, content_sha256=digest)
    make_prediction(days_old=0.3, content_sha256=digest)
    assert save(client).json()["server"]["id"] == str(newest.pk)


def test_save_finds_the_persons_own_answer_of_any_age(
    client: Client, save: Callable[..., Any], make_prediction, digest: str, person
):
    own = make_prediction(days_old=90, content_sha256=digest, user=person)
    anonymous_one = make_prediction(content_sha256=digest)
    assert save(client).json()["server"]["id"] == str(own.pk)
    anonymous_one.refresh_from_db()
    assert anonymous_one.user is None


def test_save_never_finds_the_answer_of_somebody_else(
    client: Client, save: Callable[..., Any], make_prediction, digest: str, stranger
):
    theirs = make_prediction(content_sha256=digest, user=stranger)
    assert save(client).json()["server"] is None
    theirs.refresh_from_db()
    assert theirs.user == stranger


@pytest.mark.parametrize(
    "facts", [{"age_years": 0}, {"sex": "female"}, {"site": "back"}, {"history": "My mother had one."}], ids=str
)
def test_save_claims_no_answer_that_tells_of_a_person(
    client: Client, save: Callable[..., Any], make_prediction, digest: str, facts: dict[str, Any]
):
    """Somebody else may hold the same file, a sample photo for one, and would read what another said of themselves."""
    make_prediction(content_sha256=digest, **facts)
    assert save(client).json()["server"] is None


def test_save_of_one_photo_by_two_people_shows_neither_the_others_row(
    anonymous: Client,
    client: Client,
    bearer: Callable[..., Client],
    stranger,
    predict: Callable[..., Any],
    save: Callable[..., Any],
):
    predict(anonymous)
    other = bearer(stranger)
    mine, theirs = save(client).json(), save(other).json()
    assert (mine["server"] is None, theirs["server"]) == (False, None)
    assert [item["id"] for item in other.get("/api/scans/").json()] == [theirs["id"]]
    assert other.get("/api/predictions/").json()["results"] == []


# Where claim and answer differ


def test_detail_without_an_answer_of_the_server_has_null(client: Client, save: Callable[..., Any]):
    detail = client.get(f"/api/scans/{save(client).json()['id']}/").json()
    assert (set(detail), detail["server"], detail["mismatch"]) == (LIST_KEYS | {"server", "mismatch"}, None, None)


def test_detail_that_agrees_has_no_mismatch(client: Client, save: Callable[..., Any], make_prediction, digest: str):
    make_prediction(content_sha256=digest)
    assert save(client).json()["mismatch"] is None


@pytest.mark.parametrize("sample", ["nv.jpg", "mel.jpg", "plain_wall.jpg"])
@pytest.mark.parametrize(("predicted_in", "saved_in"), [("es", "es"), ("es", "en"), ("en", "es")])
def test_detail_of_an_answer_read_in_another_language_has_no_mismatch(
    anonymous: Client,
    client: Client,
    predict: Callable[..., Any],
    save: Callable[..., Any],
    sample: str,
    predicted_in: str,
    saved_in: str,
):
    photo = (ROOT / "sample_images" / sample).read_bytes()
    anonymous.defaults["HTTP_ACCEPT_LANGUAGE"] = predicted_in
    answer = predict(anonymous, image=photo).json()
    claims = {name: answer[name] for name in ("diagnosis", "severity", "advice")} | {"is_safe": answer["isSafe"]}
    confidence = f"{answer['confidence']:.0f}%"
    detail = save(client, image=photo, headers={"Accept-Language": saved_in}, confidence=confidence, **claims).json()
    assert (detail["server"]["id"], detail["mismatch"]) == (answer["id"], None)


@pytest.mark.parametrize(
    ("claim", "plays_down"),
    [
        ({"diagnosis": "Freckle"}, False),
        ({"confidence": "93%"}, False),
        ({"confidence": "very"}, False),
        ({"severity": "High"}, False),
        ({"advice": "Do nothing."}, False),
        ({"severity": "Low"}, True),
        ({"is_safe": "true"}, True),
    ],
    ids=str,
)
def test_detail_marks_the_claim_that_differs(
    client: Client,
    save: Callable[..., Any],
    make_prediction,
    digest: str,
    claim: dict[str, str],
    plays_down: bool,  # noqa: FBT001
):
    make_prediction(content_sha256=digest)
    mismatch = client.get(f"/api/scans/{save(client, **claim).json()['id']}/").json()["mismatch"]
    assert (mismatch["differs"], mismatch["plays_down"]) == (list(claim), plays_down)
    assert ("less serious" in mismatch["text"]) is plays_down


def test_detail_shows_the_servers_answer_beside_a_forged_one(
    client: Client, save: Callable[..., Any], make_prediction, digest: str
):
    make_prediction(content_sha256=digest, label="mel", diagnosis="Melanoma", severity="High")
    detail = save(client, diagnosis="Healthy skin", severity="Low", is_safe="true").json()
    assert (detail["server"]["diagnosis"], detail["server"]["severity"]) == ("Melanoma", "High")
    assert detail["diagnosis"] == "Healthy skin"


# Never edited, but deleted


@pytest.mark.parametrize("method", ["put", "patch"])
def test_saved_scan_is_not_edited(client: Client, save: Callable[..., Any], assert_error, method: str):
    address = f"/api/scans/{save(client).json()['id']}/"
    before = Scan.objects.values().get()
    response = getattr(client, method)(address, {"diagnosis": "Healthy"}, "application/json")
    assert "cannot be changed" in assert_error(response, 405, "method_not_allowed")["error"]
    assert response.headers["Allow"] == "GET, DELETE, HEAD, OPTIONS"
    assert Scan.objects.values().get() == before


def test_delete_removes_row_and_photo_and_keeps_the_answer(
    anonymous: Client, client: Client, predict: Callable[..., Any], save: Callable[..., Any], media_root: Path
):
    predict(anonymous)
    scan_id = save(client).json()["id"]
    response = client.delete(f"/api/scans/{scan_id}/", content_type="application/json")
    assert (response.status_code, response.content, Scan.objects.count()) == (204, b"", 0)
    assert [file.parts[-3] for file in stored_files(media_root)] == ["predictions"]


def test_delete_twice_is_404(client: Client, save: Callable[..., Any], assert_error):
    address = f"/api/scans/{save(client).json()['id']}/"
    client.delete(address)
    assert_error(client.delete(address), 404, "not_found")


@pytest.mark.parametrize("method", ["get", "delete"])
def test_scan_of_somebody_else_does_not_exist(
    client: Client, bearer: Callable[..., Client], stranger, save: Callable[..., Any], assert_error, method: str
):
    address = f"/api/scans/{save(client).json()['id']}/"
    assert_error(getattr(bearer(stranger), method)(address), 404, "not_found")
    assert client.get(address).status_code == 200


def test_deleted_answer_leaves_the_scan_with_its_claims(
    client: Client, save: Callable[..., Any], make_prediction, digest: str
):
    answer = make_prediction(content_sha256=digest)
    scan_id = save(client).json()["id"]
    client.delete(f"/api/predictions/{answer.pk}/")
    assert client.get(f"/api/scans/{scan_id}/").json()["server"] is None


def test_scan_created_at_is_now(client: Client, save: Callable[..., Any]):
    save(client)
    assert timezone.now() - Scan.objects.get().created_at < timedelta(minutes=1)
