"""Maps against lesion masks."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.bootstrap import estimate_mean
from ml_pipeline.evaluation.saliency import (
    CENTRE,
    MODEL,
    RANDOM,
    Figure,
    MaskedPhoto,
    centre_blob,
    energy_inside,
    masked_photos,
    measure_saliency,
    peak_is_inside,
    printed_saliency,
    rank_correlation,
)
from tests.ml_pipeline.conftest import make_record

UPPER_LEFT = np.zeros((75, 100), bool)
UPPER_LEFT[:37, :50] = True


def grid_at(row: int, column: int) -> NDArray[np.float32]:
    grid = np.zeros((5, 5), np.float32)
    grid[row, column] = 1
    return grid


def test_peak_is_inside_only_where_the_mask_is() -> None:
    assert peak_is_inside(grid_at(1, 1), UPPER_LEFT)
    assert not peak_is_inside(grid_at(1, 3), UPPER_LEFT)
    assert not peak_is_inside(np.zeros((5, 5), np.float32), np.ones((75, 100), bool))


def test_energy_inside_is_the_share_of_the_map() -> None:
    assert energy_inside(np.ones((5, 5), np.float32), UPPER_LEFT) == pytest.approx(UPPER_LEFT.mean())
    assert energy_inside(grid_at(0, 0), UPPER_LEFT) == pytest.approx(1)
    assert energy_inside(grid_at(4, 4), UPPER_LEFT) == pytest.approx(0)
    assert energy_inside(np.zeros((5, 5), np.float32), UPPER_LEFT) == 0


def test_rank_correlation_of_a_map_with_itself_its_negative_and_nothing() -> None:
    grid = np.random.default_rng(1).random((5, 5)).astype(np.float32)
    assert rank_correlation(grid, grid) == pytest.approx(1)
    assert rank_correlation(grid, -grid) == pytest.approx(-1)
    assert rank_correlation(grid, np.zeros_like(grid)) == 0


@pytest.mark.parametrize("grid", [5, 7])
def test_centre_blob_peaks_in_the_middle_and_is_symmetric(grid: int) -> None:
    blob = centre_blob(grid)
    assert blob[grid // 2, grid // 2] == 1
    np.testing.assert_allclose(blob, blob[::-1, ::-1], atol=1e-6)
    np.testing.assert_allclose(blob, blob.T, atol=1e-6)


def test_measure_tells_good_maps_from_a_blob_and_from_random_ones() -> None:
    """Lesions in the upper left: maps that lie there win over the centre, and random ones show nothing of theirs."""
    photos = [MaskedPhoto(make_record(f"photo-{n}", group=f"group-{n // 2}"), UPPER_LEFT) for n in range(20)]
    rng = np.random.default_rng(3)
    noise = rng.random((20, 5, 5)).astype(np.float32)
    maps = np.stack([0.9 * grid_at(1, 1) + 0.1 * each for each in noise]).astype(np.float32)
    random = rng.random((4, 20, 5, 5)).astype(np.float32)
    saliency = measure_saliency(photos, maps, random)
    assert (saliency.photos, saliency.lesions) == (20, 10)
    assert saliency.lesion_share.value == pytest.approx(UPPER_LEFT.mean())
    assert saliency.figures[MODEL][Figure.POINTING].value == 1
    assert saliency.figures[CENTRE][Figure.POINTING].value == 0
    assert saliency.gains[CENTRE][Figure.POINTING].value == 1
    assert saliency.gains[RANDOM][Figure.ENERGY].low > 0
    assert abs(saliency.figures[RANDOM][Figure.CORRELATION].value) < 0.1
    assert Figure.CORRELATION not in saliency.figures[MODEL]
    assert np.mean(saliency.network_correlations) == pytest.approx(saliency.figures[RANDOM][Figure.CORRELATION].value)
    printed = printed_saliency(saliency)
    assert "20 photos of 10 lesions" in printed
    assert f"| {MODEL} | 1.000 [1.000, 1.000] |" in printed


def test_estimate_mean_draws_whole_lesions() -> None:
    """Twenty photos that all agree within two lesions are two cases, not twenty."""
    values = np.repeat([0.0, 1.0], 10)
    of_two = estimate_mean(values, np.repeat(["a", "b"], 10))
    of_twenty = estimate_mean(values, np.array([str(n) for n in range(20)]))
    assert of_two.value == of_twenty.value == 0.5
    assert (of_two.low, of_two.high) == (0, 1)
    assert of_twenty.low > 0.2


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """Three photos of 40 x 30 pixels, and masks: one that fits, one empty, one of a square."""
    folder = tmp_path / "masks"
    folder.mkdir()
    for name, mask in {"a": np.full((60, 80), 255), "b": np.zeros((60, 80)), "c": np.full((60, 60), 255)}.items():
        cv2.imwrite(str(folder / f"{name}.png"), mask.astype(np.uint8))
    for name in "abcd":
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), np.zeros((30, 40, 3), np.uint8))
    return folder


def test_masked_photos_leaves_out_what_cannot_be_judged(masks: Path) -> None:
    records = [make_record(name, path=str(masks.parent / f"{name}.jpg")) for name in "abcd"]
    found = masked_photos(records, masks)
    assert [photo.record.image_id for photo in found.photos] == ["a"]
    assert found.photos[0].mask.shape == (60, 80)
    assert (found.without_mask, found.misfits) == (1, 2)


def test_masked_photos_cuts_a_wide_mask_to_the_frame_that_the_model_sees(masks: Path) -> None:
    mask = np.zeros((60, 120), np.uint8)
    mask[:, 20:100] = 255
    cv2.imwrite(str(masks / "a.png"), mask)
    cv2.imwrite(str(masks.parent / "a.jpg"), np.zeros((30, 60, 3), np.uint8))
    found = masked_photos([make_record("a", path=str(masks.parent / "a.jpg"))], masks)
    assert found.photos[0].mask.shape == (60, 80)
    assert found.photos[0].mask.all()


def test_masked_photos_limit_draws_the_same_ones_again(masks: Path) -> None:
    for name in "bc":
        cv2.imwrite(str(masks / f"{name}.png"), np.full((60, 80), 255, np.uint8))
    records = [make_record(name, path=str(masks.parent / f"{name}.jpg")) for name in "abcd"]
    found = masked_photos(records, masks, limit=2)
    assert len(found.photos) == 2
    assert found.photos[0].record == masked_photos(records, masks, limit=2).photos[0].record


@pytest.mark.parametrize(("ids", "said"), [("d", "1 have no mask"), ("c", "one that is empty or of other proportions")])
def test_masked_photos_without_any_says_why(masks: Path, ids: str, said: str) -> None:
    records = [make_record(name, path=str(masks.parent / f"{name}.jpg")) for name in ids]
    with pytest.raises(PipelineError, match=said):
        masked_photos(records, masks)


def test_masked_photos_no_folder_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="lesion masks"):
        masked_photos([make_record("a")], tmp_path / "nowhere")
