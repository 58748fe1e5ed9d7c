"""The ablation protocol: one change at a time, and its table."""

import dataclasses
from pathlib import Path

import pytest

from ml_pipeline.ablation import ablate, table
from ml_pipeline.errors import TrainingError
from ml_pipeline.training.history import EpochResult, read_history, write_history
from ml_pipeline.training.recipes import CHANGES

BASE = CHANGES[0].recipe
STARTS = {"mobilenetv2": "a.keras", "lite0": "b.keras", "none": "none"}
FREE = {"name", "seed", "frozen_through"}  # a change of the network or its start names other layers


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Runs that would have been trained: recipe and start. Each "gives" a history of four epochs."""
    asked = []

    def pretend(_records: Path, recipe: str, start: str, run: Path) -> None:
        asked.append((recipe, start))
        run.mkdir(parents=True)
        better = 0.1 if recipe == "ablation-lite0" else 0.0
        row = EpochResult(0, 1.0, 0.4, 0.5, 1.0, 0.4, 0.3, 60.0)
        best = dataclasses.replace(row, epoch=1, validation_balanced_accuracy=0.5 + better)
        write_history([row, best, *(dataclasses.replace(row, epoch=epoch) for epoch in (2, 3))], run)

    monkeypatch.setattr("ml_pipeline.ablation._train", pretend)
    return asked


@pytest.mark.parametrize("change", CHANGES[1:], ids=lambda change: change.recipe.name)
def test_change_differs_from_the_base_in_one_thing(change: object) -> None:
    recipe = change.recipe  # type: ignore[attr-defined]
    names = {field.name for field in dataclasses.fields(BASE)}
    changed = {name for name in names if getattr(recipe, name) != getattr(BASE, name)} - FREE
    if recipe.name in {"ablation-second-seed", "ablation-from-nothing"}:
        assert not changed
    elif recipe.name == "ablation-class-balanced":
        assert changed == {"sampling", "logit_adjustment"}  # one instead of the other
    else:
        assert len(changed) == 1


def test_ablate_trains_each_change_from_its_start(trained: list[tuple[str, str]], tmp_path: Path) -> None:
    rows = ablate(tmp_path / "records.csv", starts=STARTS, only=(), out=tmp_path)
    assert len(rows) == len(CHANGES) == len(trained)
    assert ("ablation-base", "a.keras") in trained
    assert ("ablation-lite0", "b.keras") in trained
    assert ("ablation-from-nothing", "none") in trained


def test_ablate_only_some_reads_what_is_there(trained: list[tuple[str, str]], tmp_path: Path) -> None:
    ablate(tmp_path / "records.csv", starts=STARTS, only=["ablation-base"], out=tmp_path)
    rows = ablate(tmp_path / "records.csv", starts=STARTS, only=["ablation-lite0"], out=tmp_path)
    assert [name for name, _ in trained] == ["ablation-base", "ablation-lite0"]
    assert [row.what for row in rows] == ["base", "EfficientNet-Lite0"]
    assert rows[0].minutes == 4


def test_ablate_without_a_finished_base_says_what_to_add(trained: list[tuple[str, str]], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="--only ablation-base"):
        ablate(tmp_path / "records.csv", starts=STARTS, only=["ablation-lite0"], out=tmp_path)


def test_ablate_leaves_out_what_is_not_finished(trained: list[tuple[str, str]], tmp_path: Path) -> None:
    ablate(tmp_path / "records.csv", starts=STARTS, only=["ablation-base", "ablation-lite0"], out=tmp_path)
    run = tmp_path / "ablation-lite0"
    write_history(read_history(run)[:2], run)
    rows = ablate(tmp_path / "records.csv", starts=STARTS, only=["ablation-cutmix"], out=tmp_path)
    assert [row.what for row in rows] == ["base", "cutmix in half of the batches"]


def test_ablate_unknown_change_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="No change"):
        ablate(tmp_path / "records.csv", starts=STARTS, only=["nothing"], out=tmp_path)


def test_table_shows_the_best_epoch_and_the_difference_to_the_base(
    trained: list[tuple[str, str]], tmp_path: Path
) -> None:
    text = table(ablate(tmp_path / "r.csv", starts=STARTS, only=["ablation-base", "ablation-lite0"], out=tmp_path))
    base, lite0 = text.splitlines()[2:]
    assert "| 0.500 | +0.000 |" in base
    assert "| 0.600 | +0.100 |" in lite0
