"""Switching on the real server with two workers while four clients ask without a pause."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.serving import ROOT, Server, resident_bytes, running_server, serving_environment
from ml_models.labels import CODES
from ml_models.shipped import SHIPPED_MODEL
from tests.artefacts import digest_of, model_called

pytestmark = pytest.mark.slow

CLIENTS = 4
WORKERS = 2
PATIENCE_S = 60
LIMIT_S = 60.0
SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer under load, and when it was asked for."""

    asked_at_s: float
    status: int
    body: Any


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models: dict[str, Path]) -> Iterator[Server]:
    """Two workers, whose MODEL_DIR holds `left` and `right`, and `fragile`, which a test may break."""
    folder = tmp_path_factory.mktemp("switching")
    model_called("fragile", folder / "data" / "models" / "fragile")
    for name, source in models.items():
        shutil.copytree(source, folder / "data" / "models" / name)
    with running_server(folder, WEB_CONCURRENCY=str(WORKERS)) as running:
        yield running


@pytest.fixture(scope="module")
def photo() -> bytes:
    return (ROOT / "sample_images" / "mel.jpg").read_bytes()


@pytest.fixture(scope="module")
def names(models: dict[str, Path]) -> dict[str, str]:
    """Which model a digest stands for."""
    folders = {SHIPPED: SHIPPED_MODEL, **models}
    return {digest_of(folder): name for name, folder in folders.items()}


@pytest.fixture(autouse=True)
def shipped_model_answers(server: Server) -> None:
    """In every worker at the beginning of each test, whatever the one before has left."""
    done = manage(server, "activate_model", SHIPPED)
    assert done.returncode == 0, done.stderr
    begun, ready = time.monotonic(), 0
    while ready < 8 * WORKERS:  # connections meet the workers by chance
        assert time.monotonic() < begun + PATIENCE_S
        ready = ready + 1 if server.request("GET", "/readyz").json() == {"status": "ready"} else 0


@pytest.fixture
def load(server: Server, photo: bytes) -> Iterator[list[Answered]]:
    """Answers as they come, until the test ends."""
    answers: list[Answered] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            asked_at_s = time.monotonic()
            answer = server.post_photo(photo)
            answers.append(Answered(asked_at_s, answer.status, answer.json()))

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(ask) for _ in range(CLIENTS)]
        try:
            yield answers
        finally:
            stop.set()
    for client in clients:
        client.result()


def manage(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    environment = serving_environment(server.data_dir)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def switch(server: Server, *words: str, digest: str) -> float:
    """Run the command and wait until every worker says that it answers with this model; gives the seconds it took."""
    told_before = _times_live(server, digest)
    done = manage(server, *words)
    assert done.returncode == 0, done.stderr
    return wait_until(lambda: _times_live(server, digest) >= told_before + WORKERS)


def make_active_unverified(server: Server, name: str) -> None:
    """Flip the rows past the service that would verify the folder."""
    program = (
        "import django; django.setup()\n"
        "from django.utils import timezone\n"
        "from api.switching.models import ModelVersion\n"
        "ModelVersion.objects.filter(state='active').update(state='retired')\n"
        f"ModelVersion.objects.filter(name='{name}').update(state='active', activated_at=timezone.now())"
    )
    environment = serving_environment(server.data_dir) | {"DJANGO_SETTINGS_MODULE": "skin_disease.settings"}
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True)


def wait_until(holds: Callable[[], bool]) -> float:
    """The seconds that it took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() < begun + PATIENCE_S
        time.sleep(0.05)
    return time.monotonic() - begun


def _times_live(server: Server, digest: str) -> int:
    return server.log.read_text().count(f"({digest}) is live")


def assert_unmixed(answer: Answered, names: dict[str, str]) -> None:
    """Name, classes and ranking are of the model whose digest the answer states."""
    model, probabilities = answer.body["model"], answer.body["probabilities"]
    name = names[model["digest"]]
    codes = list(CODES) if name == SHIPPED else [f"{name}-{code}" for code in CODES]
    assert list(probabilities) == codes
    assert {each["label"] for each in answer.body["top_k"]} <= set(codes)
    assert answer.body["label"] in codes
    assert name == SHIPPED or model["name"] == name


def test_switches_under_load_fail_no_answer_and_mix_none(server: Server, load: list[Answered], names: dict[str, str]):
    digests = {name: digest for digest, name in names.items()}
    steps = [
        ("left", ["activate_model", "left", "--force", "--why", "a test"]),
        ("right", ["activate_model", "right", "--force", "--why", "a test"]),
        ("left", ["rollback_model"]),
        (SHIPPED, ["activate_model", "shipped"]),
    ]
    settled = []
    for name, words in steps:
        asked = time.monotonic()
        took_s = switch(server, *words, digest=digests[name])
        assert took_s < LIMIT_S
        settled.append((name, asked, time.monotonic()))
        enough = len(load) + 40
        wait_until(lambda enough=enough: len(load) >= enough)
    answers = list(load)
    assert {answer.status for answer in answers} == {200}
    for answer in answers:
        assert_unmixed(answer, names)
    ends = [asked for _, asked, _ in settled[1:]] + [time.monotonic()]
    for (name, _, since), until in zip(settled, ends, strict=True):
        between = {names[a.body["model"]["digest"]] for a in answers if since < a.asked_at_s < until}
        assert between == {name}


def test_model_and_on_device_routes_follow_the_switch(server: Server, names: dict[str, str]):
    digests = {name: digest for digest, name in names.items()}
    switch(server, "activate_model", "left", "--force", "--why", "a test", digest=digests["left"])
    for _ in range(4 * WORKERS):
        assert server.request("GET", "/api/model/").json()["digest"] == digests["left"]
        assert server.request("GET", "/api/model/on-device/").json()["model"]["digest"] == digests["left"]


def test_active_folder_that_breaks_before_the_workers_read_it_leaves_the_old_model_and_turns_yellow(
    server: Server, photo: bytes, names: dict[str, str]
):
    """The activation verified it, then the share lost it: a race that no lock can exclude."""
    digests = {name: digest for digest, name in names.items()}
    folder = server.data_dir / "models" / "fragile"
    fragile = digest_of(folder)
    switch(server, "activate_model", "fragile", "--force", "--why", "a test", digest=fragile)
    switch(server, "activate_model", "left", "--force", "--why", "a test", digest=digests["left"])
    kept = shutil.move(folder, server.data_dir / "kept")
    make_active_unverified(server, "fragile")
    wait_until(lambda: server.log.read_text().count(f"The model in {folder} cannot go live") >= WORKERS)
    for _ in range(4 * WORKERS):
        answer = server.post_photo(photo)
        assert (answer.status, answer.json()["model"]["digest"]) == (200, digests["left"])
        ready = server.request("GET", "/readyz")
        assert (ready.status, ready.json()["status"]) == (200, "degraded")
    told = _times_live(server, fragile)
    shutil.move(kept, folder)
    wait_until(lambda: _times_live(server, fragile) == told + WORKERS)
    assert server.request("GET", "/readyz").json() == {"status": "ready"}


def test_switching_to_and_fro_keeps_no_old_model_in_memory(server: Server, names: dict[str, str]):
    digests = {name: digest for digest, name in names.items()}
    sizes = []
    for name in ("left", "right") * 4:
        switch(server, "activate_model", name, "--force", "--why", "a test", digest=digests[name])
        sizes.append(max(resident_bytes(pid) for pid in server.worker_pids()))
    assert sizes[-1] - sizes[1] < 40 * 2**20  # one model with two interpreters takes about that much
