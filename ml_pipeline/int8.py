"""An experiment that is reported and never shipped: the network in whole numbers beside the float32 one that is."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import LITERT_MODEL
from ml_models.preprocess import InputSpec
from ml_models.runtime import LiteRtRuntime
from ml_pipeline.calibration.scaling import balanced_accuracy
from ml_pipeline.data.records import Record, Split, of_split
from ml_pipeline.export import to_litert
from ml_pipeline.training.backbones import LOGITS, with_feature_map
from ml_pipeline.training.batches import class_indices, load_inputs
from ml_pipeline.training.run_folder import TrainedModel
from ml_pipeline.training.selection import select

REPORT = "int8.json"
_RANGE_PHOTOS = 200  # of the training split, from which the converter takes the ranges
_JUDGED_PHOTOS = 600
_TIMED_RUNS = 100


@dataclass(frozen=True, slots=True)
class Int8Report:
    """Full-integer against float32 on validation photos; latencies are medians, one thread, taken in turns."""

    photos: int
    float32_bytes: int
    int8_bytes: int
    mean_logit_error: float
    largest_logit_error: float
    same_top_class: float
    float32_balanced_accuracy: float
    int8_balanced_accuracy: float
    float32_ms: float
    int8_ms: float

    def __str__(self) -> str:
        return (
            f"int8 experiment, {self.photos} validation photos (nothing of it is shipped), float32 -> int8:\n"
            f"  size               {self.float32_bytes / 1e6:.2f} MB -> {self.int8_bytes / 1e6:.2f} MB\n"
            f"  latency            {self.float32_ms:.2f} ms -> {self.int8_ms:.2f} ms\n"
            f"  balanced accuracy  {self.float32_balanced_accuracy:.3f} -> {self.int8_balanced_accuracy:.3f}\n"
            f"  logits differ by   {self.mean_logit_error:.3f} on average, {self.largest_logit_error:.3f} at most; "
            f"the same top class for {self.same_top_class:.1%}"
        )


def int8_experiment(trained: TrainedModel, records: Sequence[Record], *, model: Path, out: Path) -> Int8Report:
    """Convert the run to whole numbers, compare it with the exported folder `model`, write `int8.json` into `out`."""
    seen, spec = select(records, trained.recipe), InputSpec(trained.recipe.size_px)
    judged = _spread(of_split(seen, Split.VALIDATION), _JUDGED_PHOTOS)
    ranges = load_inputs(_spread(of_split(seen, Split.TRAIN), _RANGE_PHOTOS), spec)
    with TemporaryDirectory() as work:
        path = Path(work) / LITERT_MODEL
        path.write_bytes(_whole_numbers(trained.model, ranges))
        sizes = ((model / LITERT_MODEL).stat().st_size, path.stat().st_size)
        float32, int8 = LiteRtRuntime(model / LITERT_MODEL), LiteRtRuntime(path)
        inputs = load_inputs(judged, spec)
        report = _compared(float32, int8, inputs, class_indices(judged, trained.codes), sizes)
    (out / REPORT).write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    return report


def _whole_numbers(model: keras.Model, ranges: NDArray[np.float32]) -> bytes:
    return to_litert(with_feature_map(model), representative=ranges)


def _compared(
    float32: LiteRtRuntime,
    int8: LiteRtRuntime,
    inputs: NDArray[np.float32],
    labels: NDArray[np.int32],
    sizes: tuple[int, int],
) -> Int8Report:
    expected, seen = (
        np.concatenate([runtime.run(each[np.newaxis])[LOGITS] for each in inputs]) for runtime in (float32, int8)
    )
    error = np.abs(expected - seen)
    float32_ms, int8_ms = _latencies_ms((float32, int8), inputs)
    return Int8Report(
        photos=len(inputs),
        float32_bytes=sizes[0],
        int8_bytes=sizes[1],
        mean_logit_error=float(error.mean()),
        largest_logit_error=float(error.max()),
        same_top_class=float((expected.argmax(axis=1) == seen.argmax(axis=1)).mean()),
        float32_balanced_accuracy=balanced_accuracy(expected, labels),
        int8_balanced_accuracy=balanced_accuracy(seen, labels),
        float32_ms=float32_ms,
        int8_ms=int8_ms,
    )


def _latencies_ms(runtimes: Sequence[LiteRtRuntime], inputs: NDArray[np.float32]) -> list[float]:
    """Median time of one photo for each runtime; in turns, so that a busy machine is busy for both."""
    times: list[list[float]] = [[] for _ in runtimes]
    for turn in range(_TIMED_RUNS):
        image = inputs[turn % len(inputs)][np.newaxis]
        for runtime, taken in zip(runtimes, times, strict=True):
            start = time.perf_counter()
            runtime.run(image)
            taken.append(1000 * (time.perf_counter() - start))
    return [float(np.median(taken)) for taken in times]


def _spread(records: Sequence[Record], count: int) -> Sequence[Record]:
    """At most so many records, evenly over the table: sources lie in it one after the other."""
    return [records[at] for at in np.unique(np.linspace(0, len(records) - 1, count).astype(int))]
