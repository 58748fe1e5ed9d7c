"""A private copy of the shipped artefact, to be damaged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_models.artefact import DOCUMENT
from tests.conftest import SHIPPED_MODEL


@pytest.fixture
def artefact_copy(tmp_path: Path) -> Path:
    """A complete model folder of one's own."""
    return Path(shutil.copytree(SHIPPED_MODEL, tmp_path / "model"))


@pytest.fixture
def change_document(artefact_copy: Path) -> Callable[..., None]:
    """Rewrite keys of the copy's `model.json`."""

    def change(**keys: Any) -> None:
        path = artefact_copy / DOCUMENT
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **keys}), encoding="utf-8")

    return change


@pytest.fixture(scope="session")
def keras_model() -> Any:
    """The shipped network as Keras loads it; takes seconds."""
    keras = pytest.importorskip("keras")
    return keras.models.load_model(SHIPPED_MODEL / "model.keras", compile=False)


@pytest.fixture(scope="session")
def keras_logits(keras_model: Any) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Keras's logits for inputs float32 [n, s, s, 3]."""
    return lambda inputs: keras_model.predict(inputs, verbose=0)["logits"]
