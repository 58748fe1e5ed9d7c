"""Batches: what they hold, and that they do not depend on when they are asked for."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_models.labels import CODES
from ml_models.preprocess import InputSpec
from ml_pipeline.data.records import Record, Split, of_split
from ml_pipeline.training.batches import (
    TrainingBatches,
    TrainingPhotos,
    class_indices,
    in_parts,
    load_inputs,
    load_training_photos,
    log_priors,
)
from ml_pipeline.training.recipes import Augmentation, recipe_named

TINY = dataclasses.replace(recipe_named("tiny"), size_px=32, batch_size=4)


def _photos(count: int = 20, *, softening: float = 0.0) -> TrainingPhotos:
    """Photo i belongs to class i."""
    noise = np.random.default_rng(0).integers(0, 256, (count, 40, 50, 3), dtype=np.uint8)
    return TrainingPhotos(
        frames=list(noise),
        labels=np.arange(count, dtype=np.int32),
        targets=np.eye(count, dtype=np.float32),
        clinical=np.zeros(count, bool),
        softening=np.full(count, softening),
    )


def _classes(targets: NDArray[np.float32]) -> list[int]:
    return targets.argmax(axis=1).tolist()


def test_training_batches_content_depends_on_epoch_and_index_alone() -> None:
    first, second, later = (TrainingBatches(_photos(), TINY, epoch=epoch) for epoch in (0, 0, 1))
    second[0], second[1]
    assert (first[2][0] == second[2][0]).all()
    assert _classes(first[2][1]) != _classes(later[2][1])


def test_training_batches_one_epoch_has_no_photo_twice() -> None:
    batches = TrainingBatches(_photos(), TINY, epoch=0)
    assert len(batches) == 5
    assert sorted(c for index in range(5) for c in _classes(batches[index][1])) == list(range(20))


def test_training_batches_of_fewer_photos_than_a_batch_hold_all() -> None:
    batches = TrainingBatches(_photos(3), TINY, epoch=0)
    assert len(batches) == 1
    assert sorted(_classes(batches[0][1])) == [0, 1, 2]


@pytest.mark.parametrize("level", [True, False])
def test_training_batches_soften_what_they_are_told_to(*, level: bool) -> None:
    still = Augmentation(
        flip=False, rotate=False, scale=0, aspect=0, shift=0, cast=0, brightness=0, contrast=0, soften=0, jpeg=0,
        erase=0, level_sharpness=level,
    )  # fmt: skip
    recipe = dataclasses.replace(TINY, augmentation=still)
    sharp, softened = (TrainingBatches(_photos(softening=chance), recipe, epoch=0)[0][0] for chance in (0.0, 1.0))
    assert (softened.std() < 0.95 * sharp.std()) == level


def test_load_training_photos_packs_truth_prior_and_teacher(tiny_records: tuple[Record, ...]) -> None:
    training = of_split(tiny_records, Split.TRAIN)[:6]
    teacher = np.random.default_rng(0).random((6, len(CODES)), np.float32)
    photos = load_training_photos(training, CODES, TINY, teacher=teacher)
    truth, prior, taught = np.split(photos.targets, 3, axis=1)
    assert [CODES[index] for index in truth.argmax(axis=1)] == [record.label for record in training]
    assert (prior == log_priors(photos.labels, photos.clinical, classes=len(CODES))).all()
    assert (taught == teacher).all()


def test_in_parts_gives_every_input_in_order(tiny_records: tuple[Record, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_pipeline.training.batches._PART", 2)
    parts = list(in_parts(tiny_records[:5], InputSpec(32)))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert (np.concatenate(parts) == load_inputs(tiny_records[:5], InputSpec(32))).all()


def test_log_priors_are_of_the_photos_own_modality() -> None:
    labels = np.array([0, 0, 0, 1, 0, 1, 1, 1], np.int32)
    clinical = np.arange(8) >= 4
    priors = np.exp(log_priors(labels, clinical, classes=2))
    assert priors[0] == pytest.approx([0.75, 0.25])
    assert priors[-1] == pytest.approx([0.25, 0.75])


def test_log_priors_a_class_that_is_absent_counts_as_middling() -> None:
    labels = np.array([0, 0, 0, 1], np.int32)
    row = log_priors(labels, np.zeros(4, bool), classes=3)[0]
    assert row[2] == pytest.approx((row[0] + row[1]) / 2)


def test_class_indices_follow_the_given_order(tiny_records: tuple[Record, ...]) -> None:
    indices = class_indices(tiny_records, CODES)
    assert [CODES[index] for index in indices] == [record.label for record in tiny_records]
