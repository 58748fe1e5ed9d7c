"""End to end in a browser: description and file of the server, LiteRT.js in Chromium, probabilities to 1e-3."""

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from ml_models.classifier import Classifier
from ml_pipeline.synthetic import Scene, draw
from tests.typescript.conftest import FOLDER, PATIENCE_S, ROOT, run

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZES = [(600, 450), (121, 97), (977, 201)]


@pytest.fixture
def browser() -> str:
    """The program; the test is skipped where it or LiteRT.js is absent."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser is installed; install one of {', '.join(BROWSERS)}")
    if not (FOLDER / "node_modules" / "@litertjs" / "core").is_dir():
        pytest.skip(f"LiteRT.js is not installed; run: npm ci --prefix {FOLDER.relative_to(ROOT)}")
    return found


class Site(SimpleHTTPRequestHandler):
    """A folder, and one address to which the page sends what it found."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript", ".wasm": "application/wasm"}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.answers.put(json.loads(body))  # type: ignore[attr-defined]

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=str(folder))) as site:
        site.answers = queue.SimpleQueue()  # type: ignore[attr-defined]
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()


def write_site(folder: Path, node: str, photos: list[Any]) -> None:
    """Everything that the page asks for, the model as the server gives it."""
    run(node, str(FOLDER / "node_modules/typescript/bin/tsc"), "-p", "on_device", "--outDir", str(folder / "on_device"),
        folder=ROOT)  # fmt: skip
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    shutil.copy(FOLDER / "in_browser.html", folder)
    description = Client().get("/api/model/on-device/").json()
    (folder / "description.json").write_text(json.dumps(description))
    (folder / "model.tflite").write_bytes(Client().get(description["file"]["url"]).getvalue())
    listed = []
    for index, rgb in enumerate(photos):
        (folder / f"{index}.rgb").write_bytes(rgb.tobytes())
        listed.append({"file": f"/{index}.rgb", "width": rgb.shape[1], "height": rgb.shape[0]})
    (folder / "photos.json").write_text(json.dumps(listed))


def test_browser_answers_as_the_server(node: str, browser: str, shipped_classifier: Classifier, tmp_path: Path):
    photos = [draw(Scene(lesion="mel"), width_px=w, height_px=h, seed=seed) for seed, (w, h) in enumerate(SIZES)]
    site_folder = tmp_path / "site"
    site_folder.mkdir()
    write_site(site_folder, node, photos)
    with served(site_folder) as site:
        page = f"http://127.0.0.1:{site.server_port}/in_browser.html"
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        # The page is our own: a container's root has no sandbox.
        running = subprocess.Popen(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", profile, page],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            answers = site.answers.get(timeout=PATIENCE_S)  # type: ignore[attr-defined]
        finally:
            running.terminate()
            running.wait(timeout=PATIENCE_S)
    assert "error" not in answers, answers
    for photo, answer in zip(photos, answers, strict=True):
        expected = shipped_classifier.classify(photo)
        assert answer["probabilities"] == pytest.approx(expected.probabilities, abs=1e-3)
        assert answer["decision"]["diagnosis"] == expected.decision.diagnosis
        assert answer["decision"]["advice"] == expected.decision.advice
