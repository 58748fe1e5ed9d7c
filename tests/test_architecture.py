"""The arrows between the rooms, walked with `ast`, and what the web process must never load."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("accounts", "api", "benchmarks", "ml_models", "ml_pipeline", "skin_disease", "web")
ALLOWED = {
    "ml_models": set(),
    "ml_pipeline": {"ml_models"},
    "accounts": set(),
    "api": {"accounts", "ml_models"},
    "web": {"accounts", "api"},
    # gunicorn's hook loads the model in a fresh worker, refusals have the body of all errors; the rest is names
    "skin_disease": {"api", "ml_models"},
    "benchmarks": {"ml_models", "ml_pipeline", "skin_disease"},  # it measures them; the server it starts as a process
}
TRAINING_PACKAGES = {"tensorflow", "keras", "sklearn", "scipy", "matplotlib"}
FORBIDDEN = {
    "ml_models": TRAINING_PACKAGES | {"django", "rest_framework"},
    "ml_pipeline": {"django", "rest_framework"},
    "accounts": TRAINING_PACKAGES | {"cv2", "PIL"},
    "api": TRAINING_PACKAGES,
    "web": TRAINING_PACKAGES | {"cv2", "PIL"},
    "skin_disease": TRAINING_PACKAGES | {"cv2", "PIL"},
    "benchmarks": {"sklearn", "scipy", "matplotlib", "rest_framework"},
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# The commands that train and judge are a door of their own to the pipeline; no request comes through it.
PIPELINE_COMMANDS = {
    ROOT / "api" / "management" / "commands" / f"{name}.py" for name in ("retrain_model", "evaluate_model")
}


def _imported_tops(room: str) -> dict[str, set[str]]:
    """Top-level package to the files of the room that import it."""
    found: dict[str, set[str]] = {}
    for path in set((ROOT / room).rglob("*.py")) - PIPELINE_COMMANDS:
        for name in _imports(path):
            found.setdefault(name.split(".")[0], set()).add(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_rooms_below(room: str) -> None:
    tops = _imported_tops(room)
    wrong = {other: tops[other] for other in ROOMS if other in tops and other != room and other not in ALLOWED[room]}
    assert not wrong


@pytest.mark.parametrize("path", sorted(PIPELINE_COMMANDS), ids=lambda path: path.stem)
def test_pipeline_commands_import_the_pipeline_and_no_training_package(path: Path) -> None:
    tops = {name.split(".")[0] for name in _imports(path)}
    assert "ml_pipeline" in tops
    assert not tops & TRAINING_PACKAGES


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_no_forbidden_package(room: str) -> None:
    tops = _imported_tops(room)
    assert not {package: tops[package] for package in FORBIDDEN[room] if package in tops}


def test_settings_know_only_the_name_of_the_shipped_model() -> None:
    names = {name for path in (ROOT / "skin_disease").rglob("*.py") for name in _imports(path)}
    assert {name for name in names if name.startswith("ml_models")} == {"ml_models.shipped.SHIPPED_MODEL"}
    assert list(_imports(ROOT / "ml_models" / "shipped.py")) == ["pathlib.Path"]


def test_views_hold_no_orm_no_opencv_no_model() -> None:
    named_views = re.compile(r"(.+_)?views")
    modules = [path for path in (ROOT / "api").rglob("*.py") if named_views.fullmatch(path.stem)]
    modules += (ROOT / "api").glob("**/views/*.py")
    assert modules
    imports = {name for path in modules for name in _imports(path)}
    forbidden = ("django.db", "api.models", "cv2", "numpy", "ml_models")
    assert not [name for name in imports if name.startswith(forbidden)]


def test_pipeline_uses_tensorflow_only_to_convert() -> None:
    assert _imported_tops("ml_pipeline")["tensorflow"] == {"ml_pipeline/export.py"}


def test_pipeline_training_does_not_know_evaluation() -> None:
    imports = {name for path in (ROOT / "ml_pipeline" / "training").rglob("*.py") for name in _imports(path)}
    assert not [name for name in imports if name.startswith(("ml_pipeline.evaluation", "ml_pipeline.export"))]


def test_web_process_imports_no_training_package() -> None:
    program = (
        "import sys, django; django.setup()\n"
        "from django.urls import get_resolver; get_resolver().url_patterns\n"
        "import skin_disease.asgi, api.ml_state, api.services.predict, api.admin\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    env = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT), "PATH": ""}
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=True)
    loaded = set(result.stdout.split())
    assert "cv2" in loaded
    assert "reportlab" not in loaded  # 12 MB that only a worker that draws a PDF needs
    assert not loaded & TRAINING_PACKAGES
