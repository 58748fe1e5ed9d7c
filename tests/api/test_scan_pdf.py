"""The PDF of a scan, read and looked at as a viewer would."""

import io
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pypdfium2
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from api.models import Prediction, PredictionImage, Scan
from api.pdf_text import printable
from api.scan_pdf import scan_pdf
from api.serializers import DISCLAIMER

pytestmark = pytest.mark.django_db

BARS = {"mel": 0.7, "nv": 0.25, "bkl": 0.05}
ANSWER = {
    "label": "mel",
    "diagnosis": "Melanoma",
    "severity": "High",
    "advice": "See a dermatologist within days.",
    "confidence_percent": 70.0,
    "status": "uncertain",
    "probabilities": BARS,
    "top": [{"label": "mel", "name": "Melanoma", "probability": 0.7}],
    "reasons": [{"code": "suspicious", "text": "The warning threshold is reached."}],
    "malignant_probability": 0.7,
    "malignancy_threshold": 0.239,
    "suspicious": True,
}


@pytest.fixture
def client(bearer: Callable[..., Client], person) -> Client:
    return bearer(person)


@pytest.fixture
def scan(client: Client, save: Callable[..., Any]) -> Scan:
    """A saved scan, without an answer of the server."""
    save(client)
    return Scan.objects.get()


@pytest.fixture
def answered(scan: Scan, make_prediction, person) -> Callable[..., Scan]:
    """The scan with an answer of the server: `answered(history=...)`."""

    def make(**values: Any) -> Scan:
        scan.prediction = make_prediction(user=person, **{**ANSWER, **values})
        scan.save()
        return Scan.objects.select_related("user", "prediction").get()

    return make


def pages_of(pdf: bytes) -> list[str]:
    """The text of every page; lines end where the page does, so blanks are single ones."""
    document = pypdfium2.PdfDocument(pdf)
    texts = [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]
    return [unicodedata.normalize("NFC", text.replace("\ufffe", "-")) for text in texts]


def text_of(scan: Scan) -> str:
    return " ".join(pages_of(scan_pdf(scan)))


def rendered(pdf: bytes) -> np.ndarray:
    """The first page as seen, uint8 [h, w, 3]."""
    return np.asarray(pypdfium2.PdfDocument(pdf)[0].render(scale=1).to_pil().convert("RGB"))


# The route


def test_pdf_route_answers_a_pdf(client: Client, scan: Scan):
    response = client.get(f"/api/scans/{scan.pk}/pdf/", content_type="application/json")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/pdf")
    assert response.content.startswith(b"%PDF-")
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), (None, 401)])
def test_pdf_route_is_the_persons_alone(anonymous: Client, bearer, request, scan: Scan, assert_error, who, status: int):
    client = bearer(request.getfixturevalue(who)) if who else anonymous
    response = client.get(f"/api/scans/{scan.pk}/pdf/")
    assert_error(response, status, {404: "not_found", 401: "not_authenticated"}[status])


# What it says


@pytest.mark.parametrize(
    "part",
    [
        "Melanoma Severity: High",
        "Confidence: 70.0 %",
        "Status: unsure",
        "See a dermatologist within days.",
        "The warning threshold is reached.",
        "Melanoma 70.0 %",
        "Melanocytic nevus (mole) 25.0 %",
        "5.0 %",
        "Malignant classes together: 70.0 %; the warning threshold is 23.9 %",
        "Model: a-model 1",
        "Age: 34",
        "Sex: female",
        "Place on the body: left forearm",
        "In their own words: It itches.",
        DISCLAIMER,
    ],
)
def test_pdf_shows_the_servers_answer(answered: Callable[..., Scan], part: str):
    assert str(part) in text_of(answered(age_years=34, sex="female", site="left forearm", history="It itches."))


def test_pdf_without_an_answer_of_the_server_says_so_and_shows_the_claims(scan: Scan):
    text = text_of(scan)
    assert "The server has no answer of its own" in text
    assert "Nobody has checked this. Diagnosis: Melanocytic nevus (mole)" in text
    assert "The server's answer" not in text


def test_pdf_of_a_rejected_photo_has_no_probabilities(answered: Callable[..., Scan]):
    values = {"status": "rejected", "label": "", "probabilities": None, "diagnosis": "Photo not usable", "top": []}
    text = text_of(answered(**values))
    assert "Photo not usable" in text
    assert "Probabilities" not in text


def test_pdf_that_agrees_prints_the_claims_once(scan: Scan, make_prediction, person):
    scan.prediction = make_prediction(user=person)
    text = text_of(scan)
    assert "The same as the server's answer." in text
    assert "differs" not in text


def test_pdf_names_every_claim_that_differs(answered: Callable[..., Scan]):
    text = text_of(answered())
    assert text.count("(differs from the server)") == 4  # all but is_safe


@pytest.mark.parametrize(
    ("claim", "is_loud"), [({"claimed_severity": "Low"}, True), ({"claimed_severity": "High"}, False)], ids=str
)
def test_pdf_that_plays_down_warns_in_red(answered: Callable[..., Scan], claim: dict[str, str], is_loud: bool):  # noqa: FBT001
    scan = answered()
    for name, value in claim.items():
        setattr(scan, name, value)
    pdf = scan_pdf(scan)
    red, green, blue = np.moveaxis(rendered(pdf)[:150].astype(int), -1, 0)  # above the photo
    assert ("less serious than the server's own answer" in pages_of(pdf)[0]) is is_loud
    assert bool(((red > 130) & (green < 60) & (blue < 60)).any()) is is_loud


@pytest.mark.parametrize(
    ("zone", "text"), [("UTC", "2026-03-01 13:05 UTC"), ("Europe/Berlin", "2026-03-01 14:05 CET (UTC+01:00)")]
)
def test_pdf_names_date_time_and_zone(answered: Callable[..., Scan], zone: str, text: str):
    scan = answered(created_at=datetime(2026, 3, 1, 13, 5, tzinfo=UTC))
    with timezone.override(zone):
        assert f"Answered on: {text}" in text_of(scan)


def test_pdf_names_no_doctor(answered: Callable[..., Scan]):
    text = text_of(answered(advice="Watch it."))
    assert "Dr" not in text
    assert "healthy" not in text.lower()


def test_pdf_author_is_nobody(scan: Scan):
    assert pypdfium2.PdfDocument(scan_pdf(scan)).get_metadata_value("Author").strip() == ""


def test_pdf_of_one_scan_is_the_same_every_time(answered: Callable[..., Scan]):
    scan = answered()
    assert scan_pdf(scan) == scan_pdf(scan)


# What it shows


def test_pdf_shows_the_photo_upright(
    client: Client, save: Callable[..., Any], encode: Callable[..., bytes], lesion_rgb: np.ndarray
):
    half_red = lesion_rgb.copy()
    half_red[:, :300] = (255, 0, 0)  # left as stored; on top once turned upright
    exif = {"exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"}
    save(client, image=encode("JPEG", half_red, **exif))
    page = rendered(scan_pdf(Scan.objects.get())).astype(int)
    rows, columns = np.nonzero((page[..., 0] > 220) & (page[..., 1] < 60) & (page[..., 2] < 60))
    assert np.ptp(columns) == pytest.approx(np.ptp(rows) * 450 / 300, rel=0.1)


def test_pdf_shows_the_map_where_there_is_one(client: Client, predict: Callable[..., Any], save: Callable[..., Any]):
    predict(client, explain="true")
    save(client)
    with_map = Scan.objects.get()
    assert "Where the evidence lay" in text_of(with_map)
    PredictionImage.objects.update(activations=None)
    assert "Where the evidence lay" not in text_of(Scan.objects.get())


def test_pdf_whose_photo_is_lost_says_so(scan: Scan):
    scan.photo.storage.delete(scan.photo.name)
    assert "The photo is no longer stored." in text_of(scan)


def test_pdf_draws_a_bar_as_long_as_its_probability(answered: Callable[..., Scan]):
    page = rendered(scan_pdf(answered())).astype(int)
    bars = (abs(page - (0x47, 0x70, 0x8F)) < 8).all(axis=-1).sum(axis=1)
    longest = bars[bars > 0]
    lengths = [group.max() for group in np.split(longest, np.nonzero(np.abs(np.diff(longest)) > 3)[0] + 1)]
    assert max(lengths) / min(lengths) > 5
    assert any(length == pytest.approx(max(lengths) * 0.25 / 0.7, abs=3) for length in lengths)


# Hostile texts

HOSTILE = {
    "markup": "<b>bold</b> <font size=99>x</font> </para> <img src='file:///etc/passwd'/> <a href='x'>y</a>",
    "ampersand": "a & b &amp; &#0; &nosuch; <",
    "null-character": "be\x00fore\x07after",
    "right-to-left": "\u202eevil\u202c שלום مرحبا",
    "emoji": "🦀👩‍👩‍👧‍👦",
    "chinese": "漢字" * 50,
    "surrogate": "a\ud800b",
    "combining": "Z" + "\u0301" * 500,
    "long": "many words " * 1000,
    "long-word": "W" * 10_000,
    "percent": "%(name)s %s {0}",
}


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_pdf_hostile_text_in_every_field_fits_its_pages(answered: Callable[..., Scan], settings, text: str, paper: str):
    settings.PDF_PAPER = paper
    named = {"top": [{"label": "mel", "name": text, "probability": 0.7}]}
    scan = answered(**named)
    answer: Prediction = scan.prediction
    answer.diagnosis = answer.advice = answer.site = answer.history = answer.sex = answer.model_name = text
    answer.reasons = [{"code": "x", "text": text}]
    scan.claimed_diagnosis = scan.claimed_advice = scan.claimed_confidence = text
    scan.user.full_name = text
    document = pypdfium2.PdfDocument(pdf := scan_pdf(scan))
    width, _height = document[0].get_size()
    for page in document:
        text_page = page.get_textpage()
        boxes = [text_page.get_rect(index) for index in range(text_page.count_rects())]
        assert min(box[0] for box in boxes) >= 50
        assert max(box[2] for box in boxes) <= width - 50
    assert "How the answer was made" in " ".join(pages_of(pdf))


def test_pdf_markup_is_shown_as_it_was_written(answered: Callable[..., Scan]):
    scan = answered(history="<b>bold</b> & <i>more</i>")
    assert "In their own words: <b>bold</b> & <i>more</i>" in text_of(scan)


@pytest.mark.parametrize(
    "name",
    [
        "Zoë Müller",
        "Łukasz Żółć",
        "Gülşen Ğ",
        "Nguyễn Thị Ánh",
        "Þórdís",
        "Ελένη",
        "Дмитрий",
        "Ștefan Ț",
        "Erdős Győző",
    ],
)
def test_pdf_prints_names_with_accents(scan: Scan, name: str):
    scan.user = User(pk=scan.user_id, full_name=name)
    assert f"Name: {name}" in text_of(scan)


def test_pdf_embeds_its_fonts(scan: Scan):
    pdf = scan_pdf(scan)
    assert b"/FontFile2" in pdf
    assert b"OpenSans" in pdf


@pytest.mark.parametrize(("paper", "size_pt"), [("a4", (595, 842)), ("letter", (612, 792))])
def test_pdf_paper_is_a_setting(scan: Scan, settings, paper: str, size_pt: tuple[int, int]):
    settings.PDF_PAPER = paper
    size = pypdfium2.PdfDocument(io.BytesIO(scan_pdf(scan)))[0].get_size()
    assert tuple(round(side) for side in size) == size_pt


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("e\u0301", "é"),
        ("ǻ", "ǻ"),
        ("ẑ", "z"),
        ("漢", "?"),
        ("a\n\tb", "a b"),
        ("a\u200d\u202eb", "ab"),
        ("\x00", ""),
        ("12345678", "12345..."),
    ],
    ids=repr,
)
def test_printable_text_has_only_letters_of_the_font(text: str, shown: str):
    assert printable(text, max_characters=5) == shown
