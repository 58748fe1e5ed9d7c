"""One real server for all hostile files, and good photos that must succeed after each of them."""

from collections.abc import Iterator

import pytest

from benchmarks.serving import Server, running_server
from tests.hostile.scenes import plain


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker, so that its memory and its life can be watched."""
    with running_server(tmp_path_factory.mktemp("hostile"), WEB_CONCURRENCY="1") as running:
        running.post_photo(plain("JPEG"))
        yield running


@pytest.fixture(scope="session")
def worker_pid(server: Server) -> int:
    """The only worker; it must be the same one from the first test to the last."""
    (pid,) = server.worker_pids()
    return pid
