"""Asking a model artefact about records, through the very code that serves it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import ModelDocument
from ml_models.calibration import softmax
from ml_models.classification import Classification, Modality
from ml_models.classifier import Classifier
from ml_models.patient import NOBODY
from ml_pipeline.calibration.cases import facts_of
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.progress import Progress, silence


def ask(
    classifier: Classifier, records: Sequence[Record], *, workers: int = 1, progress: Progress = silence
) -> list[Classification]:
    """What the server would answer to every record's photo alone.

    Threads: decoding and inference leave Python's lock. The classifier needs an interpreter for each worker.
    """
    size_px = classifier.document.input.size_px

    def answer(record: Record) -> Classification:
        return classifier.classify(read_rgb(record, model_input_px=size_px))

    with ThreadPoolExecutor(workers) as pool:
        asked = pool.map(answer, records)
        return list(progress(asked, what="asking the model", total=len(records), unit="photos"))


def logits_of(given: Sequence[Classification]) -> NDArray[np.float32]:
    """The network's own outputs float32 [n, classes] behind answers to single photos."""
    return np.stack([each.photos[0].logits for each in given])


def answers_from(
    document: ModelDocument,
    logits: NDArray[np.float32],
    records: Sequence[Record],
    *,
    patient_facts: bool = False,
    modality_known: bool = True,
) -> Answers:
    """Calibrated answers beside the truth, by the photo alone or with what is known of age, sex and site.

    Without `modality_known` they are those of a server that no gate tells what kind of photo it has. Raises
    PipelineError for a label that the model does not know.
    """
    modalities = [record.modality if modality_known else None for record in records]
    probabilities = [
        document.probabilities(each, modality=modality, patient=facts_of(record) if patient_facts else NOBODY)
        for each, modality, record in zip(logits, modalities, records, strict=True)
    ]
    return _answers(document, np.stack(probabilities), records, modalities)


def answers_of(
    document: ModelDocument,
    logits: NDArray[np.float32],
    records: Sequence[Record],
    modalities: Sequence[Modality | None],
) -> Answers:
    """Calibrated answers by the photo alone, each as one of the modality that somebody or some gate believes."""
    rows = zip(logits, modalities, strict=True)
    probabilities = [document.probabilities(each, modality=modality) for each, modality in rows]
    return _answers(document, np.stack(probabilities), records, modalities)


def uncalibrated_answers(document: ModelDocument, logits: NDArray[np.float32], records: Sequence[Record]) -> Answers:
    """The same with the network's own softmax: what calibration started from."""
    return _answers(document, softmax(logits), records, [record.modality for record in records])


def _answers(
    document: ModelDocument,
    probabilities: NDArray[np.float64],
    records: Sequence[Record],
    modalities: Sequence[Modality | None],
) -> Answers:
    codes = document.codes
    unknown = {record.label for record in records} - set(codes)
    if unknown:
        raise PipelineError(f"Labels {sorted(unknown)} are not among the model's: {', '.join(codes)}.")
    return Answers(
        probabilities=probabilities,
        labels=np.array([codes.index(record.label) for record in records], dtype=np.int32),
        groups=np.array([record.group for record in records]),
        codes=codes,
        malignant=np.array([label.malignant is True for label in document.labels]),
        thresholds=_thresholds(document, modalities),
        malignancy_known=all(label.malignant is not None for label in document.labels),
    )


def _thresholds(document: ModelDocument, modalities: Sequence[Modality | None]) -> NDArray[np.float64] | None:
    """What serving would flag each photo by, [n]: the threshold of its modality, else the most cautious one."""
    if not document.malignancy_thresholds:
        return None
    return np.array([document.rules.threshold_for(modality) for modality in modalities], dtype=np.float64)
