"""What a model answers as a server would: its probabilities beside the truth, and what it tells the person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_models.classification import Status
from ml_models.classifier import Classifier
from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.evaluate import ask
from ml_pipeline.evaluation.served import served_answers
from ml_pipeline.progress import Progress


@dataclass(frozen=True, slots=True)
class Served:
    """Answers to n photos without gates, and what was decided with them: bool [n] each."""

    answers: Answers
    rejected: NDArray[np.bool_]
    uncertain: NDArray[np.bool_]
    safe: NDArray[np.bool_]


def serve(classifier: Classifier, records: Sequence[Record], *, workers: int, progress: Progress) -> Served:
    """Ask about every record's photo, its modality as the model's own gate finds it."""
    given = ask(classifier, records, workers=workers, progress=progress)
    statuses = np.array([each.decision.status for each in given])
    return Served(
        served_answers(classifier.document, given, records),
        rejected=np.asarray(statuses == Status.REJECTED),
        uncertain=np.asarray(statuses == Status.UNCERTAIN),
        safe=np.array([each.decision.is_safe for each in given]),
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
