"""The app's journey against the real server: gunicorn, sockets, and codes read where its operator would read them."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from benchmarks.serving import Server, running_server
from tests.contract.app import PHONES, Answer, App
from tests.contract.conftest import PERSON

pytestmark = pytest.mark.slow

PATIENCE_S = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("contract"), WEB_CONCURRENCY="1") as running:
        yield running


@pytest.fixture
def send(server: Server) -> Callable[..., Answer]:
    """Bytes over a socket; instead of `send` of the other tests."""

    def over_a_socket(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        response = server.request(method, path, body, headers)
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, response.body)

    return over_a_socket


def code_in_the_log(server: Server, to: str) -> str:
    """The latest code for an address in what the server prints instead of sending."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        messages = re.findall(rf"{re.escape(to)}.*?Your code is (\d{{6}})\b", server.log.read_text(), re.DOTALL)
        if messages:
            return str(messages[-1])
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(timeout=0.05)
    raise AssertionError(f"no code for {to} in the log")


@pytest.mark.parametrize("kind", PHONES)
def test_journey_of_the_app(server: Server, send: Callable[..., Answer], kind: str, lesion_jpeg: bytes):
    """From registering to deleting a scan, as one person does it."""
    app = App(send, PHONES[kind]())
    number = list(PHONES).index(kind)
    person = {**PERSON, "email": f"{kind}@example.org", "phone": f"+35262112345{number}"}

    shown = app.predict(lesion_jpeg).json()
    assert shown["severity"] in {"Low", "Moderate", "High"}
    assert app.register(**person).ok
    assert app.login(person["email"].upper(), person["password"]).ok
    assert app.send_code("email").ok
    assert app.verify_code("email", code_in_the_log(server, person["email"])).ok
    assert app.send_code("phone").ok
    assert app.verify_code("phone", code_in_the_log(server, f"SMS to {person['phone']}")).ok
    profile = app.profile().json()
    assert (profile["email_verified"], profile["phone_verified"]) == (True, True)

    saved = app.save_scan(lesion_jpeg, shown).json()
    assert saved["server"]["id"] == shown["id"]
    assert saved["mismatch"] is None
    (scan,) = app.scans().json()
    assert urlsplit(scan["image"]).netloc == f"127.0.0.1:{server.port}"
    assert app.open_image(scan["image"]).body.startswith(b"\xff\xd8\xff")
    assert app.scan_pdf(scan["id"]).body.startswith(b"%PDF-")
    assert app.chat(message="hi", disease=shown["diagnosis"], trigger="scan_result", severity=shown["severity"]).ok
    assert app.nearby(diagnosis=shown["diagnosis"], lat=48.2, lon=16.4).json()["hospitals"] == []
    assert app.delete_scan(scan["id"]).ok
    assert app.scans().json() == []
    assert app.open_image(scan["image"]).status == 404
