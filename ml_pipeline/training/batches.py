"""Photos into memory once, batches out of it; decoding and preprocessing are the serving code's own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from ml_models.preprocess import InputSpec, crop_to_frame, preprocess
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record
from ml_pipeline.training.augment import augment
from ml_pipeline.training.recipes.recipe import Augmentation

_FRAME_MARGIN = 1.25
_Scalar = TypeVar("_Scalar", bound=np.generic)


class TrainingBatches(keras.utils.PyDataset):
    """Augmented batches (float32 [b, s, s, 3], int32 [b]) whose content depends on seed, epoch and index alone.

    So a resumed run sees what the killed one would have seen. `epoch` is set by the training loop.
    """

    def __init__(
        self,
        frames: Sequence[NDArray[np.uint8]],
        labels: NDArray[np.int32],
        *,
        size_px: int,
        batch_size: int,
        augmentation: Augmentation,
        seed: int,
    ) -> None:
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=8)
        self._frames, self._labels = frames, labels
        self._size_px, self._batch_size = size_px, batch_size
        self._augmentation, self._seed = augmentation, seed
        self.epoch = 0

    def __len__(self) -> int:
        """Full batches an epoch; the remainder of the shuffled order waits for another epoch."""
        return max(1, len(self._frames) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        order = np.random.default_rng([self._seed, self.epoch]).permutation(len(self._frames))
        chosen = order[index * self._batch_size : (index + 1) * self._batch_size]
        rng = np.random.default_rng([self._seed, self.epoch, index])
        images = [augment(self._frames[i], size_px=self._size_px, strength=self._augmentation, rng=rng) for i in chosen]
        return np.stack(images), self._labels[chosen]


def load_frames(records: Sequence[Record], spec: InputSpec) -> list[NDArray[np.uint8]]:
    """Decode training frames uint8 [h, w, 3]: cropped as `preprocess` crops, short side at most 1.25x the input."""
    return _map(lambda record: _frame(read_rgb(record, model_input_px=spec.size_px), spec), records)


def load_inputs(records: Sequence[Record], spec: InputSpec) -> NDArray[np.float32]:
    """Model inputs float32 [n, s, s, 3], exactly as serving makes them."""
    return np.stack(_map(lambda record: preprocess(read_rgb(record, model_input_px=spec.size_px), spec), records))


def class_indices(records: Sequence[Record], codes: Sequence[str]) -> NDArray[np.int32]:
    """Position of each record's label in `codes`, int32 [n]."""
    position = {code: index for index, code in enumerate(codes)}
    return np.array([position[record.label] for record in records], dtype=np.int32)


def _frame(rgb: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.uint8]:
    frame = crop_to_frame(rgb)
    factor = _FRAME_MARGIN * spec.size_px / min(frame.shape[:2])
    if factor >= 1:
        return np.ascontiguousarray(frame)
    size = (round(frame.shape[1] * factor), round(frame.shape[0] * factor))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _map(function: Callable[[Record], NDArray[_Scalar]], records: Sequence[Record]) -> list[NDArray[_Scalar]]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(function, records))
