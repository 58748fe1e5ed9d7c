"""Changed copies: what each change promises, and that none of them touches its input."""

from collections.abc import Sequence

import numpy as np
import pytest

from ml_pipeline.data.changes import CHANGES, cropped, in_turn, mirrored_or_turned, resized, squashed, turned_by
from tests.ml_pipeline.data.conftest import Photo


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("size", ["landscape", "portrait"])
def test_change_gives_another_photo_and_leaves_the_first_alone(lesions: Sequence[Photo], name: str, size: str) -> None:
    photo = lesions[0] if size == "landscape" else np.ascontiguousarray(lesions[0].swapaxes(0, 1))
    before = photo.copy()
    changed = CHANGES[name](photo, np.random.default_rng(1))
    assert (photo == before).all()
    assert changed.dtype == np.uint8
    assert changed.shape[2:] == (3,)
    assert changed.shape != photo.shape or (changed != photo).any()


@pytest.mark.parametrize("name", CHANGES)
def test_change_same_seed_same_photo(lesions: Sequence[Photo], name: str) -> None:
    first, second = (CHANGES[name](lesions[1], np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, second)


def test_cropped_centred_keeps_the_middle() -> None:
    photo = np.arange(100 * 200 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 200, 3)
    kept = cropped(0.5)(photo, np.random.default_rng(0))
    assert np.array_equal(kept, photo[25:75, 50:150])


def test_cropped_anywhere_stays_inside_and_moves() -> None:
    places = {
        cropped(0.8, centred=False)(
            np.indices((50, 60)).sum(axis=0).astype(np.uint8)[..., np.newaxis], np.random.default_rng(seed)
        ).tobytes()
        for seed in range(20)
    }
    assert len(places) > 5


def test_resized_and_squashed_have_the_sizes_of_their_names(lesions: Sequence[Photo]) -> None:
    rng = np.random.default_rng(0)
    assert resized(0.5)(lesions[0], rng).shape == (112, 150, 3)
    assert squashed(256)(lesions[0], rng).shape == (256, 256, 3)
    assert in_turn(squashed(100), resized(2.0))(lesions[0], rng).shape == (200, 200, 3)


def test_turned_by_leaves_no_corner_from_beyond_the_photo() -> None:
    white = np.full((300, 400, 3), 255, np.uint8)
    white[:3] = white[-3:] = 0
    white[:, :3] = white[:, -3:] = 0  # the border would show where the cut is too wide
    for degrees in (3, 10, 30):
        turned = turned_by(degrees)(white, np.random.default_rng(0))
        assert turned[8:-8, 8:-8].min() > 250
        assert abs(turned.shape[1] / turned.shape[0] - 4 / 3) < 0.03


def test_mirrored_or_turned_never_gives_the_photo_itself_and_reaches_all_seven() -> None:
    photo = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    seen = {
        (turned.shape, turned.tobytes())
        for turned in (mirrored_or_turned(photo, np.random.default_rng(seed)) for seed in range(100))
    }
    assert len(seen) == 7
    assert (photo.shape, photo.tobytes()) not in seen
