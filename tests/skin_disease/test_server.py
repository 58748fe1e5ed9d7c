"""The real server, as `scripts/serve` starts it: gunicorn, its configuration, sockets and signals."""

import http.client
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.serving import ROOT, Answer, Server, running_server, serving_environment

pytestmark = pytest.mark.slow

PATIENCE_S = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers and a limit of 2 MiB."""
    variables = {"WEB_CONCURRENCY": "2", "MAX_UPLOAD_BYTES": str(2 * 2**20)}
    with running_server(tmp_path_factory.mktemp("server"), **variables) as running:
        yield running


@pytest.fixture(scope="module")
def photo() -> bytes:
    return (ROOT / "sample_images" / "mel.jpg").read_bytes()


def test_server_answers_a_photo(server: Server, photo: bytes):
    response = server.post_photo(photo)
    answer = response.json()
    assert (response.status, answer["isSafe"], len(answer["probabilities"])) == (200, False, 8)


def test_server_answers_eight_clients_at_once_alike(server: Server, photo: bytes):
    def post(_client: int) -> list[Answer]:
        return [server.post_photo(photo) for _ in range(4)]

    with ThreadPoolExecutor(8) as pool:
        responses = [response for several in pool.map(post, range(8)) for response in several]
    assert [response.status for response in responses] == [200] * 32
    answers = [response.json() for response in responses]
    assert len({answer["id"] for answer in answers}) == 32
    assert all(answer["probabilities"] == answers[0]["probabilities"] for answer in answers)


def test_server_explanation_opens_without_header(server: Server, photo: bytes):
    address = urlsplit(server.post_photo(photo, explain="true").json()["explanation_url"])
    assert address.netloc == f"127.0.0.1:{server.port}"
    assert server.request("GET", address.path).body.startswith(b"\x89PNG")


def test_server_oversize_upload_can_read_its_413(server: Server):
    """Answered before the body is drained, the client would see a reset connection."""
    response = server.post_photo(bytes(30 * 2**20))
    assert (response.status, response.json()["code"]) == (413, "photo_too_large")


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
    response = server.request("GET", "/api/nothing")
    assert (response.status, response.json()["code"]) == (404, "not_found")


def test_server_sigterm_ends_it_with_0(tmp_path: Path):
    with running_server(tmp_path) as running:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=PATIENCE_S) == 0


def test_server_without_model_starts_and_is_not_ready(tmp_path: Path):
    """A restart must not fail because a disk with models is late: the process says what it lacks."""
    program = (
        "from skin_disease.asgi import application\n"
        "from django.test import Client\n"
        "from api.switching import watch\n"
        "watch.start()\n"
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
        "from skin_disease.asgi import application\n"
        "from django.core.files.uploadedfile import SimpleUploadedFile\n"
        "from django.core.management import call_command\n"
        "from api import ml_utils\n"
        "from api.switching import watch\n"
        "from ml_models.patient import NOBODY\n"
        "call_command('migrate', verbosity=0)\n"
        "watch.start()\n"
        "photo = SimpleUploadedFile('skin.jpg', pathlib.Path('sample_images/mel.jpg').read_bytes())\n"
        "print(ml_utils.classify_uploads([photo], patient=NOBODY, explain=True).classification.decision.label)\n"
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
