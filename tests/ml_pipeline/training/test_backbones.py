"""Networks and what they start from."""

from pathlib import Path

import keras
import numpy as np
import pytest

from ml_pipeline.errors import TrainingError
from ml_pipeline.training.backbones import FEATURE_MAP, build_classifier, with_feature_map

pytestmark = pytest.mark.slow
PARAMETERS = {"mobilenetv2": 2_257_984, "efficientnet-lite0": 3_413_024}  # published, without the top


def _build(backbone: str = "tiny", **changes: object) -> keras.Model:
    arguments = {"backbone": backbone, "size_px": 64, "classes": 8, "dropout": 0.0, "weights": None, **changes}
    return build_classifier(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("backbone", ["mobilenetv2", "efficientnet-lite0", "sequential-cnn", "small-cnn", "tiny"])
def test_build_classifier_every_backbone_gives_logits_and_a_feature_map(backbone: str) -> None:
    model = with_feature_map(_build(backbone))
    outputs = model(np.full((2, 64, 64, 3), 128, np.float32))
    weights, bias = model.get_layer("logits").get_weights()
    pooled = keras.ops.convert_to_numpy(outputs[FEATURE_MAP]).mean(axis=(1, 2))
    assert keras.ops.convert_to_numpy(outputs["logits"]) == pytest.approx(pooled @ weights + bias, abs=1e-4)


@pytest.mark.parametrize(("backbone", "count"), PARAMETERS.items(), ids=PARAMETERS)
def test_build_classifier_backbones_have_their_published_size(backbone: str, count: int) -> None:
    assert _build(backbone).get_layer("backbone").count_params() == count


def test_build_classifier_frozen_layers_have_nothing_to_train() -> None:
    whole, frozen = _build("efficientnet-lite0"), _build("efficientnet-lite0", frozen_through="b4_add")
    network = frozen.get_layer("backbone")
    names = [layer.name for layer in network.layers]
    still = names[: names.index("b4_add") + 1]
    assert not any(layer.trainable for layer in network.layers if layer.name in still)
    assert all(layer.trainable for layer in network.layers if layer.name not in still)
    assert 0 < len(frozen.trainable_variables) < len(whole.trainable_variables)


def test_build_classifier_frozen_statistics_stay() -> None:
    model = _build("efficientnet-lite0", frozen_through="stem_relu")
    norms = [model.get_layer("backbone").get_layer(name) for name in ("stem_bn", "head_bn")]
    before = [keras.ops.convert_to_numpy(norm.moving_mean).copy() for norm in norms]
    model(np.random.default_rng(0).random((2, 64, 64, 3), np.float32) * 255, training=True)
    moved = [
        (keras.ops.convert_to_numpy(norm.moving_mean) != old).any() for norm, old in zip(norms, before, strict=True)
    ]
    assert moved == [False, True]


def test_build_classifier_unknown_layer_to_freeze_is_refused() -> None:
    with pytest.raises(TrainingError, match="No layer 'nowhere'"):
        _build(frozen_through="nowhere")


def test_build_classifier_starts_from_a_backbone(tmp_path: Path) -> None:
    first, path = _build(), tmp_path / "backbone.keras"
    first.get_layer("backbone").save(path)
    second = _build(weights=str(path), classes=3)
    for a, b in zip(first.get_layer("backbone").get_weights(), second.get_layer("backbone").get_weights(), strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("with_head", [True, False])
def test_build_classifier_starts_from_a_classifier_with_its_head_if_told(tmp_path: Path, *, with_head: bool) -> None:
    first, path = _build(), tmp_path / "model.keras"
    with_feature_map(first).save(path)
    second = _build(weights=str(path), with_head=with_head)
    heads = [model.get_layer("logits").get_weights()[0] for model in (first, second)]
    assert np.array_equal(*heads) == with_head
    assert (first.get_layer("backbone").get_weights()[0] == second.get_layer("backbone").get_weights()[0]).all()


def test_build_classifier_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(path)
    with pytest.raises(TrainingError, match="does not fit"):
        _build(weights=str(path))


def test_build_classifier_missing_weights_say_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="imagenet"):
        _build(weights=str(tmp_path / "none.keras"))


def test_build_classifier_imagenet_where_keras_has_none_is_refused() -> None:
    with pytest.raises(TrainingError, match="no ImageNet weights of efficientnet-lite0"):
        _build("efficientnet-lite0", weights="imagenet")
