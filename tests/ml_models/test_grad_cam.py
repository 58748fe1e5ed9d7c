"""The linear map against Grad-CAM (Selvaraju 2017) by gradients, on the Keras model that the artefact was made from."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_models.artefact import KERAS_MODEL
from ml_models.classifier import Classifier
from ml_models.explanation import heat
from ml_models.preprocess import preprocess
from ml_models.shipped import SHIPPED_MODEL
from ml_pipeline.synthetic import Scene, draw

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def grad_cam():
    """Maps of all classes of one input by gradients of the logits, ReLU, peak scaled to 1; float32 [classes, g, g]."""
    import keras
    import tensorflow as tf

    model = keras.models.load_model(SHIPPED_MODEL / KERAS_MODEL, compile=False)
    pooled, logits = model.get_layer("pooled"), model.get_layer("logits")

    def maps(image: NDArray[np.float32]) -> NDArray[np.float32]:
        features = model(image[np.newaxis], training=False)["feature_map"]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(features)
            scores = tf.unstack(logits(pooled(features))[0])
        np.testing.assert_allclose(model(image[np.newaxis], training=False)["logits"][0], scores, atol=1e-4)
        found = []
        for score in scores:
            importance = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2), keepdims=True)
            evidence = tf.nn.relu(tf.reduce_sum(importance * features, axis=-1))[0].numpy()
            found.append(evidence / (evidence.max() or 1))
        return np.stack(found)

    return maps


@pytest.mark.parametrize("lesion", ["mel", "nv", "bcc", "akiec"])
def test_heat_of_every_class_equals_grad_cam_on_the_logits(
    grad_cam, shipped_classifier: Classifier, lesion: str
) -> None:
    rgb = draw(Scene(lesion=lesion), width_px=600, height_px=450, seed=5)
    activations = shipped_classifier.classify(rgb, explain=True).photos[0].activations
    assert activations is not None
    expected = grad_cam(preprocess(rgb, shipped_classifier.document.input))
    assert sum(bool(grid.any()) for grid in expected) >= 4
    np.testing.assert_allclose(np.stack([heat(grid) for grid in activations.values()]), expected, atol=1e-3)
