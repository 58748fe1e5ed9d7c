"""The baseline that a fine-tuned model has to beat: a linear probe on the frozen backbone (Alain and Bengio 2016)."""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ml_models.preprocess import InputSpec
from ml_pipeline.data.records import Record, Split, of_split
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.training.backbones import build_classifier
from ml_pipeline.training.batches import class_indices, load_inputs

_STRENGTHS = (1e-4, 1e-3, 1e-2)


def linear_probe(
    records: Sequence[Record], *, backbone: str, size_px: int, weights: str | None, like: Answers
) -> Answers:
    """Fit a class-balanced logistic regression on pooled features of the training split; answer the test split.

    Its regularisation is chosen by balanced accuracy on validation. `like` gives the label order and groups; a class
    without training photos has a probability of 0.
    """
    model = build_classifier(backbone=backbone, size_px=size_px, classes=len(like.codes), dropout=0.0, weights=weights)
    pooled = keras.Model(model.inputs[0], model.get_layer("pooled").output)
    features, labels = {}, {}
    for split in Split:
        part = of_split(records, split)
        features[split] = _features(pooled, part, InputSpec(size_px))
        labels[split] = class_indices(part, like.codes)
    best = max(
        (_fit(features[Split.TRAIN], labels[Split.TRAIN], strength) for strength in _STRENGTHS),
        key=lambda fit: balanced_accuracy_score(labels[Split.VALIDATION], fit.predict(features[Split.VALIDATION])),
    )
    probabilities = np.zeros((len(labels[Split.TEST]), len(like.codes)))
    probabilities[:, best.classes_] = best.predict_proba(features[Split.TEST])
    return Answers(probabilities, labels[Split.TEST], like.groups, like.codes, like.malignant)


def _features(pooled: keras.Model, records: Sequence[Record], spec: InputSpec) -> NDArray[np.float32]:
    return np.asarray(pooled.predict(load_inputs(records, spec), batch_size=64, verbose=0))


def _fit(features: NDArray[np.float32], labels: NDArray[np.int32], strength: float) -> LogisticRegression:
    regression = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    return make_pipeline(StandardScaler(), regression).fit(features, labels)
