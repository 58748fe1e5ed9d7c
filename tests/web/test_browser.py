"""The whole journey as people make it, in Debian's Chromium against the real server."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import cv2
import pytest

from ml_pipeline.synthetic import Scene, draw
from tests.web.conftest import SAMPLES

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.web.browsing import Tab, browser_program, launch, site, tab  # noqa: E402

pytestmark = pytest.mark.slow

PAGES = ["/", "/dermatologists/", "/model/", "/privacy/", "/nothing-here/"]
WIDTHS = {320: 640, 768: 1024, 1280: 800}
PAGE_LIMIT_BYTES = 150_000
LATENCY_MS = 900  # longer than the half second after a click in which shifts are forgiven

Open = Callable[..., AbstractContextManager[Tab]]


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Iterator[Open]:
    """What opens a tab with the options of a browser context."""
    program = browser_program()
    if program is None:
        pytest.skip("no browser is installed; install chromium")
    with site(tmp_path_factory.mktemp("site")) as server, playwright_api.sync_playwright() as playwright:
        browser = launch(playwright, program)
        yield partial(tab, browser, server, locale="en")
        browser.close()


@pytest.fixture
def here(opened: Open) -> Iterator[Tab]:
    """A tab on a desktop."""
    with opened(viewport={"width": 1280, "height": 800}) as page:
        yield page


@pytest.fixture
def large_photo(tmp_path: Path) -> Path:
    """A photo as a phone takes it, upright only by its EXIF."""
    rgb = draw(Scene(lesion="nv"), width_px=2000, height_px=1500, seed=3)
    _, encoded = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 97])
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    data = bytes(encoded)
    path = tmp_path / "large.jpg"
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    return path


def chosen_size(here: Tab) -> list[int]:
    """Width and height of the photo that would be sent."""
    return here.page.evaluate(
        "createImageBitmap(document.getElementById('image').files[0]).then((photo) => [photo.width, photo.height])"
    )


# Choosing


def test_photo_is_shown_judged_and_can_be_removed(here):
    here.open("/")
    here.choose("mel.jpg")
    assert here.page.inner_text("#hint") == "The photo looks sharp."
    here.page.get_by_role("button", name="Remove this photo").click()
    here.choose("blurred.jpg")
    assert here.page.locator("#photos img").count() == 1
    assert "blurred" in here.page.inner_text("#hint")
    here.page.get_by_role("button", name="Remove this photo").click()
    assert here.page.locator("#photos img").count() == 0
    assert here.page.evaluate("document.getElementById('image').files.length") == 0


def test_several_photos_of_one_spot_are_answered_together(here):
    here.open("/")
    here.choose("nv.jpg")
    here.choose("mel.jpg")
    assert here.page.evaluate("document.getElementById('image').files.length") == 2
    here.answer()
    assert here.page.locator(".look > img:first-child").count() == 2


@pytest.mark.parametrize(("kind", "target"), [("drop", "#drop"), ("paste", "body")])
def test_photo_can_be_dropped_and_pasted(here, kind, target):
    here.open("/")
    here.page.evaluate(
        """async ([kind, target, bytes]) => {
          const held = new DataTransfer();
          held.items.add(new File([new Uint8Array(bytes)], "photo.jpg", { type: "image/jpeg" }));
          const event = kind === "drop"
            ? new DragEvent("drop", { dataTransfer: held, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: held, bubbles: true });
          document.querySelector(target).dispatchEvent(event);
        }""",
        [kind, target, list((SAMPLES / "nv.jpg").read_bytes())],
    )
    here.page.wait_for_selector("#photos img")
    here.answer()


def test_file_that_is_no_photo_is_not_taken(here, tmp_path):
    (tmp_path / "letter.txt").write_text("no photo")
    here.open("/")
    here.page.set_input_files("#image", tmp_path / "letter.txt")
    here.page.get_by_text("This file is not a photo.").wait_for()
    assert here.page.evaluate("document.getElementById('image').files.length") == 0


def test_large_photo_is_shrunk_upright_and_a_small_one_is_sent_as_it_is(here, large_photo):
    here.open("/")
    here.choose(large_photo)
    assert chosen_size(here) == [1024, 1365]
    here.page.get_by_role("button", name="Remove this photo").click()
    here.choose("nv.jpg")
    assert here.page.evaluate("document.getElementById('image').files[0].size") == (SAMPLES / "nv.jpg").stat().st_size


def test_nothing_is_sent_without_a_photo(here):
    here.open("/")
    here.page.get_by_role("button", name="Analyse").click()
    assert here.page.evaluate("document.activeElement.id") == "image"
    assert here.page.locator(".verdict").count() == 0


# The answer


def test_journey_to_an_answer_with_its_heat_map_and_on_paper(here):
    here.open("/")
    here.choose("mel.jpg")
    here.page.get_by_text("About you and the spot").click()
    here.page.get_by_label("Age in years").fill("61")
    here.page.get_by_label("Where on the body").select_option("torso")
    here.answer()
    assert here.page.inner_text(".verdict h2") == "Melanoma"
    assert here.page.inner_text(".soon") == "See a dermatologist within days."
    assert here.page.evaluate("document.activeElement.textContent") == "Melanoma"
    assert here.page.locator(".bars li").count() == 8

    heat_map = here.page.locator(".look__map")
    assert not heat_map.is_visible()
    here.page.get_by_label("Show where the program looked").check()
    here.wait_for_picture(".look__map")
    assert heat_map.is_visible()
    here.page.get_by_label("Strength of the map").fill("40")
    assert heat_map.evaluate("(map) => getComputedStyle(map).opacity") == "0.4"
    assert here.inaccessible() == []

    here.page.emulate_media(media="print")
    assert here.page.locator(".verdict").is_visible()
    assert here.page.locator(".look img").first.is_visible()
    for unprinted in ("#analyse", "header", "[data-print]", "#places"):
        assert not here.page.locator(unprinted).is_visible(), unprinted


def test_blank_photo_is_answered_without_a_diagnosis(here):
    here.open("/")
    here.choose("plain_wall.jpg")
    here.answer()
    assert here.page.inner_text(".verdict h2") == "Photo not usable"
    assert here.page.locator(".bars, .look__map").count() == 0
    assert here.inaccessible() == []


def test_failing_network_loses_nothing_and_is_tried_again_with_the_same_key(here):
    keys = []
    here.page.on("request", lambda request: keys.append(request.headers.get("idempotency-key")))
    here.open("/")
    here.choose("nv.jpg")
    here.page.get_by_text("About you and the spot").click()
    here.page.get_by_label("Age in years").fill("44")
    keys.clear()
    here.page.route("**/*", lambda route: route.abort())
    here.page.get_by_role("button", name="Analyse").click()
    here.page.get_by_role("alert").wait_for()
    assert "connection failed" in here.page.inner_text("#answer")
    assert here.page.get_by_label("Age in years").input_value() == "44"
    assert here.page.locator("#photos img").count() == 1
    assert here.inaccessible() == []

    here.page.unroute("**/*")
    here.page.get_by_role("button", name="Try again").click()
    here.page.wait_for_selector(".verdict")
    first, second = keys[:2]
    assert first == second
    assert len(first) == 32
    assert all("ERR_FAILED" in error for error in here.errors)
    here.errors.clear()


def test_refusal_of_the_server_is_shown_in_its_words(here, tmp_path):
    (tmp_path / "broken.jpg").write_bytes((SAMPLES / "nv.jpg").read_bytes()[:2000])
    here.open("/")
    here.page.set_input_files("#image", tmp_path / "broken.jpg")
    here.page.wait_for_selector("#photos button")
    here.page.get_by_role("button", name="Analyse").click()
    here.page.get_by_role("alert").wait_for()
    assert "Send the whole file again." in here.page.inner_text("#answer")
    assert all("400" in error for error in here.errors)
    here.errors.clear()


def test_journey_by_keyboard_alone(here):
    here.open("/")
    reached = []
    for _step in range(40):
        here.page.keyboard.press("Tab")
        element = "document.activeElement"
        reached.append(here.page.evaluate(f"{element}.id || {element}.name || {element}.textContent.trim()"))
        outline = here.page.evaluate(f"getComputedStyle({element}).outlineStyle")
        assert outline != "none", reached
        if reached[-1] == "image":
            here.choose("nv.jpg")
        if reached[-1] == "consent":
            here.page.keyboard.press("Space")
        if reached[-1] == "Analyse":
            here.page.keyboard.press("Enter")
            break
    assert reached[0] == "Skip to the content"
    assert [name for name in reached if name in ("image", "consent", "Analyse")] == ["image", "consent", "Analyse"]
    here.page.wait_for_selector(".verdict")
    here.page.keyboard.press("Tab")
    assert here.page.evaluate("document.activeElement.className") == "figure__toggle"
    here.page.keyboard.press("Space")
    assert here.page.locator(".look__map").is_visible()


def test_journey_without_javascript(opened):
    with opened(java_script_enabled=False, viewport={"width": 320, "height": 640}) as here:
        here.open("/")
        assert here.page.locator(".scripted").evaluate_all("all => all.filter(each => each.offsetParent).length") == 0
        here.page.set_input_files("#image", SAMPLES / "mel.jpg")
        here.page.get_by_text("About you and the spot").click()
        here.page.get_by_label("Age in years").fill("61")
        here.page.get_by_role("button", name="Analyse").click()
        assert here.page.inner_text(".verdict h2") == "Melanoma"
        assert here.page.get_by_label("Age in years").input_value() == "61"
        here.page.get_by_label("Show where the program looked").check()
        assert here.page.locator(".look__map").is_visible()
        assert here.overflow_px() == 0
        here.page.get_by_label("City").fill("Nowhere")
        here.page.get_by_role("button", name="Search").click()
        assert here.page.get_by_role("link", name="Search on a map").is_visible()


# Finding a dermatologist


def test_location_is_asked_for_on_a_click_only(opened):
    place = {"latitude": 48.2082, "longitude": 16.3738}
    with opened(geolocation=place, permissions=["geolocation"]) as here:
        here.open("/")
        here.choose("nv.jpg")
        here.answer()
        assert here.watched("locations") == 0
        here.page.get_by_role("button", name="Use my location").click()
        link = here.page.get_by_role("link", name="Search on a map")
        link.wait_for()
        assert here.watched("locations") == 1
        assert "48.21%2C16.37" in (link.get_attribute("href") or "")
        assert here.page.locator(".verdict").is_visible()


def test_location_that_is_refused_falls_back_to_the_city(opened):
    with opened(permissions=[]) as here:
        here.open("/dermatologists/")
        here.page.get_by_role("button", name="Use my location").click()
        here.page.get_by_text("Enter a city instead.").wait_for()
        assert here.page.evaluate("document.activeElement.id") == "city"


# Every page


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(320, "light", "es"), (768, "dark", "en"), (1280, "light", "en")]
)
def test_pages_are_accessible_and_fit(opened, width, scheme, language, tmp_path):
    """SKIN_SCREENSHOTS names a folder in which their pictures are kept, to be looked at."""
    pictures = Path(os.environ.get("SKIN_SCREENSHOTS", tmp_path))
    options = {"viewport": {"width": width, "height": WIDTHS[width]}, "color_scheme": scheme, "locale": language}
    with opened(**options) as here:
        for path in PAGES:
            page = here.open(path)
            assert here.inaccessible() == [], path
            assert here.overflow_px() == 0, path
            name = path.strip("/") or "analyse"
            page.screenshot(path=pictures / f"{name}-{language}-{width}-{scheme}.png", full_page=True)
        here.open("/")
        here.choose("mel.jpg")
        here.page.locator("#analyse > button").click()
        here.page.wait_for_selector(".verdict")
        here.page.wait_for_load_state("networkidle")
        assert here.inaccessible() == []
        assert here.overflow_px() == 0
        here.page.screenshot(path=pictures / f"answer-{language}-{width}-{scheme}.png", full_page=True)
        assert all("404" in error for error in here.errors)  # of the page that is nowhere
        here.errors.clear()


@pytest.mark.parametrize("path", PAGES)
def test_page_weighs_little(here, path):
    sizes = {}

    def weigh(request) -> None:
        if "/plots/" not in request.url:  # a figure, loaded when it is scrolled to
            measured = request.sizes()
            sizes[request.url] = measured["responseBodySize"] + measured["responseHeadersSize"]

    here.page.on("requestfinished", weigh)
    here.open(path)
    here.errors.clear()
    assert len(sizes) >= 3
    assert sum(sizes.values()) < PAGE_LIMIT_BYTES


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_jumps_when_the_answer_arrives(opened, width):
    with opened(viewport={"width": width, "height": WIDTHS[width]}, reduced_motion="reduce") as here:
        here.open("/")
        network = here.page.context.new_cdp_session(here.page)
        network.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": LATENCY_MS, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        here.choose("mel.jpg")
        here.page.get_by_role("button", name="Analyse").click()
        here.page.wait_for_selector("progress")
        here.page.wait_for_selector(".verdict")
        here.wait_for_picture(".look img >> nth=0")
        here.page.wait_for_load_state("networkidle")
        assert [value for value, had_input, _time in here.watched("shifts") if not had_input] == []


def test_swagger_keeps_the_policy_also_when_a_route_is_opened(here):
    here.open("/api/docs/")
    here.page.locator(".opblock-summary-control").first.click()
    here.page.wait_for_selector(".opblock-body")


def test_login_of_the_administration_keeps_the_policy(here):
    here.open("/admin/login/")
    assert here.page.locator("#login-form").is_visible()


def test_redoc_keeps_the_policy_but_for_its_makers_logo(here):
    here.open("/api/redoc/")
    here.page.get_by_role("heading", name="Skin lesion API").first.wait_for()
    assert all("cdn.redoc.ly" in error for error in [*here.errors, *here.watched("violations")])
    here.errors.clear()
    here.page.evaluate("watched.violations.length = 0")
