"""Photos without a lesion: splits of their own, and drawn ones to learn from."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_pipeline.data.records import Split
from ml_pipeline.errors import PipelineError
from ml_pipeline.gating.negatives import (
    drawn_lesions,
    drawn_negatives,
    find_negatives,
    read_negative,
    skin_beside,
    views,
)


def _write(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((20, 20, 3), number, np.uint8))
    return folder


def test_find_negatives_splits_by_content_and_keeps_equal_files_together(tmp_path: Path) -> None:
    folder = _write(tmp_path / "walls", 200)
    (folder / "copy.png").write_bytes((folder / "7.png").read_bytes())
    found = find_negatives(folder)
    split_of = dict(zip((path.name for path in found.paths), found.splits, strict=True))
    assert found.name == "walls"
    assert split_of["copy.png"] is split_of["7.png"]
    for split, share in ((Split.TRAIN, 0.5), (Split.VALIDATION, 0.25), (Split.TEST, 0.25)):
        assert len(found.of_split(split)) == pytest.approx(share * 201, abs=25)


def test_find_negatives_held_out_are_all_for_the_test(tmp_path: Path) -> None:
    found = find_negatives(_write(tmp_path / "hands", 3), held_out=True)
    assert len(found.of_split(Split.TEST)) == 3


def test_find_negatives_of_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="no lesion"):
        find_negatives(tmp_path)


def test_read_negative_that_is_no_photo_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"nothing")
    with pytest.raises(PipelineError, match=r"broken\.jpg"):
        read_negative(path, model_input_px=32)


def test_drawn_photos_depend_on_the_seed_alone() -> None:
    for draw in (drawn_negatives, drawn_lesions):
        first, again, other = (np.stack(list(draw(count=6, seed=seed))) for seed in (1, 1, 2))
        assert (first == again).all()
        assert (first != other).any()


def test_views_are_parts_of_the_photo() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (60, 90, 3)).astype(np.uint8)
    for view in views(photo, count=20, rng=np.random.default_rng(0)):
        assert view.dtype == np.uint8
        assert 16 <= view.shape[0] <= 60
        assert 16 <= view.shape[1] <= 90


def test_skin_beside_holds_nothing_of_the_lesion() -> None:
    photo = np.zeros((120, 160, 3), np.uint8)
    lesion = np.zeros((120, 160), bool)
    lesion[10:50, 20:70] = True
    photo[lesion] = 255
    for seed in range(20):
        patch = skin_beside(photo, lesion, rng=np.random.default_rng(seed))
        assert patch is not None
        assert patch.shape == (40, 53, 3)
        assert not patch.any()


def test_skin_beside_a_lesion_that_fills_the_photo_is_none() -> None:
    lesion = np.ones((60, 60), bool)
    assert skin_beside(np.zeros((60, 60, 3), np.uint8), lesion, rng=np.random.default_rng(0)) is None
