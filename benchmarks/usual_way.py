"""What most such backends do, to compare with: decode in full colour, resize, Keras `predict` on a batch of one.

It runs in a process of its own, because the one that measures must not load TensorFlow. The process reads a photo's
path a line and answers with the seconds that the photo took; its first line says that it is warm. OpenCV and TensorFlow
may use all cores, as they do when nobody tells them otherwise.
"""

import importlib.util
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measuring import BenchmarkError
from benchmarks.serving import ROOT
from ml_models.artefact import DOCUMENT, KERAS_MODEL, parse_document

_LOG = "usual_way.log"
_WARM = "warm"
_WARM_UP_RUNS = 3


def is_available() -> bool:
    """Whether TensorFlow and Keras are installed; neither is imported."""
    return all(importlib.util.find_spec(name) for name in ("tensorflow", "keras"))


@dataclass(frozen=True, slots=True)
class UsualWay:
    """The running process; photos for it may be laid into its folder."""

    folder: Path
    _questions: IO[str]
    _answers: IO[str]

    def seconds(self, photo: Path) -> float:
        """What one photo took from its bytes to the network's outputs. Raises BenchmarkError when the process ended."""
        self._questions.write(f"{photo}\n")
        self._questions.flush()
        return float(self.read_line())

    def read_line(self) -> str:
        """The next line of the process. Raises BenchmarkError with its log when it ended."""
        line = self._answers.readline().strip()
        if not line:
            raise BenchmarkError(f"The usual way failed; its log ends:\n{(self.folder / _LOG).read_text()[-2000:]}")
        return line


@contextmanager
def usual_way(model_folder: Path, *, folder: Path) -> Iterator[UsualWay]:
    """The process over the Keras model of a model folder, warm, with its log in `folder`."""
    command = [sys.executable, "-m", "benchmarks.usual_way", str(model_folder.resolve())]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    with (
        (folder / _LOG).open("w") as errors,
        subprocess.Popen(  # noqa: S603 - our own
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        if process.stdin is None or process.stdout is None:
            raise BenchmarkError("The usual way has no pipes.")
        way = UsualWay(folder, process.stdin, process.stdout)
        way.read_line()
        yield way


def _answer(model_folder: Path) -> None:
    """Answer paths from stdin with seconds until stdin ends."""
    pillow_heif.register_heif_opener()
    predict = _predictor(model_folder)
    print(_WARM, flush=True)  # noqa: T201 - its protocol
    for line in sys.stdin:
        content = Path(line.rstrip("\n")).read_bytes()
        started = time.perf_counter()
        predict(content)
        print(time.perf_counter() - started, flush=True)  # noqa: T201 - its protocol


def _predictor(model_folder: Path) -> Callable[[bytes], Any]:
    import keras  # noqa: PLC0415 - in this process alone

    model = keras.models.load_model(model_folder / KERAS_MODEL, compile=False)
    document = model_folder / DOCUMENT
    size_px = parse_document(document.read_bytes(), where=str(document)).input.size_px
    for _ in range(_WARM_UP_RUNS):
        model.predict(np.zeros((1, size_px, size_px, 3), np.float32), verbose=0)
    return lambda content: model.predict(_input(content, size_px), verbose=0)


def _input(content: bytes, size_px: int) -> NDArray[np.float32]:
    """A photo as float32 [1, size_px, size_px, 3] RGB: OpenCV, and Pillow for what OpenCV cannot read."""
    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        with Image.open(io.BytesIO(content)) as image:
            rgb = np.asarray(image.convert("RGB"))
    else:
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return cv2.resize(rgb, (size_px, size_px)).astype(np.float32)[np.newaxis]


if __name__ == "__main__":
    _answer(Path(sys.argv[1]))
