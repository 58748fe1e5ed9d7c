"""Model folders for tests: the shipped network with its outputs called otherwise."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml_models.artefact import DOCUMENT, GOLDEN, file_digest
from ml_models.classification import Severity
from ml_models.labels import CODES, GENERIC_ADVICE, Label
from ml_models.shipped import SHIPPED_MODEL


def relabelled_copy(folder: Path, labels: Sequence[Label], *, name: str | None = None) -> Path:
    """A complete, valid model in `folder` whose classes are `labels`, in the order of the shipped model's outputs."""
    shutil.copytree(SHIPPED_MODEL, folder, ignore=shutil.ignore_patterns("plots"))
    codes = dict(zip(CODES, [label.code for label in labels], strict=True))
    with np.load(folder / GOLDEN) as golden:
        np.savez(folder / GOLDEN, **{**golden, "codes": np.array([codes[code] for code in golden["codes"]])})
    document = _renamed(json.loads((folder / DOCUMENT).read_text(encoding="utf-8")), codes)
    document["labels"] = [{field: getattr(each, field) for field in Label.__slots__} for each in labels]
    document["files"][GOLDEN] = file_digest(folder / GOLDEN)
    document["name"] = name or document["name"]
    (folder / DOCUMENT).write_text(json.dumps(document), encoding="utf-8")
    return folder


def model_called(name: str, folder: Path) -> Path:
    """A model whose every class begins with its name: whose answer is whose cannot be mistaken."""
    labels = [Label(f"{name}-{code}", f"{name} {code}", False, Severity.LOW, GENERIC_ADVICE) for code in CODES]
    return relabelled_copy(folder, labels, name=name)


def digest_of(folder: Path) -> str:
    """The digest by which a model's answers name it."""
    return file_digest(folder / DOCUMENT)


def spoil(folder: Path) -> None:
    """Change one byte of the network."""
    path = folder / "model.tflite"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def _renamed(value: Any, codes: dict[str, str]) -> Any:
    """The document with other codes wherever it has a figure for each."""
    if not isinstance(value, dict):
        return value
    return {codes.get(key, key): _renamed(each, codes) for key, each in value.items()}
