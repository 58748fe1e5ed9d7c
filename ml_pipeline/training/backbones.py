"""Backbones and the classifier on top. Every model here takes RGB 0-255 and has the same two outputs.

The head is global average pooling and one linear layer, so the class activation map is the feature map times the
class's weights (Zhou 2016, Learning Deep Features for Discriminative Localization).
"""

from pathlib import Path

import keras

from ml_pipeline.errors import TrainingError

FEATURE_MAP = "feature_map"
LOGITS = "logits"
IMAGENET = "imagenet"


def build_classifier(*, backbone: str, size_px: int, classes: int, dropout: float, weights: str | None) -> keras.Model:
    """Build the training model: float32 [n, size_px, size_px, 3] in 0-255 to logits [n, classes].

    `weights` is a `.keras` file of the whole backbone, "imagenet" (downloaded by keras.applications) or None.
    Raises TrainingError for an unknown backbone and weights that do not fit it.
    """
    image = keras.Input((size_px, size_px, 3), name="image")
    features = _backbone(backbone, size_px, weights)(keras.layers.Rescaling(1 / 127.5, -1.0)(image))
    features = keras.layers.Activation("linear", name=FEATURE_MAP)(features)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(features)
    logits = keras.layers.Dense(classes, name=LOGITS)(keras.layers.Dropout(dropout)(pooled))
    return keras.Model(image, logits, name=backbone)


def with_feature_map(model: keras.Model) -> keras.Model:
    """The same layers with the outputs named `logits` [n, classes] and `feature_map` [n, g, g, channels]."""
    return keras.Model(model.inputs[0], {LOGITS: model.output, FEATURE_MAP: model.get_layer(FEATURE_MAP).output})


def _backbone(name: str, size_px: int, weights: str | None) -> keras.Model:
    shape = (size_px, size_px, 3)
    if name == "mobilenetv2":
        model = keras.applications.MobileNetV2(
            input_shape=shape, include_top=False, weights=IMAGENET if weights == IMAGENET else None
        )
    elif name == "tiny":
        model = _tiny(shape)
    else:
        raise TrainingError(f"No backbone {name!r}. Known: mobilenetv2, tiny.")
    if weights is not None and weights != IMAGENET:
        _load(model, Path(weights))
    return model


def _load(model: keras.Model, path: Path) -> None:
    if not path.is_file():
        raise TrainingError(f"No backbone weights at {path}. Give a .keras file, 'imagenet' or 'none'.")
    try:
        model.set_weights(keras.models.load_model(path, compile=False).get_weights())
    except ValueError as error:
        raise TrainingError(f"{path} does not fit {model.name}: {error}") from error


def _tiny(shape: tuple[int, int, int]) -> keras.Model:
    image = keras.Input(shape)
    x = image
    for filters in (8, 16, 24):
        x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=0.8)(x)
        x = keras.layers.ReLU(6.0)(x)
    return keras.Model(image, x, name="tiny")
