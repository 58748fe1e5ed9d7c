"""`retrain_model` and `evaluate_model` as an operator calls them, on tiny data."""

import io
import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from api.management.commands import retrain_model
from ml_models.classifier import load_classifier
from ml_pipeline.data.lineage import lineage_of
from ml_pipeline.retraining.lock import only_one
from ml_pipeline.synthetic import write_ham10000, write_reviews

pytestmark = pytest.mark.django_db

REGISTERED = "api.management.commands.retrain_model.register_candidate"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Folders of a tiny HAM10000 and of the ground truth that tells its akiec from scc."""
    layout = write_ham10000(tmp_path_factory.mktemp("sets"), lesions_per_class=8, seed=1)
    return [str(layout.metadata_csv.parent), str(layout.ground_truth_csv.parent)]


@pytest.fixture(autouse=True)
def _folders(settings: LazySettings, tmp_path: Path) -> None:
    settings.MODEL_DIR = tmp_path / "models"


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was registered, instead of a row: the rows have tests of their own."""
    rows: list[dict[str, Any]] = []
    monkeypatch.setattr(REGISTERED, lambda **row: rows.append(row))
    return rows


def _retrain(*arguments: str, data: list[str]) -> str:
    out = io.StringIO()
    call_command("retrain_model", "--data", *data, "--workers", "1", "--nice", "0", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.slow
def test_retrain_model_from_a_fresh_clone_registers_a_candidate_and_the_next_goes_on_from_it(
    data: list[str], registered: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = _retrain("--recipe", "tiny", "--from-scratch", data=data)
    (first,) = registered
    assert load_classifier(first["folder"]).document.name == first["folder"].name
    assert (first["passed"], first["report"]["passed"]) == (False, False)  # nobody knows what the shipped one has seen
    assert any("champion was trained on is not known" in reason for reason in first["report"]["reasons"])
    assert "is registered as a candidate" in out
    assert not list((tmp_path / "runs").glob("retraining-*"))

    monkeypatch.setattr(retrain_model, "active_folder", lambda: first["folder"])
    monkeypatch.setattr(retrain_model, "call_command", _export_reviews)
    _retrain("--with-reviews", data=data)
    second = registered[1]
    findings = {each["rule"]: each["outcome"] for each in second["report"]["findings"]}
    assert {findings[rule] for rule in ("candidate_unseen_test", "champion_unseen_test", "frozen_test")} == {"passed"}
    lineage = lineage_of(second["folder"])
    assert lineage is not None
    assert {record.source for record in lineage.table} == {"HAM10000", "reviews"}

    figures = io.StringIO()
    asked = ["--records", second["folder"] / "training" / "records.csv", "--workers", "1", "--out", tmp_path / "out"]
    call_command("evaluate_model", first["folder"].name, *map(str, asked), stdout=figures)
    assert "photos that training has used" in figures.getvalue()
    assert (tmp_path / "out" / "metrics.json").is_file()


def test_retrain_model_dry_run_says_what_would_happen_and_does_nothing(
    data: list[str], registered: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = _retrain("--recipe", "tiny", "--from-scratch", "--with-reviews", "--dry-run", data=data)
    assert "HAM10000: 128 photos" in out
    assert "starting from random weights" in out
    assert "would be exported" in out
    assert not registered
    assert not list(tmp_path.iterdir())


def test_retrain_model_from_an_active_model_of_another_network_says_what_to_choose(data: list[str]) -> None:
    with pytest.raises(CommandError, match="do not fit"):
        _retrain("--recipe", "tiny", "--dry-run", data=data)


def test_retrain_model_while_another_runs_is_refused(data: list[str], tmp_path: Path) -> None:
    with only_one(tmp_path / "runs" / "retraining.lock"), pytest.raises(CommandError, match=f"process {os.getpid()}"):
        _retrain("--recipe", "tiny", "--from-scratch", data=data)


def test_retrain_model_steps_back_behind_the_server(data: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    monkeypatch.setattr(os, "nice", steps.append)
    call_command(
        "retrain_model", "--data", *data, "--recipe", "tiny", "--from-scratch", "--dry-run", stdout=io.StringIO()
    )
    assert steps == [10]


def test_evaluate_model_of_an_unknown_name_lists_the_known(settings: LazySettings) -> None:
    (settings.MODEL_DIR / "mine").mkdir(parents=True)
    (settings.MODEL_DIR / "mine" / "model.json").touch()
    with pytest.raises(CommandError, match="active, shipped, mine"):
        call_command("evaluate_model", "other", "--records", "records.csv")


def test_evaluate_model_without_a_table_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="ml_pipeline build"):
        call_command("evaluate_model", "shipped", "--records", str(tmp_path / "records.csv"))


def _export_reviews(command: str, option: str, place: str) -> None:
    assert (command, option) == ("export_reviews", "--out")
    write_reviews(Path(place).parent, photos=8, seed=3)
