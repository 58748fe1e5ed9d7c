"""The real server, as `scripts/serve` starts it: gunicorn, its configuration, sockets and signals."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

pytestmark = pytest.mark.slow

ROOT = settings.BASE_DIR
PATIENCE_S = 60
BOUNDARY = "----skin"


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn and where it writes."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send one request over a socket of its own; status and the whole body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def post_photo(self, photo: bytes, *fields: str) -> tuple[int, dict]:
        """Post a photo as the phone app does, and read the answer as it does."""
        parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\ntrue\r\n' for name in fields]
        head = (
            f'{"".join(parts)}--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="skin.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        status, answer = self.request("POST", "/api/predict/skin-disease/", body, headers)
        return status, json.loads(answer)


def serving_environment(data_dir: Path, **variables: str) -> dict[str, str]:
    """What a server is started with, and nothing of the environment of the tests."""
    return {
        "PATH": os.environ["PATH"],
        "SKIN_PROFILE": "local",
        "DATA_DIR": str(data_dir),
        "MODEL_ARTEFACT": str(settings.MODEL_ARTEFACT),
        **variables,
    }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """A server over its own migrated database, with two workers and a limit of 2 MiB."""
    port, log = free_port(), folder / "server.log"
    environment = serving_environment(
        folder / "data", PORT=str(port), WEB_CONCURRENCY="2", MAX_UPLOAD_BYTES=str(2 * 2**20)
    )
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=environment, check=True, timeout=PATIENCE_S)
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "skin_disease/gunicorn.conf.py"]
    with (
        log.open("wb") as output,
        subprocess.Popen(gunicorn, cwd=ROOT, env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            wait_until_ready(server := Server(process, port, log))
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=PATIENCE_S)


def wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and server.process.poll() is None:
        with suppress(ConnectionError):
            if server.request("GET", "/readyz")[0] == 200:
                return
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(timeout=0.1)
    pytest.fail(f"the server is not ready; its log:\n{server.log.read_text()[-4000:]}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def photo() -> bytes:
    return (ROOT / "sample_images" / "mel.jpg").read_bytes()


def test_server_answers_a_photo(server: Server, photo: bytes):
    status, answer = server.post_photo(photo)
    assert (status, answer["isSafe"], len(answer["probabilities"])) == (200, False, 8)


def test_server_answers_eight_clients_at_once_alike(server: Server, photo: bytes):
    def post(_client: int) -> list[tuple[int, dict]]:
        return [server.post_photo(photo) for _ in range(4)]

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for several in pool.map(post, range(8)) for answer in several]
    assert [status for status, _ in answers] == [200] * 32
    assert len({answer["id"] for _, answer in answers}) == 32
    assert all(answer["probabilities"] == answers[0][1]["probabilities"] for _, answer in answers)


def test_server_explanation_opens_without_header(server: Server, photo: bytes):
    _, answer = server.post_photo(photo, "explain")
    address = urlsplit(answer["explanation_url"])
    assert address.netloc == f"127.0.0.1:{server.port}"
    assert server.request("GET", address.path)[1].startswith(b"\x89PNG")


def test_server_oversize_upload_can_read_its_413(server: Server):
    """Answered before the body is drained, the client would see a reset connection."""
    status, answer = server.post_photo(bytes(30 * 2**20))
    assert (status, answer["code"]) == (413, "photo_too_large")


def test_server_body_that_nobody_read_is_not_taken_for_the_next_request(server: Server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/predict", b"GET /readyz HTTP/1.1\r\n\r\n" * 1000, headers)
    refused = connection.getresponse()
    refused.read()
    connection.request("GET", "/healthz")
    answered = connection.getresponse()
    body = answered.read()
    connection.close()
    assert (refused.status, answered.status, body) == (415, 200, b'{"status":"ok"}')


def test_server_error_is_json(server: Server):
    status, body = server.request("GET", "/api/nothing")
    assert (status, json.loads(body)["code"]) == (404, "not_found")


def test_server_sigterm_ends_it_with_0(tmp_path: Path):
    with running_server(tmp_path) as running:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=PATIENCE_S) == 0


def test_server_without_model_starts_and_is_not_ready(tmp_path: Path):
    """A restart must not fail because a disk with models is late: the process says what it lacks."""
    program = (
        "from skin_disease.wsgi import application\n"
        "from django.test import Client\n"
        "from api import ml_state\n"
        "ml_state.warm_up()\n"
        "print(Client(headers={'Host': 'localhost'}).get('/readyz').status_code)"
    )
    environment = serving_environment(tmp_path) | {"MODEL_ARTEFACT": str(tmp_path / "nowhere")}
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert finished.stdout == "503\n"


def test_server_worker_imports_no_training_library(tmp_path: Path):
    """TensorFlow takes seconds and 500 MB; after a whole answer it must still not be there."""
    program = (
        "import sys, pathlib\n"
        "from skin_disease.wsgi import application\n"
        "from django.core.files.uploadedfile import SimpleUploadedFile\n"
        "from api import ml_state, ml_utils\n"
        "ml_state.warm_up()\n"
        "photo = SimpleUploadedFile('skin.jpg', pathlib.Path('sample_images/mel.jpg').read_bytes())\n"
        "print(ml_utils.classify_upload(photo, explain=True).classification.decision.label)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=serving_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    label, modules = finished.stdout.splitlines()
    assert label != "None"
    assert {"tensorflow", "keras", "torch", "sklearn", "matplotlib"} & set(modules.split()) == set()
