"""The whole way on the command line: build, prove, train, export, evaluate beside the probe; and how commands end."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ml_models.artefact import load_artefact
from ml_pipeline.__main__ import main
from ml_pipeline.data.records import read_records, write_records
from ml_pipeline.synthetic import HamLayout, write_class_folders

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "ml_pipeline"]


@pytest.fixture(scope="module")
def built(tiny_layout: HamLayout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small build."""
    out = tmp_path_factory.mktemp("built")
    assert main(["build", *_sources(tiny_layout), "--labelled-pairs", "4", "--workers", "1", "--out", str(out)]) == 0
    return out


def _sources(layout: HamLayout) -> list[str]:
    return ["--ham10000", str(layout.metadata_csv.parent), "--isic2019-labels", str(layout.ground_truth_csv)]


def test_commands_from_table_to_figures(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records, run, model = str(built / "records.csv"), str(tmp_path / "run"), str(tmp_path / "model")
    assert main(["train", "--records", records, "--recipe", "tiny", "--backbone-weights", "none", "--out", run]) == 0
    assert (tmp_path / "run" / "curves.png").is_file()
    export = ["export", "--run", run, "--records", records, "--version", "0.1.0", "--out", model]
    assert main(export) == 0
    capsys.readouterr()
    assert main(["evaluate", "--model", model, "--records", records, "--backbone-weights", "none"]) == 0
    printed = capsys.readouterr().out
    measured = load_artefact(tmp_path / "model").document.metrics["test"]["dermatoscopic"]["balanced_accuracy"]["value"]
    assert "linear probe on the frozen backbone" in printed
    assert f"{measured:.3f}" in next(line for line in printed.splitlines() if line.startswith("balanced_accuracy "))

    other, copies = str(tmp_path / "other.csv"), str(built / "duplicates.csv")
    assert main(["split", "--records", records, "--duplicates", copies, "--seed", "7", "--out", other]) == 0
    assert (tmp_path / "labels.csv").read_bytes() == (built / "labels.csv").read_bytes()
    assert main(["evaluate", "--model", model, "--records", other, "--backbone-weights", "none"]) == 3
    assert "not those that the model was trained on" in capsys.readouterr().err


def test_build_writes_all_outputs_and_their_digests(built: Path) -> None:
    names = {path.name for path in built.iterdir()}
    assert {"records.csv", "quarantine.csv", "duplicates.csv", "dataset.json", "report.html"} <= names
    summary = json.loads((built / "dataset.json").read_text(encoding="utf-8"))
    assert summary["records"] == len(read_records(built / "records.csv"))
    assert summary["counts"]["label"]["scc"]["train"] > 0  # told from akiec by id
    assert summary["labelled_pairs"]["pictures"] == 4


def test_build_json_is_the_summary(tiny_layout: HamLayout, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["build", *_sources(tiny_layout), "--labelled-pairs", "0", "--no-report", "--json", "--workers", "1"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "dataset.json").read_text(encoding="utf-8"))
    assert not (tmp_path / "report.html").exists()


def test_prove_of_a_built_table_passes(built: Path) -> None:
    assert main(["prove", "--records", str(built / "records.csv"), "--duplicates", str(built / "duplicates.csv")]) == 0


def test_prove_of_a_leaking_table_ends_with_3(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "records.csv"
    text = (built / "records.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    moved = next(row for row in rows[1:] if row[-1] == "train")
    path.write_text(text.replace(",".join(moved[-3:]), ",".join([*moved[-3:-1], "test"]), 1), encoding="utf-8")
    assert main(["prove", "--records", str(path)]) == 3
    assert moved[1] in capsys.readouterr().err


def test_verify_names_unusable_files_and_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_class_folders(tmp_path, classes=("nevus",), photos_per_class=2, seed=1)
    assert main(["verify", str(folder), "--workers", "1"]) == 0
    (folder / "nevus" / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    capsys.readouterr()
    assert main(["verify", str(folder), "--workers", "1", "--json"]) == 1
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["counts"]["ok"] == 2
    assert [Path(each["path"]).name for each in outcome["unusable"]] == ["cut.jpg"]


def test_dedup_finds_copies_under_other_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_class_folders(tmp_path / "photos", classes=("nevus",), photos_per_class=2, seed=1)
    photo = min((folder / "nevus").iterdir())
    (folder / "nevus" / f"twin{photo.suffix}").write_bytes(photo.read_bytes())
    out = tmp_path / "pairs.csv"
    assert main(["dedup", str(folder), "--out", str(out), "--workers", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["copies"] == {"same file": 1}
    assert "twin" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "--out", "x"], "at least one data set"),
        (["build", "--ham10000", "nowhere", "--out", "x"], "nowhere"),
        (["build", "--folder", "a=x", "--folder", "a=y", "--out", "x"], "once"),
        (["build", "--ham10000", "x", "--mapping", "b=c.csv", "--out", "x"], "'b'"),
        (["verify", "nowhere"], "not a folder"),
        (["prove", "--records", "none.csv"], "No records file"),
    ],
    ids=["no source", "no folder", "twice", "mapping without set", "verify nothing", "prove nothing"],
)
def test_command_bad_input_is_one_line_and_ends_with_2(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert error.count("\n") == 1


def test_build_of_a_partial_download_stops_unless_allowed(
    tiny_layout: HamLayout, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (built / "records.csv").read_text(encoding="utf-8").count("\n") - 1
    table = tiny_layout.metadata_csv.read_text(encoding="utf-8")
    folder = tmp_path / "HAM10000"
    folder.mkdir()
    for part in tiny_layout.metadata_csv.parent.glob("HAM10000_images*"):
        (folder / part.name).symlink_to(part)
    (folder / "HAM10000_metadata.csv").write_text(
        table
        + "HAM_9,ISIC_8999999,nv,histo,50.0,male,back\n"
        + "".join(f"HAM_9{i},ISIC_89999{i},nv,histo,50.0,male,back\n" for i in range(10, 20))
    )
    arguments = ["build", "--ham10000", str(folder), "--isic2019-labels", str(tiny_layout.ground_truth_csv)]
    arguments += ["--labelled-pairs", "0", "--no-report", "--workers", "1", "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "--allow-missing" in capsys.readouterr().err
    assert not (tmp_path / "out" / "dataset.json").exists()
    assert main([*arguments, "--allow-missing"]) == 0
    assert len(read_records(tmp_path / "out" / "records.csv")) == rows
    assert (tmp_path / "out" / "quarantine.csv").read_text(encoding="utf-8").count("no file") == 11


def test_build_interrupted_says_so_and_goes_on_when_run_again(tiny_layout: HamLayout, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["build", *_sources(tiny_layout), "--no-report", "--workers", "2", "--out", str(out)]
    process = subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True)
    while not (out / "cache.sqlite3").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command again" in error
    assert not (out / "dataset.json").exists()
    assert main([*arguments, "--labelled-pairs", "0"]) == 0


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
    assert main(["build", "--ham10000", "x", "--out", "z"]) == 2
    assert "pip install -r requirements.txt" in capsys.readouterr().err


def test_write_records_of_a_read_table_changes_nothing(built: Path, tmp_path: Path) -> None:
    write_records(read_records(built / "records.csv"), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (built / "records.csv").read_bytes()
