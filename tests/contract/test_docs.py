"""What docs/api.md promises: its list of codes is the code's, and its commands run."""

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import rest_framework_simplejwt.authentication
from rest_framework import exceptions

from benchmarks.serving import ROOT, running_server
from ml_models import errors

PAGE = ROOT / "docs" / "api.md"
# REST framework's codes that no answer of ours has: `error` is its base class, and every view has one format.
NEVER_ANSWERED = {"error", "not_acceptable"}


def documented_codes() -> list[str]:
    return re.findall(r"^\| `(\w+)` \| \d{3} \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def own_codes() -> Iterator[str]:
    """Codes that our own code writes: of exception classes, and in calls that word an error."""
    for room in ("accounts", "api", "skin_disease"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "default_code":
                    yield ast.literal_eval(node.value)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    place = {"error_body": 1, "_answer": 1, "Refusal": 1}.get(node.func.id)
                    code = node.args[place] if place is not None and len(node.args) > place else None
                    if isinstance(code, ast.Constant) and isinstance(code.value, str):
                        yield code.value


def framework_codes() -> Iterator[str]:
    for kind in vars(exceptions).values():
        if isinstance(kind, type) and issubclass(kind, exceptions.APIException):
            yield kind.default_code
    yield from re.findall(r'code="(\w+)"', Path(rest_framework_simplejwt.authentication.__file__).read_text())


def model_codes() -> Iterator[str]:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.SkinModelError):
            yield kind.code


def test_docs_list_every_code_once():
    codes = {*own_codes(), *framework_codes(), *model_codes()} - NEVER_ANSWERED
    assert sorted(documented_codes()) == sorted(codes)


@pytest.mark.slow
def test_docs_commands_run(tmp_path: Path):
    bash, curl = shutil.which("bash"), shutil.which("curl")
    if not (bash and curl):
        pytest.skip("the commands need bash and curl")
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
    (tmp_path / "sample_images").symlink_to(ROOT / "sample_images")
    folder = tmp_path / "server"
    folder.mkdir()
    with running_server(folder, WEB_CONCURRENCY="1") as server:
        finished = subprocess.run(
            [bash, "-euo", "pipefail", "-c", commands],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "SITE": f"http://127.0.0.1:{server.port}"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert (tmp_path / "scan.pdf").read_bytes().startswith(b"%PDF-")
    assert (tmp_path / "export.zip").read_bytes().startswith(b"PK")
