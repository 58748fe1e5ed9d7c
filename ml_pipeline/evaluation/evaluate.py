"""Asking a model artefact about records, through the very code that serves it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import ModelDocument
from ml_models.calibration import calibrated_probabilities
from ml_models.classifier import Classifier
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.metrics import Answers


def logits_for(classifier: Classifier, records: Sequence[Record]) -> NDArray[np.float32]:
    """Decode, preprocess and run every record's photo as the server would; float32 [n, classes]."""
    size_px = classifier.document.input.size_px
    return np.stack([classifier.logits(read_rgb(record, model_input_px=size_px)) for record in records])


def answers_from(document: ModelDocument, logits: NDArray[np.float32], records: Sequence[Record]) -> Answers:
    """Calibrated answers beside the truth. Raises PipelineError for a label that the model does not know."""
    labels = document.labels
    codes = tuple(label.code for label in labels)
    unknown = {record.label for record in records} - set(codes)
    if unknown:
        raise PipelineError(f"Labels {sorted(unknown)} are not among the model's: {', '.join(codes)}.")
    return Answers(
        probabilities=calibrated_probabilities(logits, document.temperature),
        labels=np.array([codes.index(record.label) for record in records], dtype=np.int32),
        groups=np.array([record.group for record in records]),
        codes=codes,
        malignant=np.array([label.malignant is True for label in labels]),
    )
