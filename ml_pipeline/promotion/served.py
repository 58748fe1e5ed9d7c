"""What a model answers as a server would: its probabilities beside the truth, and what it tells the person."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_models.classification import Decision, Status
from ml_models.classifier import Classifier
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.evaluate import answers_from
from ml_pipeline.progress import Progress


@dataclass(frozen=True, slots=True)
class Served:
    """Answers to n photos without gates, and what was decided with them: bool [n] each."""

    answers: Answers
    rejected: NDArray[np.bool_]
    uncertain: NDArray[np.bool_]
    safe: NDArray[np.bool_]


def ask(classifier: Classifier, records: Sequence[Record], *, workers: int, progress: Progress) -> Served:
    """Ask about every record's photo, telling the model its modality as a gate would."""
    document = classifier.document

    def answer(record: Record) -> tuple[NDArray[np.float32], Decision]:
        rgb = read_rgb(record, model_input_px=document.input.size_px)
        return classifier.logits(rgb), classifier.classify(rgb, modality=record.modality).decision

    with ThreadPoolExecutor(workers) as pool:
        answered = pool.map(answer, records)
        what = f"asking {document.name}"
        logits, decisions = zip(*progress(answered, what=what, total=len(records), unit="photos"), strict=True)
    statuses = np.array([decision.status for decision in decisions])
    return Served(
        answers_from(document, np.stack(logits), records),
        rejected=np.asarray(statuses == Status.REJECTED),
        uncertain=np.asarray(statuses == Status.UNCERTAIN),
        safe=np.array([decision.is_safe for decision in decisions]),
    )


def with_codes(answers: Answers, codes: Sequence[str]) -> Answers:
    """The same answers with the same classes in another order."""
    columns = np.array([answers.codes.index(code) for code in codes])
    return Answers(
        answers.probabilities[:, columns],
        np.argsort(columns)[answers.labels].astype(np.int32),
        answers.groups,
        tuple(codes),
        answers.malignant[columns],
        answers.thresholds,
        answers.malignancy_known,
    )
