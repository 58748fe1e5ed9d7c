"""The real server in a folder of its own: started, asked over sockets, its memory read, killed."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PREDICT_PATH = "/api/predict/skin-disease/"
BOUNDARY = "----skin"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
_CHUNK_BYTES = 65_536
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as the app reads it."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn, in a process group of its own, and where it keeps its data and its log."""

    process: subprocess.Popen[bytes]
    port: int
    data_dir: Path
    log: Path

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = False,
        timeout_s: float = _PATIENCE_S,
    ) -> Answer:
        """Send one request over a socket of its own; `chunked` sends the body without its length."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        pieces = (body[start : start + _CHUNK_BYTES] for start in range(0, len(body), _CHUNK_BYTES))
        try:
            connection.request(method, path, pieces if chunked else body, dict(headers or {}), encode_chunked=chunked)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def post_photo(
        self, photo: bytes, *, chunked: bool = False, timeout_s: float = _PATIENCE_S, **fields: str
    ) -> Answer:
        """Post a photo as the phone app does."""
        headers = {"Content-Type": FORM_TYPE}
        body = form_body(photo, **fields)
        return self.request("POST", PREDICT_PATH, body, headers, chunked=chunked, timeout_s=timeout_s)

    def worker_pids(self) -> list[int]:
        """The processes that answer; gunicorn's first process only watches them."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def kill(self) -> None:
        """End every process at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def form_body(photo: bytes, **fields: str) -> bytes:
    """A multipart form with the photo last."""
    texts = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head = (
        f'{texts}--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="skin.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()


def serving_environment(data_dir: Path, **variables: str) -> dict[str, str]:
    """What a server is started with, and nothing else of the caller's environment; all load comes from one address."""
    inherited = {name: os.environ[name] for name in ("PATH", "MODEL_ARTEFACT") if name in os.environ}
    unlimited = {"THROTTLE_PREDICT_ADDRESS": "", "THROTTLE_API_ADDRESS": ""}
    return {**inherited, "SKIN_PROFILE": "local", "DATA_DIR": str(data_dir), **unlimited, **variables}


@contextmanager
def running_server(folder: Path, **variables: str) -> Iterator[Server]:
    """A server over its own migrated database in `folder`, ready to answer; `variables` are settings.

    A folder that was used before is taken up again. Raises RuntimeError with the server's log when it does not start.
    """
    port, log, data_dir = _free_port(), folder / "server.log", folder / "data"
    environment = serving_environment(data_dir, PORT=str(port), **variables)
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=environment, check=True, timeout=_PATIENCE_S)  # noqa: S603 - our own
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "skin_disease/gunicorn.conf.py"]
    with (
        log.open("ab") as output,
        subprocess.Popen(  # noqa: S603 - our own
            gunicorn, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        ) as process,
    ):
        try:
            _wait_until_ready(server := Server(process, port, data_dir, log))
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=_PATIENCE_S)


def resident_bytes(pid: int) -> int:
    """Memory that a process holds now."""
    return _status_bytes(pid, "VmRSS")


def peak_bytes(pid: int) -> int:
    """The most memory that a process has held since `forget_peak`, or since its start."""
    return _status_bytes(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Begin a new measurement of the peak: proc_pid_clear_refs(5), value 5."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status_bytes(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and server.process.poll() is None:
        with suppress(ConnectionError):
            if server.request("GET", "/readyz").status == HTTPStatus.OK:
                return
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(timeout=0.02)
    raise RuntimeError(f"The server did not become ready; its log ends:\n{server.log.read_text()[-4000:]}")
