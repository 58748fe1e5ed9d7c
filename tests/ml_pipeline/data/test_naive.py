"""The leak of careless splits, counted."""

import pytest

from ml_pipeline.data.naive import Leak, leak_by_image, leak_by_lesion_id
from ml_pipeline.data.records import Record
from tests.ml_pipeline.conftest import make_record


def photos(count: int, *, per_group: int, **changes: object) -> list[Record]:
    return [
        make_record(f"{i:04d}", group=f"g{i // per_group}", lesion_id=f"g{i // per_group}", **changes)
        for i in range(count)
    ]


def test_leak_by_image_without_siblings_is_none() -> None:
    assert leak_by_image(photos(100, per_group=1), test=0.2, seed=1) == Leak(20, 0, 0, 0)


def test_leak_by_image_of_pairs_is_nearly_everything() -> None:
    leak = leak_by_image(photos(1000, per_group=2, label="mel"), test=0.2, seed=1)
    assert leak.test == leak.melanomas == 200
    assert leak.leaked == leak.leaked_melanomas
    assert leak.leaked / leak.test == pytest.approx(0.8, abs=0.07)  # the sibling is in training at 800 of 999


def test_leak_by_image_counts_melanomas_apart() -> None:
    records = photos(500, per_group=1) + [
        make_record(f"m{i}", label="mel", group=f"m{i // 5}", lesion_id=f"m{i // 5}") for i in range(500)
    ]
    leak = leak_by_image(records, test=0.2, seed=3)
    assert leak.leaked == leak.leaked_melanomas > 0.95 * leak.melanomas
    assert 0 < leak.melanomas < leak.test


def test_leak_by_lesion_id_holds_lesions_together() -> None:
    assert leak_by_lesion_id(photos(200, per_group=4), test=0.2, seed=1).leaked == 0


def test_leak_by_lesion_id_does_not_know_patients_and_copies() -> None:
    records = [make_record(f"{i}", lesion_id=f"L{i}", group=f"g{i // 2}") for i in range(200)]
    assert leak_by_lesion_id(records, test=0.2, seed=1).leaked > 20


def test_leak_by_lesion_id_photos_without_id_are_lesions_of_their_own() -> None:
    records = [make_record(f"{i}", lesion_id="", group=f"{i}") for i in range(100)]
    assert leak_by_lesion_id(records, test=0.2, seed=1) == Leak(20, 0, 0, 0)


def test_leak_is_that_of_the_seed_and_not_of_the_order() -> None:
    records = photos(300, per_group=3, label="mel")
    first = leak_by_image(records, test=0.2, seed=1)
    assert leak_by_image(records[::-1], test=0.2, seed=1) == first
    assert any(leak_by_image(records, test=0.2, seed=seed) != first for seed in range(2, 8))


@pytest.mark.shared_data
def test_leak_by_image_of_real_ham10000_is_the_known_one(shared_data) -> None:
    """38.8 % of the test photos, 68.2 % of the melanomas, for an 80/20 split by image."""
    from ml_pipeline.data.sources import ham10000

    records = [
        make_record(r.image_id, label=r.label, group=r.lesion_id)
        for r in ham10000.read(shared_data / "HAM10000").records
    ]
    leak = leak_by_image(records, test=0.2, seed=2019)
    assert leak.test == 2003
    assert leak.leaked / leak.test == pytest.approx(0.388, abs=0.03)
    assert leak.leaked_melanomas / leak.melanomas == pytest.approx(0.682, abs=0.07)
