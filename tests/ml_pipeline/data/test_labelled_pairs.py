"""Recall and wrong joins, measured on pictures whose truth is known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ml_pipeline.data import labelled_pairs
from ml_pipeline.data.changes import CHANGES
from ml_pipeline.data.deduplicate import Limits
from ml_pipeline.data.labelled_pairs import RADII, THRESHOLDS, Measured, measure
from ml_pipeline.progress import silence
from tests.ml_pipeline.data.conftest import Photo, encoded

FEW = {
    name: CHANGES[name]
    for name in ("resized to half", "JPEG quality 30", "flip or quarter turn", "turned 30 degrees, cut")
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory, lesions: Sequence[Photo]) -> list[Path]:
    """Files of six lesions."""
    folder = tmp_path_factory.mktemp("labelled")
    for number, photo in enumerate(lesions[:6]):
        (folder / f"{number}.jpg").write_bytes(encoded(photo))
    return sorted(folder.iterdir())


def measured(
    paths: Sequence[Path], monkeypatch: pytest.MonkeyPatch, *, limits: Limits | None = None, seed: int = 1
) -> Measured:
    """In this process, of few changes."""
    monkeypatch.setattr(labelled_pairs, "CHANGES", FEW)
    return measure(paths, limits=limits or Limits(), seed=seed, workers=1, progress=silence)


def test_measure_counts_a_row_for_every_change(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = measured(paths, monkeypatch)
    assert outcome.pictures == 6
    assert [row.change for row in outcome.recalls] == list(FEW)
    for row in outcome.recalls:
        assert row.copies == 6
        proposed = [row.proposed_within[radius] for radius in RADII]
        assert proposed == sorted(proposed)
        assert row.joined <= proposed[-1] <= row.copies


def test_measure_finds_what_is_easy_and_shows_what_it_cannot_find(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = {row.change: row.joined for row in measured(paths, monkeypatch).recalls}
    assert [joined[name] for name in list(FEW)[:3]] == [6, 6, 6]
    assert joined["turned 30 degrees, cut"] <= 1  # beyond the search: the row must say so


def test_measure_thresholds_trade_recall_for_precision(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = measured(paths, monkeypatch)
    assert [each.correlation for each in outcome.thresholds] == list(THRESHOLDS)
    recalls = [each.recall for each in outcome.thresholds]
    wrong = [each.wrongly_joined for each in outcome.thresholds]
    assert recalls == sorted(recalls, reverse=True)
    assert wrong == sorted(wrong, reverse=True)
    at_limit = next(each for each in outcome.thresholds if each.correlation == Limits().correlation)
    assert at_limit.recall == sum(row.joined for row in outcome.recalls) / (6 * len(FEW))
    assert at_limit.wrongly_joined == outcome.wrongly_joined == 0
    assert at_limit.precision == 1


def test_measure_counts_wrong_joins_once_each(
    tmp_path: Path, lesions: Sequence[Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One picture given twice as if it were two lesions: the pair itself, and each with the other's copy."""
    monkeypatch.setattr(labelled_pairs, "CHANGES", {"resized to half": CHANGES["resized to half"]})
    paths = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for path in paths:
        path.write_bytes(encoded(lesions[0]))
    outcome = measure(paths, limits=Limits(), seed=1, workers=1, progress=silence)
    assert outcome.recalls[0].joined == 2
    assert outcome.wrongly_joined == 4  # a-b, a-b', b-a', a'-b'
    [at_limit] = [each for each in outcome.thresholds if each.correlation == Limits().correlation]
    assert at_limit.precision == pytest.approx(2 / 6)


def test_measure_counts_a_pair_of_originals_once_for_all_changes(
    tmp_path: Path, lesions: Sequence[Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two originals that are alike are one wrong join, however many changes are measured beside them."""

    def noise(photo: Photo, rng: np.random.Generator) -> Photo:
        return rng.integers(0, 256, photo.shape, np.uint8)

    paths = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for path in paths:
        path.write_bytes(encoded(lesions[0]))
    monkeypatch.setattr(labelled_pairs, "CHANGES", dict.fromkeys(("one", "two", "three"), noise))
    assert measure(paths, limits=Limits(), seed=1, workers=1, progress=silence).wrongly_joined == 1


def test_measure_is_that_of_the_seed(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (measured(paths, monkeypatch) for _ in range(2))
    assert first == second


def test_measure_by_two_processes_is_the_same(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled_pairs, "CHANGES", FEW)  # the other processes know all, and are asked for these
    one, two = (measure(paths[:2], limits=Limits(), seed=3, workers=workers, progress=silence) for workers in (1, 2))
    assert one == two
    assert [row.change for row in one.recalls] == list(FEW)


def test_measured_as_json_has_every_row_with_the_bad_ones(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = measured(paths, monkeypatch)
    as_json = outcome.as_json()
    assert as_json["pictures"] == 6
    assert set(as_json["changes"]) == set(FEW)
    for row in outcome.recalls:
        assert as_json["changes"][row.change]["joined"] == row.joined
        assert as_json["changes"][row.change]["proposed within 8 bits"] == row.proposed_within[8]
    assert len(as_json["thresholds"]) == len(THRESHOLDS)
