"""Saved scans in the administration: claims beside answers, read by reviewers, whose looks are recorded."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import AuditEvent, AuditKind
from api.models import Prediction, PredictionImage, PredictionRemark, Scan, Tombstone
from api.services import looks
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db

LIST = "/admin/api/scan/"


@pytest.fixture
def client_of_reviewer(logged_in: Callable[..., Client], reviewer) -> Client:
    return logged_in(reviewer)


@pytest.fixture
def scan(bearer, person, predict, save: Callable[..., Any]) -> Scan:
    """A claim that plays the server's answer down."""
    melanoma = (ROOT / "sample_images" / "mel.jpg").read_bytes()
    predict(Client(), image=melanoma, explain="true")
    save(bearer(person), image=melanoma, diagnosis="<b>Freckle</b>", severity="Low", is_safe="true")
    return Scan.objects.get()


def pages(scan: Scan) -> dict[str, str]:
    """Addresses of pictures by what they show."""
    image = PredictionImage.objects.get()
    return {
        f"scan {scan.pk}": reverse("admin:api_scan_photo", args=[scan.pk, 96]),
        f"prediction {image.prediction_id}": reverse("admin:api_predictionimage_photo", args=[image.pk, 800]),
    }


def test_scan_admin_list_shows_claim_and_answer(client_of_reviewer: Client, scan: Scan, person):
    text = client_of_reviewer.get(LIST).text
    assert "Low, 62%, safe" in text
    assert scan.prediction.severity in text
    assert "<strong>plays down:" in text
    assert person.email in text


def test_scan_admin_detail_shows_claims_as_text(client_of_reviewer: Client, scan: Scan):
    text = client_of_reviewer.get(f"{LIST}{scan.pk}/change/").text
    assert "&lt;b&gt;Freckle" in text
    assert "<b>Freckle" not in text
    assert f"/admin/api/prediction/{scan.prediction_id}/change/" in text
    assert 'name="_save"' not in text


def test_scan_admin_scan_without_answer_is_shown(client_of_reviewer: Client, scan: Scan):
    Prediction.objects.all().delete()
    assert ">none</" in client_of_reviewer.get(LIST).text


@pytest.mark.parametrize(("side_px", "width_px"), [(1, 96), (200, 200), (10**12, 600)])
def test_scan_admin_photo_side_stays_between_the_limits(
    client_of_reviewer: Client, scan: Scan, side_px: int, width_px: int
):
    response = client_of_reviewer.get(reverse("admin:api_scan_photo", args=[scan.pk, side_px]))
    with Image.open(io.BytesIO(response.content)) as picture:
        assert picture.width == width_px


def test_scan_admin_photo_whose_file_is_lost_is_404(client_of_reviewer: Client, scan: Scan):
    scan.photo.storage.delete(scan.photo.name)
    assert client_of_reviewer.get(reverse("admin:api_scan_photo", args=[scan.pk, 96])).status_code == 404


@pytest.mark.parametrize("kind", ["staff", "person"])
def test_scan_admin_photo_is_for_reviewers(logged_in, request, scan: Scan, kind: str):
    client = logged_in(request.getfixturevalue(kind))
    response = client.get(reverse("admin:api_scan_photo", args=[scan.pk, 96]))
    assert response.status_code == {"staff": 404, "person": 302}[kind]
    assert not AuditEvent.objects.filter(kind=AuditKind.PHOTO_VIEWED).exists()


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_scan_admin_superuser_changes_nothing(logged_in, superuser, scan: Scan, page: str):
    address = reverse(f"admin:api_scan_{page}", args=[] if page == "add" else [scan.pk])
    before = Scan.objects.values().get()
    assert logged_in(superuser).post(address, {"claimed_diagnosis": "x", "post": "yes"}).status_code == 403
    assert Scan.objects.values().get() == before


def test_prediction_admin_shows_the_persons_remark(client_of_reviewer: Client, scan: Scan):
    PredictionRemark.objects.create(
        prediction=scan.prediction, text="The doctor <i>agreed</i>", updated_at=timezone.now()
    )
    text = client_of_reviewer.get(f"/admin/api/prediction/{scan.prediction_id}/change/").text
    assert "The doctor &lt;i&gt;agreed" in text


def test_tombstone_admin_opens(logged_in, superuser):
    Tombstone.objects.create(user_id=77, predictions=3, scans=2)
    assert ">77<" in logged_in(superuser).get("/admin/api/tombstone/").text


# Looks are recorded


@pytest.mark.parametrize("which", [0, 1], ids=["scan", "prediction"])
def test_look_at_a_photo_is_recorded_with_its_row(client_of_reviewer: Client, reviewer, scan: Scan, which: int):
    subject, address = list(pages(scan).items())[which]
    client_of_reviewer.get(address)
    event = AuditEvent.objects.get(kind=AuditKind.PHOTO_VIEWED)
    assert (event.actor, event.subject) == (reviewer, subject)


def test_look_at_a_map_is_recorded(client_of_reviewer: Client, scan: Scan):
    client_of_reviewer.get(reverse("admin:api_predictionimage_activation", args=[PredictionImage.objects.get().pk]))
    assert AuditEvent.objects.filter(kind=AuditKind.PHOTO_VIEWED).count() == 1


def test_look_again_within_the_hour_is_the_same_look(client_of_reviewer: Client, scan: Scan, monkeypatch):
    address = next(iter(pages(scan).values()))
    for _ in range(2):
        client_of_reviewer.get(address)
    assert AuditEvent.objects.filter(kind=AuditKind.PHOTO_VIEWED).count() == 1
    later = timezone.now() + timedelta(minutes=61)
    monkeypatch.setattr(looks.timezone, "now", lambda: later)
    looks.record_look(
        reviewer=AuditEvent.objects.filter(kind=AuditKind.PHOTO_VIEWED).get().actor, subject=f"scan {scan.pk}"
    )
    assert AuditEvent.objects.filter(kind=AuditKind.PHOTO_VIEWED).count() == 2


def test_look_of_a_person_at_their_own_photo_is_nobodys_business(bearer, person, scan: Scan):
    client = bearer(person)
    client.get(client.get("/api/scans/").json()[0]["image"])
    assert not AuditEvent.objects.filter(kind=AuditKind.PHOTO_VIEWED).exists()
