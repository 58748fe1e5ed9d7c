"""A TypeScript client out of the OpenAPI schema: generated, compiled strictly, and run under Node against a server."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.serving import ROOT, Server, running_server
from tests.typescript.conftest import FOLDER, PATIENCE_S, run

pytestmark = pytest.mark.slow

SOURCES = ("package.json", "tsconfig.json", "generate.mjs", "smoke.ts")


@pytest.fixture(scope="module")
def server(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), WEB_CONCURRENCY="1") as running:
        yield running


@pytest.fixture(scope="module")
def client(node: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sources beside the types of the server's own schema."""
    folder = tmp_path_factory.mktemp("client")
    for name in SOURCES:
        shutil.copy(FOLDER / name, folder)
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    (folder / "schema.json").write_bytes(server.request("GET", "/api/schema/?format=json").body)
    run(node, "generate.mjs", "schema.json", "api.d.ts", folder=folder)
    return folder


def test_client_compiles_strictly_and_answers_as_typed(node: str, client: Path, server: Server):
    run(node, "node_modules/typescript/bin/tsc", folder=client)
    photo = ROOT / "sample_images" / "nv.jpg"
    output = run(node, "built/smoke.js", f"http://127.0.0.1:{server.port}", str(photo), folder=client)
    assert output == "every step answered as its type says\n"


def test_client_with_a_wrong_type_does_not_compile(node: str, client: Path):
    """Or the strict compiler would have nothing to be strict about."""
    wrong = client / "wrong.ts"
    wrong.write_text(
        'import type { components } from "./api.js";\n'
        'export const severity: components["schemas"]["PredictionResponse"]["severity"] = "low";\n'
    )
    finished = subprocess.run(
        [node, "node_modules/typescript/bin/tsc", "--strict", "--noEmit", "--skipLibCheck", wrong.name],
        cwd=client,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert finished.returncode != 0
    assert "not assignable to type" in finished.stdout
