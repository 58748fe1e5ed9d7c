"""Networks that keras.applications does not have: normalised pixels in, a feature map out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

_EPSILON = 1e-3  # of batch normalisation, as the published weights have it


@dataclass(frozen=True, slots=True)
class _Stage:
    """A row of EfficientNet's table: blocks of this expansion, kernel, first stride and output channels."""

    blocks: int
    expansion: int
    kernel: int
    stride: int
    channels: int


_LITE0 = (
    _Stage(1, 1, 3, 1, 16),
    _Stage(2, 6, 3, 2, 24),
    _Stage(2, 6, 5, 2, 40),
    _Stage(3, 6, 3, 2, 80),
    _Stage(3, 6, 5, 1, 112),
    _Stage(4, 6, 5, 2, 192),
    _Stage(1, 6, 3, 1, 320),
)


def efficientnet_lite0(shape: tuple[int, int, int]) -> keras.Model:
    """EfficientNet-Lite0 (Tan and Le 2019; Liu 2020): B0 without squeeze-excitation, ReLU6, 1,280 channels."""
    image = keras.Input(shape)
    x = _normalised(layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(image), "stem")
    number = 0
    for stage in _LITE0:
        for block in range(stage.blocks):
            x = _inverted_residual(x, stage, stride=stage.stride if block == 0 else 1, name=f"b{number}")
            number += 1
    x = _normalised(layers.Conv2D(1280, 1, padding="same", use_bias=False, name="head_conv")(x), "head")
    return keras.Model(image, x)


def sequential_cnn(shape: tuple[int, int, int]) -> keras.Model:
    """The plain stack of convolutions and poolings that tutorials train on HAM10000."""
    return _stack(shape, (32, 64, 128, 128), convolutions=2)


def small_cnn(shape: tuple[int, int, int]) -> keras.Model:
    """Four convolutions, for small sets of a few classes."""
    return _stack(shape, (16, 32, 64, 96), convolutions=1)


def tiny_cnn(shape: tuple[int, int, int]) -> keras.Model:
    """Three strided convolutions, for tests."""
    image = keras.Input(shape)
    x = image
    for filters in (8, 16, 24):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU(6.0)(x)
    return keras.Model(image, x)


def _stack(shape: tuple[int, int, int], filters: Sequence[int], *, convolutions: int) -> keras.Model:
    image = keras.Input(shape)
    x = image
    for count in filters:
        for _ in range(convolutions):
            x = layers.Conv2D(count, 3, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)
    return keras.Model(image, x)


def _inverted_residual(x: Any, stage: _Stage, *, stride: int, name: str) -> Any:
    """A mobile inverted bottleneck (Sandler 2018)."""
    entered, channels = x, x.shape[-1]
    if stage.expansion > 1:
        expand = layers.Conv2D(channels * stage.expansion, 1, padding="same", use_bias=False, name=f"{name}_expand")
        x = _normalised(expand(x), f"{name}_expand")
    depthwise = layers.DepthwiseConv2D(stage.kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_dw")
    x = _normalised(depthwise(x), f"{name}_dw")
    x = layers.Conv2D(stage.channels, 1, padding="same", use_bias=False, name=f"{name}_project")(x)
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_project_bn")(x)
    if stride == 1 and channels == stage.channels:
        x = layers.Add(name=f"{name}_add")([entered, x])
    return x


def _normalised(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)
