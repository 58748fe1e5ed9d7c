"""Photos into memory once, batches out of it; decoding and preprocessing are the serving code's own."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from ml_models.classification import Modality
from ml_models.preprocess import InputSpec, crop_to_frame, preprocess
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record
from ml_pipeline.training.augment import augment
from ml_pipeline.training.losses import pack
from ml_pipeline.training.mixing import mix
from ml_pipeline.training.recipes.recipe import Recipe
from ml_pipeline.training.sampling import epoch_order
from ml_pipeline.training.sharpness import soften, softening

_FRAME_MARGIN = 1.25
_PART = 256
_THREADS, _AHEAD = 2, 8  # that make batches, and batches that they are ahead
_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class TrainingPhotos:
    """The training split in memory.

    n frames uint8 [h, w, 3], their class as int32 [n], targets float32 [n, 3 * classes] as `losses.pack` makes them,
    whether each is clinical [n], and how likely each is to be softened [n].
    """

    frames: Sequence[NDArray[np.uint8]]
    labels: NDArray[np.int32]
    targets: NDArray[np.float32]
    clinical: NDArray[np.bool_]
    softening: NDArray[np.float64]


class TrainingBatches(keras.utils.PyDataset):
    """One epoch's augmented batches (float32 [b, s, s, 3], [b, 3 * classes]) by seed, epoch and index alone.

    So a resumed run sees what the killed one would have seen. Threads of ours make them ahead: those of Keras start
    over under JAX, after batches that then come twice. `close` ends them.
    """

    def __init__(self, photos: TrainingPhotos, recipe: Recipe, *, epoch: int) -> None:
        super().__init__(workers=1)
        self._photos, self._recipe, self._epoch = photos, recipe, epoch
        self._pool = ThreadPoolExecutor(_THREADS)
        self._ahead: dict[int, Future[tuple[NDArray[np.float32], NDArray[np.float32]]]] = {}

    def __len__(self) -> int:
        """Full batches; the remainder of the shuffled order waits for another epoch."""
        return steps_an_epoch(len(self._photos.labels), self._recipe)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        for each in range(index, min(index + _AHEAD, len(self))):
            if each not in self._ahead:
                self._ahead[each] = self._pool.submit(self._make, each)
        return self._ahead.pop(index).result()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _make(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        photos, recipe = self._photos, self._recipe
        order = epoch_order(
            photos.labels,
            photos.clinical,
            sampling=recipe.sampling,
            clinical_share=recipe.clinical_share,
            rng=np.random.default_rng([recipe.seed, self._epoch]),
        )
        chosen = order[index * recipe.batch_size : (index + 1) * recipe.batch_size]
        rng = np.random.default_rng([recipe.seed, self._epoch, index])
        images = np.stack([self._photo(i, rng) for i in chosen])
        return mix(images, photos.targets[chosen], mixing=recipe.mixing, rng=rng)

    def _photo(self, index: int, rng: np.random.Generator) -> NDArray[np.float32]:
        frame, strength = self._photos.frames[index], self._recipe.augmentation
        if strength.level_sharpness and rng.random() < self._photos.softening[index]:
            frame = soften(frame, rng)
        return augment(frame, size_px=self._recipe.size_px, strength=strength, rng=rng)


def load_training_photos(
    records: Sequence[Record], codes: Sequence[str], recipe: Recipe, *, teacher: NDArray[np.float32] | None = None
) -> TrainingPhotos:
    """Decode the training split. `teacher` holds the probabilities [n, classes] to learn from, if any."""
    spec = InputSpec(recipe.size_px)
    labels = class_indices(records, codes)
    clinical = np.array([record.modality is Modality.CLINICAL for record in records])
    nothing = np.zeros((len(records), len(codes)), np.float32)
    return TrainingPhotos(
        frames=_map(lambda record: _frame(read_rgb(record, model_input_px=spec.size_px), spec), records),
        labels=labels,
        targets=pack(
            np.eye(len(codes), dtype=np.float32)[labels],
            log_priors(labels, clinical, classes=len(codes)),
            nothing if teacher is None else teacher,
        ),
        clinical=clinical,
        softening=softening(records),
    )


def load_inputs(records: Sequence[Record], spec: InputSpec) -> NDArray[np.float32]:
    """Model inputs float32 [n, s, s, 3], exactly as serving makes them."""
    return np.stack(_map(lambda record: preprocess(read_rgb(record, model_input_px=spec.size_px), spec), records))


def in_parts(records: Sequence[Record], spec: InputSpec) -> Iterator[NDArray[np.float32]]:
    """The same, 256 photos at a time: all at once are 5.7 GB for 9,500 photos at 224 px."""
    for start in range(0, len(records), _PART):
        yield load_inputs(records[start : start + _PART], spec)


def steps_an_epoch(photos: int, recipe: Recipe) -> int:
    """Full batches of so many photos, at least one."""
    return max(1, photos // recipe.batch_size)


def class_indices(records: Sequence[Record], codes: Sequence[str]) -> NDArray[np.int32]:
    """Position of each record's label in `codes`, int32 [n]."""
    position = {code: index for index, code in enumerate(codes)}
    return np.array([position[record.label] for record in records], dtype=np.int32)


def log_priors(labels: NDArray[np.int32], clinical: NDArray[np.bool_], *, classes: int) -> NDArray[np.float32]:
    """Log frequency of every class among the photos of each photo's own modality, float32 [n, classes].

    A class that a modality lacks counts as one of middling frequency there: to let the adjustment treat it as
    infinitely rare would let its logit rise unpunished.
    """
    priors = np.zeros((len(labels), classes), np.float32)
    for modality in (clinical, ~clinical):
        if modality.any():
            counts = np.bincount(labels[modality], minlength=classes)
            logs = np.log(counts[counts > 0] / counts.sum())
            row = np.full(classes, logs.mean())
            row[counts > 0] = logs
            priors[modality] = row
    return priors


def _frame(rgb: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.uint8]:
    """Cropped as `preprocess` crops; its short side at most 1.25x the input."""
    frame = crop_to_frame(rgb)
    factor = _FRAME_MARGIN * spec.size_px / min(frame.shape[:2])
    if factor >= 1:
        return np.ascontiguousarray(frame)
    size = (round(frame.shape[1] * factor), round(frame.shape[0] * factor))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _map(function: Callable[[Record], NDArray[_Scalar]], records: Sequence[Record]) -> list[NDArray[_Scalar]]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(function, records))
