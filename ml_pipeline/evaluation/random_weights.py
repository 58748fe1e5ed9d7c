"""The maps of an artefact's network after all its weights were drawn anew: what the architecture alone would show."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from ml_models.explanation import class_activations, heat
from ml_pipeline.training.backbones import FEATURE_MAP, LOGITS

_BATCH = 32


def random_maps(
    model: Path, inputs: NDArray[np.float32], classes: Sequence[int], *, networks: int, seed: int = 0
) -> NDArray[np.float32]:
    """Maps of the given class of each input by networks with fresh weights, float32 [networks, n, grid, grid] in 0-1.

    `model` is an artefact's Keras file, `inputs` are preprocessed, float32 [n, size, size, 3]. Take several networks:
    the maps of one are alike from photo to photo, so that chance would decide how they agree with the real ones.
    """
    trained = keras.models.load_model(model, compile=False)
    return np.stack([_maps(trained, inputs, classes, seed=seed + each) for each in range(networks)])


def _maps(
    trained: keras.Model, inputs: NDArray[np.float32], classes: Sequence[int], *, seed: int
) -> NDArray[np.float32]:
    keras.utils.set_random_seed(seed)
    network = keras.models.clone_model(trained)  # the same layers, each with weights as at the start of training
    batches = np.split(inputs, range(_BATCH, len(inputs), _BATCH))
    feature_maps = np.concatenate(
        [keras.ops.convert_to_numpy(network(batch, training=False)[FEATURE_MAP]) for batch in batches]
    )
    weights = keras.ops.convert_to_numpy(network.get_layer(LOGITS).kernel)
    activations = (class_activations(feature_map, weights) for feature_map in feature_maps)
    return np.stack([heat(each[index]) for each, index in zip(activations, classes, strict=True)])
