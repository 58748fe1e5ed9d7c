"""The whole way on the command line: records, train, export, evaluate beside the probe."""

from pathlib import Path

import pytest

from ml_models.artefact import load_artefact
from ml_pipeline.__main__ import main
from ml_pipeline.data.records import read_records, write_records
from ml_pipeline.data.split import SplitShares, split_records
from ml_pipeline.synthetic import HamLayout

pytestmark = pytest.mark.slow


def test_commands_from_data_set_to_figures(
    tiny_layout: HamLayout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--ham10000", str(tiny_layout.metadata_csv.parent), "--isic2019-labels", str(tiny_layout.ground_truth_csv)]
    records, run, model = (str(tmp_path / name) for name in ("records.csv", "run", "model"))
    assert main(["records", *data, "--out", records]) == 0
    assert main(["train", "--records", records, "--recipe", "tiny", "--backbone-weights", "none", "--out", run]) == 0
    assert (tmp_path / "run" / "curves.png").is_file()
    export = ["export", "--run", run, "--recipe", "tiny", "--records", records, "--version", "0.1.0", "--out", model]
    assert main(export) == 0
    capsys.readouterr()
    assert main(["evaluate", "--model", model, "--records", records, "--backbone-weights", "none"]) == 0
    printed = capsys.readouterr().out
    measured = load_artefact(tmp_path / "model").document.metrics["test"]["balanced_accuracy"]["value"]
    assert "linear probe on the frozen backbone" in printed
    assert f"{measured:.3f}" in next(line for line in printed.splitlines() if line.startswith("balanced_accuracy "))

    other = tmp_path / "other.csv"
    write_records(split_records(read_records(tmp_path / "records.csv"), shares=SplitShares(), seed=7), other)
    assert main(["evaluate", "--model", model, "--records", str(other), "--backbone-weights", "none"]) == 2
    assert "not those that the model was trained on" in capsys.readouterr().err


def test_command_expected_error_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "--records", str(tmp_path / "none.csv"), "--recipe", "tiny", "--backbone-weights", "none"]
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: No records file")
    assert error.count("\n") == 1


def test_command_without_its_packages_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert main(["records", "--ham10000", "x", "--isic2019-labels", "y", "--out", "z"]) == 2
    assert "pip install -r requirements.txt" in capsys.readouterr().err
