"""The linear probe on a frozen backbone."""

import numpy as np

from ml_models.labels import CODES
from ml_pipeline.data.records import Record, Split, of_split
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.probe import linear_probe
from tests.ml_pipeline.evaluation.conftest import MALIGNANT


def test_linear_probe_class_without_training_photos_gets_nothing_and_shifts_no_other(
    tiny_records: tuple[Record, ...],
) -> None:
    records = [record for record in tiny_records if record.label != "bcc" or record.split is not Split.TRAIN]
    test = of_split(records, Split.TEST)
    labels = np.array([CODES.index(record.label) for record in test], np.int32)
    groups = np.array([record.group for record in test])
    like = Answers(np.full((len(test), len(CODES)), 1 / len(CODES)), labels, groups, CODES, MALIGNANT)
    answers = linear_probe(records, backbone="tiny", size_px=64, weights=None, like=like)
    assert answers.probabilities.shape == like.probabilities.shape
    nothing = np.flatnonzero(answers.probabilities.sum(axis=0) == 0)
    assert [CODES[index] for index in nothing] == ["bcc"]
