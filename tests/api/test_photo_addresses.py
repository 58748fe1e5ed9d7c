"""People's photos behind signed addresses that expire."""

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from PIL import Image

from api import photo_addresses
from api.models import Scan

pytestmark = pytest.mark.django_db

HOUR_S = 3600
NOW_S = 500_000 * HOUR_S + 600  # ten past


@pytest.fixture
def clock(monkeypatch) -> Callable[[float], None]:
    """Set the clock that addresses are made and judged by."""

    def set_to(now_s: float) -> None:
        monkeypatch.setattr(photo_addresses, "time", SimpleNamespace(time=lambda: now_s))

    set_to(NOW_S)
    return set_to


@pytest.fixture
def client(bearer: Callable[..., Client], person) -> Client:
    return bearer(person)


@pytest.fixture
def address(clock, client: Client, save: Callable[..., Any]) -> str:
    return save(client).json()["image"]


def test_photo_address_is_absolute(address: str):
    assert address.startswith("http://testserver/api/photos/")


@pytest.mark.parametrize("headers", [{}, {"Accept": "image/png"}, {"Authorization": "Bearer expired"}], ids=str)
def test_photo_opens_without_identity_as_jpeg(address: str, headers: dict[str, str]):
    response = Client().get(address, headers=headers)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(response.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (600, 450))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "HEIF"])
def test_photo_is_upright_and_without_metadata(
    client: Client, save: Callable[..., Any], encode: Callable[..., bytes], image_format: str
):
    exif = Image.Exif()
    exif[0x0112] = 6
    address = save(client, image=encode(image_format, exif=exif.tobytes())).json()["image"]
    with Image.open(io.BytesIO(Client().get(address).content)) as picture:
        assert (picture.size, dict(picture.getexif())) == ((450, 600), {})


def test_photo_is_shrunk_for_a_phone(client: Client, save: Callable[..., Any], encode, lesion_rgb):
    address = save(client, image=encode("JPEG", lesion_rgb.repeat(6, 0).repeat(6, 1))).json()["image"]
    with Image.open(io.BytesIO(Client().get(address).content)) as picture:
        assert picture.size == (1600, 1200)


def test_photo_is_not_kept_by_shared_caches(address: str):
    assert "private" in Client().get(address).headers["Cache-Control"]


def test_photo_address_stays_the_same_within_an_hour(client: Client, address: str, clock):
    clock(NOW_S + 40 * 60)
    assert client.get("/api/scans/").json()[0]["image"] == address
    clock(NOW_S + 60 * 60)
    assert client.get("/api/scans/").json()[0]["image"] != address


@pytest.mark.parametrize(
    ("later_s", "status"), [(24 * HOUR_S, 200), (25 * HOUR_S - 601, 200), (25 * HOUR_S - 599, 404)]
)
def test_photo_address_expires(address: str, clock, later_s: int, status: int):
    clock(NOW_S + later_s)
    assert Client().get(address).status_code == status


def test_photo_lifetime_is_a_setting(client: Client, address: str, clock, settings):
    settings.PHOTO_URL_HOURS = 100
    address = client.get("/api/scans/").json()[0]["image"]
    clock(NOW_S + 99 * HOUR_S)
    assert Client().get(address).status_code == 200


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: "p" + token[1:],
        lambda token: token[:5] + ("0" if token[5] != "0" else "1") + token[6:],
        lambda token: token.replace(".", ".9", 1),
        lambda token: token.split(":")[0],
        lambda _token: "x",
        lambda _token: "%00%ff::",
        lambda token: signing.Signer(salt="another").sign(token.split(":")[0]),
    ],
    ids=["signature", "kind", "row", "longer-life", "unsigned", "nonsense", "odd-bytes", "other-salt"],
)
def test_photo_forged_address_is_404(anonymous: Client, assert_error, address: str, forge: Callable[[str], str]):
    head, token = address.rstrip("/").rsplit("/", 1)
    assert_error(anonymous.get(f"{head}/{forge(token)}/"), 404, "not_found")


def test_photo_of_a_deleted_scan_is_404(anonymous: Client, client: Client, assert_error, address: str):
    client.delete(f"/api/scans/{Scan.objects.get().pk}/")
    assert_error(anonymous.get(address), 404, "not_found")


def test_photo_whose_file_is_lost_is_404(anonymous: Client, assert_error, address: str):
    photo = Scan.objects.get().photo
    photo.storage.delete(photo.name)
    assert_error(anonymous.get(address), 404, "not_found")


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "api.example.org"}


def test_photo_address_behind_a_trusted_proxy_is_the_outer_one(client: Client, address: str, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.USE_X_FORWARDED_HOST = True
    settings.ALLOWED_HOSTS = ["api.example.org"]
    image = client.get("/api/scans/", headers=FORWARDED).json()[0]["image"]
    assert image == address.replace("http://testserver", "https://api.example.org")


def test_photo_address_believes_no_proxy_that_is_not_configured(client: Client, address: str):
    assert client.get("/api/scans/", headers=FORWARDED).json()[0]["image"] == address
