"""What the network says about the photo itself."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_models.classification import Modality
from ml_models.errors import InferenceError
from ml_models.heads import COVERAGE, KINDS, NO_HEADS, read_heads


def outputs(kinds: list[float], coverage: NDArray[np.float32] | None = None) -> dict[str, NDArray[np.float32]]:
    """Outputs of one photo; without a coverage nothing is covered."""
    grid = np.zeros((4, 4, 1), np.float32) if coverage is None else coverage[..., np.newaxis].astype(np.float32)
    return {KINDS: np.array(kinds, np.float32), COVERAGE: grid}


def test_read_heads_of_a_network_without_heads_knows_nothing() -> None:
    assert read_heads({"logits": np.zeros(8, np.float32)}) is NO_HEADS
    assert NO_HEADS.modality(certainty=0.0) is None


def test_read_heads_lesion_photo_is_the_probability_of_either_modality() -> None:
    assert read_heads(outputs([0, 0, 0])).scores["lesion_photo"] == pytest.approx(2 / 3)
    assert read_heads(outputs([0, 0, 50])).scores["lesion_photo"] == pytest.approx(0)


def test_modality_is_believed_from_its_certainty_on() -> None:
    heads = read_heads(outputs([0, 2, 0]))
    certainty = 1 / (1 + np.exp(-2))
    assert heads.scores["modality_certainty"] == pytest.approx(certainty)
    assert heads.modality(certainty=certainty - 1e-6) is Modality.CLINICAL
    assert heads.modality(certainty=certainty + 1e-6) is None


def test_read_heads_lesion_scores_are_of_the_clipped_coverage() -> None:
    grid = np.full((4, 4), -3.0)
    grid[1:3, 1:3] = 9.0
    scores = read_heads(outputs([0, 0, 0], grid)).scores
    assert (scores["lesion_share"], scores["lesion_inside"]) == (0.25, 1.0)


@pytest.mark.parametrize("side", [np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]], ids=str)
def test_read_heads_lesion_along_any_side_is_cut_off(side: tuple[object, ...]) -> None:
    grid = np.zeros((4, 4))
    grid[side] = 1.0
    assert read_heads(outputs([0, 0, 0], grid)).scores["lesion_inside"] == 0.0


@pytest.mark.parametrize("broken", [KINDS, COVERAGE])
def test_read_heads_that_are_not_finite_are_refused(broken: str) -> None:
    values = outputs([0, 0, 0])
    values[broken] = np.full_like(values[broken], np.nan)
    with pytest.raises(InferenceError):
        read_heads(values)
