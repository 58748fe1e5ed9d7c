"""The access log: one line for one request, and nothing in it that opens a photo."""

import runpy
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from benchmarks.serving import ROOT


@pytest.fixture
def logged() -> Any:
    """The path that is logged for a request target."""
    logger = runpy.run_path(str(ROOT / "skin_disease" / "gunicorn.conf.py"))["OneLineLogger"](Config())
    response = SimpleNamespace(status="200 OK", sent=0, headers=[])
    request = SimpleNamespace(headers=[])

    def path_of(target: str) -> str:
        environ = {"RAW_URI": target, "REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1"}
        took = SimpleNamespace(seconds=0, microseconds=0)
        return logger.atoms(response, request, environ, took)["U"]

    return path_of


@pytest.mark.parametrize("folder", ["photos", "explanations"])
def test_access_log_leaves_signatures_out(logged, folder: str):
    assert logged(f"/api/{folder}/s3f2a.498713:M5XXKuAY6l21/") == f"/api/{folder}/..."


def test_access_log_leaves_queries_out(logged):
    assert logged("/api/predictions/?label=mel") == "/api/predictions/"


def test_access_log_keeps_a_line_one_line(logged):
    assert logged("/api/%0Aforged") == "/api/%0Aforged"
