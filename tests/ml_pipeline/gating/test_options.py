"""The folders that gates need: all of them, or none."""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_pipeline.data.records import Split
from ml_pipeline.errors import PipelineError
from ml_pipeline.gating.options import NO_GATING, GatingFolders, add_options, folders_from


def _given(*arguments: str) -> GatingFolders:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return folders_from(vars(parser.parse_args(arguments)))


def test_folders_from_nothing_is_no_gating() -> None:
    assert _given() == NO_GATING
    assert NO_GATING.photos() is None


@pytest.mark.parametrize("half", [("--negatives", "a"), ("--masks", "a"), ("--held-out-negatives", "a")], ids=str)
def test_photos_of_half_of_the_folders_are_refused(half: tuple[str, str]) -> None:
    with pytest.raises(PipelineError, match="both --negatives and --masks"):
        _given(*half).photos()


def test_photos_held_out_have_no_say(tmp_path: Path) -> None:
    for name in ("walls", "hands"):
        (tmp_path / name).mkdir()
        for number in range(8):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), np.full((20, 20, 3), number, np.uint8))
    walls, hands = str(tmp_path / "walls"), str(tmp_path / "hands")
    photos = _given("--negatives", walls, "--held-out-negatives", hands, "--masks", str(tmp_path)).photos()
    assert photos is not None
    assert [source.name for source in photos.negatives] == ["walls", "hands"]
    assert len(photos.negatives[1].of_split(Split.TEST)) == 8
    assert photos.as_json()["held_out"] == ["hands"]
