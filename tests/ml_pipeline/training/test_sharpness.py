"""Softening so that sharpness does not tell the class."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml_models.classification import Modality
from ml_pipeline.data.records import Record
from ml_pipeline.training.sharpness import recompress, soften, softening
from tests.ml_pipeline.conftest import make_record


def _records(label: str, *, sharp: int, soft: int, modality: Modality = Modality.DERMATOSCOPIC) -> list[Record]:
    sides = [224] * sharp + [150] * soft
    return [
        make_record(f"{label}-{modality}-{i}", label=label, width_px=224, height_px=side, modality=modality)
        for i, side in enumerate(sides)
    ]


def test_softening_brings_every_class_down_to_the_softest() -> None:
    records = [
        *_records("mel", sharp=20, soft=20),
        *_records("vasc", sharp=32, soft=8),
        *_records("nv", sharp=30, soft=10),
    ]
    chances = softening(records)
    sharp = np.array([record.height_px == 224 for record in records])
    for label in ("mel", "vasc", "nv"):
        of_class = np.array([record.label == label for record in records])
        left_sharp = (1 - chances[of_class & sharp]).sum() / of_class.sum()
        assert left_sharp == pytest.approx(0.5)
    assert (chances[~sharp] == 0).all()


def test_softening_looks_at_each_modality_alone() -> None:
    records = [
        *_records("mel", sharp=10, soft=10),
        *_records("nv", sharp=10, soft=10),
        *_records("nv", sharp=20, soft=0, modality=Modality.CLINICAL),
    ]
    assert (softening(records) == 0).all()


def test_softening_a_handful_of_photos_sets_no_mark() -> None:
    records = [*_records("mel", sharp=15, soft=5), *_records("nv", sharp=30, soft=10), *_records("df", sharp=0, soft=3)]
    assert (softening(records) == 0).all()


def test_softening_does_not_depend_on_the_order() -> None:
    records = [*_records("mel", sharp=20, soft=20), *_records("nv", sharp=30, soft=10)]
    assert (softening(records)[::-1] == softening(records[::-1])).all()


def test_soften_takes_detail_and_keeps_the_size(lesion_rgb: NDArray[np.uint8]) -> None:
    softened = soften(lesion_rgb, np.random.default_rng(0))
    assert softened.shape == lesion_rgb.shape
    assert cv2.Laplacian(softened, cv2.CV_32F).var() < 0.8 * cv2.Laplacian(lesion_rgb, cv2.CV_32F).var()


def test_recompress_keeps_the_order_of_channels() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 200
    assert np.abs(recompress(red, 95).mean(axis=(0, 1)) - [200, 0, 0]).max() < 3
