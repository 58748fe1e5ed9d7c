"""The classifier on top of a backbone. Every model here takes RGB 0-255 and has the same two outputs.

The head is global average pooling and one linear layer, so the class activation map is the feature map times the
class's weights (Zhou 2016, Learning Deep Features for Discriminative Localization).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from ml_pipeline.errors import TrainingError
from ml_pipeline.training.architectures import efficientnet_lite0, sequential_cnn, small_cnn, tiny_cnn

FEATURE_MAP = "feature_map"
LOGITS = "logits"
POOLED = "pooled"
DROPOUT = "dropout"
IMAGENET = "imagenet"
_BACKBONE_LAYER = "backbone"
# keras.applications has .999, with which statistics of everyday photos would outlive a short fine-tuning.
_BATCH_NORMALIZATION_MOMENTUM = 0.99


@dataclass(frozen=True, slots=True)
class _Backbone:
    """How to build one for an input shape, the input scale it was trained on, and whether keras has its weights."""

    build: Callable[[tuple[int, int, int]], keras.Model]
    scale: float
    offset: float
    downloadable: bool = False


def _mobilenetv2(shape: tuple[int, int, int]) -> keras.Model:
    return keras.applications.MobileNetV2(input_shape=shape, include_top=False, weights=None)


_TO_UNIT = (1 / 127.5, -1.0)  # 0-255 to [-1, 1]
_BACKBONES = {
    "mobilenetv2": _Backbone(_mobilenetv2, *_TO_UNIT, downloadable=True),
    "efficientnet-lite0": _Backbone(efficientnet_lite0, 1 / 128, -127 / 128),
    "sequential-cnn": _Backbone(sequential_cnn, *_TO_UNIT),
    "small-cnn": _Backbone(small_cnn, *_TO_UNIT),
    "tiny": _Backbone(tiny_cnn, *_TO_UNIT),
}


def build_classifier(
    *,
    backbone: str,
    size_px: int,
    classes: int,
    dropout: float,
    weights: str | None,
    with_head: bool = False,
    frozen_through: str = "",
) -> keras.Model:
    """Build the training model: float32 [n, size_px, size_px, 3] in 0-255 to logits [n, classes].

    `weights` is a `.keras` file of the whole backbone or of an earlier classifier on it, whose head is taken over
    `with_head`, "imagenet" (downloaded by keras.applications) or None. Raises TrainingError for an unknown backbone or
    layer and for weights that do not fit.
    """
    kind = _kind(backbone)
    network = kind.build((size_px, size_px, 3))
    network.name = _BACKBONE_LAYER
    image = keras.Input((size_px, size_px, 3), name="image")
    features = network(keras.layers.Rescaling(kind.scale, kind.offset)(image))
    features = keras.layers.Activation("linear", name=FEATURE_MAP)(features)
    pooled = keras.layers.GlobalAveragePooling2D(name=POOLED)(features)
    logits = keras.layers.Dense(classes, name=LOGITS)(keras.layers.Dropout(dropout, seed=0, name=DROPOUT)(pooled))
    model = keras.Model(image, logits, name=backbone)
    if weights == IMAGENET:
        _load_imagenet(network, backbone, downloadable=kind.downloadable)
    elif weights is not None:
        _load(model, Path(weights), with_head=with_head)
    _prepare(network, frozen_through)
    return model


def with_feature_map(model: keras.Model) -> keras.Model:
    """The same layers with the outputs named `logits` [n, classes] and `feature_map` [n, g, g, channels]."""
    return keras.Model(model.inputs[0], {LOGITS: model.output, FEATURE_MAP: model.get_layer(FEATURE_MAP).output})


def _kind(name: str) -> _Backbone:
    if name not in _BACKBONES:
        raise TrainingError(f"No backbone {name!r}. Known: {', '.join(sorted(_BACKBONES))}.")
    return _BACKBONES[name]


def _load_imagenet(network: keras.Model, name: str, *, downloadable: bool) -> None:
    if not downloadable:
        raise TrainingError(f"Keras has no ImageNet weights of {name}. Give a .keras file of it, or 'none'.")
    shape = tuple(network.input_shape[1:])
    network.set_weights(
        keras.applications.MobileNetV2(input_shape=shape, include_top=False, weights=IMAGENET).get_weights()
    )


def _load(model: keras.Model, path: Path, *, with_head: bool) -> None:
    if not path.is_file():
        raise TrainingError(f"No backbone weights at {path}. Give a .keras file, 'imagenet' or 'none'.")
    given = keras.models.load_model(path, compile=False)
    layers = {layer.name: layer for layer in given.layers}
    try:
        model.get_layer(_BACKBONE_LAYER).set_weights(layers.get(_BACKBONE_LAYER, given).get_weights())
        if with_head:
            model.get_layer(LOGITS).set_weights(layers[LOGITS].get_weights())
    except ValueError as error:
        raise TrainingError(f"{path} does not fit {model.name}: {error}") from error


def _prepare(network: keras.Model, frozen_through: str) -> None:
    names = [layer.name for layer in network.layers]
    if frozen_through and frozen_through not in names:
        raise TrainingError(f"No layer {frozen_through!r} to freeze through. Layers: {', '.join(names)}.")
    frozen = names[: names.index(frozen_through) + 1] if frozen_through else []
    for layer in network.layers:
        layer.trainable = layer.name not in frozen
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _BATCH_NORMALIZATION_MOMENTUM
