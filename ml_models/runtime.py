"""Running `model.tflite` with LiteRT: a bounded pool, because one interpreter must never serve two threads."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from ml_models.errors import ArtefactError, InferenceBusy

SIGNATURE = "serving_default"
IMAGE = "image"


class LiteRtRuntime:
    """A model file and at most `pool_size` interpreters (about 21 MB each), one inference thread each."""

    def __init__(self, model: Path, *, pool_size: int = 1, timeout_s: float = 10.0) -> None:
        """Load the file. Raises ArtefactError when LiteRT cannot read it or the signature is not ours."""
        self._timeout_s = timeout_s
        self._runners: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(pool_size):
            self._runners.put(_runner(model))

    def run(self, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run float32 [n, s, s, 3]; outputs by signature name, each [n, ...].

        Raises InferenceBusy when no interpreter becomes free in time.
        """
        with self._borrowed() as runner:
            return {name: np.array(value) for name, value in runner(**{IMAGE: images}).items()}

    @contextmanager
    def _borrowed(self) -> Iterator[Any]:
        try:
            runner = self._runners.get(timeout=self._timeout_s)
        except queue.Empty as error:
            raise InferenceBusy("The server is busy. Send the photo again in a few seconds.") from error
        try:
            yield runner
        finally:
            self._runners.put(runner)


def _runner(model: Path) -> Any:
    try:
        runner = Interpreter(model_path=str(model), num_threads=1).get_signature_runner(SIGNATURE)
    except (ValueError, RuntimeError) as error:
        raise ArtefactError(f"{model} is not a usable LiteRT model: {error}. Export the artefact again.") from error
    if list(runner.get_input_details()) != [IMAGE]:
        raise ArtefactError(f"{model}: inputs {list(runner.get_input_details())} are not ['{IMAGE}']. Export it again.")
    return runner
