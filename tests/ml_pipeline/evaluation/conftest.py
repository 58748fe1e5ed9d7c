"""Answers and records with chosen truths, and a folder of drawn photos with a table of labels."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from ml_models.classification import Modality
from ml_models.labels import CATALOGUE, CODES
from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.synthetic import write_class_folders
from tests.ml_pipeline.conftest import make_record

MALIGNANT = np.array([bool(label.malignant) for label in CATALOGUE])
MakeAnswers = Callable[..., Answers]


def make_answers(
    predicted: Sequence[str],
    true: Sequence[str],
    *,
    confidence: float = 0.9,
    groups: Sequence[str] | None = None,
    threshold: float | None = None,
) -> Answers:
    """Answers of one confidence, the rest evenly spread; each photo its own lesion unless groups are given."""
    probabilities = np.full((len(true), len(CODES)), (1 - confidence) / (len(CODES) - 1))
    for row, code in enumerate(predicted):
        probabilities[row, CODES.index(code)] = confidence
    labels = np.array([CODES.index(code) for code in true], dtype=np.int32)
    names = np.array(groups or [str(row) for row in range(len(true))])
    thresholds = None if threshold is None else np.full(len(true), threshold)
    return Answers(probabilities, labels, names, CODES, MALIGNANT, thresholds)


def random_answers(photos: int, *, seed: int, lesions: int | None = None, skill: float = 0.3) -> Answers:
    """Answers that lean towards the truth, with ties, over all eight classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(CODES), photos).astype(np.int32)
    probabilities = rng.dirichlet(np.ones(len(CODES)), photos).round(1) + 0.01
    probabilities[np.arange(photos), labels] += skill
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    groups = np.array([f"L{each}" for each in rng.integers(0, lesions or photos, photos)])
    return Answers(probabilities, labels, groups, CODES, MALIGNANT, np.full(photos, 0.4))


def records_of(answers: Answers, modalities: Sequence[Modality] | None = None, **changes: object) -> list[Record]:
    """A record for each answer."""
    return [
        make_record(
            f"photo-{row:03}",
            label=answers.codes[label],
            group=str(answers.groups[row]),
            modality=modalities[row] if modalities else Modality.DERMATOSCOPIC,
            **changes,
        )
        for row, label in enumerate(answers.labels)
    ]


@pytest.fixture
def drawn_photos(tmp_path: Path) -> list[Path]:
    """Eight drawn photos below folders, sorted by path."""
    folder = write_class_folders(tmp_path / "photos", classes=("nevus", "melanoma"), photos_per_class=4, seed=1)
    return sorted(path for path in folder.rglob("*") if path.is_file())
