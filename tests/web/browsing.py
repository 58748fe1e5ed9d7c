"""A browser that notices what a person would not: errors of the console, broken policy, things that jump."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright

from benchmarks.serving import Server, running_server, serving_environment
from tests.web.conftest import ROOT, SAMPLES

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WCAG_22_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Runs before the page's own scripts.
_WATCH = """
window.watched = { violations: [], shifts: [], locations: 0 };
addEventListener("securitypolicyviolation", (event) => {
  watched.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) watched.shifts.push([entry.value, entry.hadRecentInput, entry.startTime]);
}).observe({ type: "layout-shift", buffered: true });
const locate = navigator.geolocation.getCurrentPosition.bind(navigator.geolocation);
navigator.geolocation.getCurrentPosition = (...args) => { watched.locations += 1; locate(...args); };
"""


@dataclass(slots=True)
class Tab:
    """One page of the site, and every error that it has made."""

    page: Page
    site: str
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page and wait until its scripts and files are there."""
        self.page.goto(self.site + path, wait_until="networkidle")
        return self.page

    def choose(self, sample: str | Path) -> None:
        """Choose a sample image, or any file, and wait until it is shown and in the field."""
        self.page.set_input_files("#image", SAMPLES / sample)
        self.page.wait_for_selector("#photos img")

    def answer(self) -> None:
        """Press the button and wait for the verdict."""
        self.page.get_by_role("button", name="Analyse").click()
        self.page.wait_for_selector(".verdict")

    def wait_for_picture(self, selector: str) -> None:
        """Wait until a picture has loaded. What polls with a text of code is kept out by the page's policy."""
        self.page.locator(selector).evaluate("(it) => it.naturalWidth || new Promise((done) => { it.onload = done; })")

    def watched(self, name: str) -> Any:
        """What the page has seen of itself: `violations`, `shifts`, `locations`."""
        return self.page.evaluate(f"watched.{name}")

    def inaccessible(self) -> list[str]:
        """Violations of WCAG 2.2 A and AA that axe-core finds, with where they are."""
        results = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": WCAG_22_AA}})
        return [
            f"{violation['id']}: {node['html']} {node['failureSummary']}"
            for violation in results.response["violations"]
            for node in violation["nodes"]
        ]

    def overflow_px(self) -> int:
        """By how much the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def browser_program() -> str | None:
    """The installed Chromium, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def launch(playwright: Playwright, program: str) -> Browser:
    """A browser without a sandbox, which a container's root has not; it opens our own pages alone."""
    return playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])


@contextmanager
def site(folder: Path) -> Iterator[Server]:
    """The real server with its static files, as `scripts/serve` starts it."""
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        cwd=ROOT,
        env=serving_environment(folder / "data"),
        check=True,
    )
    with running_server(folder, WEB_CONCURRENCY="1", THROTTLE_API_ADDRESS="") as server:
        yield server


@contextmanager
def tab(browser: Browser, server: Server, **options: Any) -> Iterator[Tab]:
    """A fresh tab, whose errors fail the test at its end; `options` are those of a browser context."""
    context = browser.new_context(**options)
    context.set_default_timeout(60_000)
    opened = Tab(context.new_page(), f"http://127.0.0.1:{server.port}")
    opened.page.add_init_script(_WATCH)
    opened.page.on("console", lambda message: _note(opened, message))
    opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
    try:
        yield opened
        assert opened.errors == []
        if options.get("java_script_enabled", True):
            assert opened.watched("violations") == []
    finally:
        context.close()


def _note(opened: Tab, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        opened.errors.append(message.text)
