"""The picture of a run."""

import dataclasses
from pathlib import Path

import pytest
from PIL import Image

from ml_pipeline.training.curves import write_curves
from ml_pipeline.training.history import EpochResult

ROW = EpochResult(0, 1.2, 0.4, 0.5, 1.0, 0.4, None, 60.0)


@pytest.mark.parametrize("clinical", [None, 0.3], ids=["one modality", "both"])
def test_write_curves_is_the_same_picture_each_time(tmp_path: Path, clinical: float | None) -> None:
    history = [dataclasses.replace(ROW, epoch=epoch, validation_clinical=clinical) for epoch in range(3)]
    for name in ("first.png", "second.png"):
        write_curves(tmp_path / name, history)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    with Image.open(tmp_path / "first.png") as picture:
        assert picture.size == (1100, 440)
