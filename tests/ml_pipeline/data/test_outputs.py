"""The folder of a build: each file whole, the summary last, and its digests true."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ml_models.classification import Modality
from ml_models.labels import BY_CODE
from ml_pipeline.data import outputs
from ml_pipeline.data.build import Build, BuildOptions, build
from ml_pipeline.data.label_table import read_labels
from ml_pipeline.data.outputs import write_build
from ml_pipeline.data.records import read_records
from ml_pipeline.data.sources import folders
from ml_pipeline.data.split import SplitPlan
from ml_pipeline.progress import silence
from tests.ml_pipeline.data.conftest import Photo, encoded

TABLES = {"records.csv", "labels.csv", "quarantine.csv", "duplicates.csv"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, lesions: Sequence[Photo]) -> Build:
    """Sixteen nevi."""
    folder = tmp_path_factory.mktemp("outputs")
    (folder / "own" / "nevus").mkdir(parents=True)
    for number, photo in enumerate(lesions):
        (folder / "own" / "nevus" / f"{number}.jpg").write_bytes(encoded(photo))
    reading = folders.read("own", folder / "own", modality=Modality.CLINICAL)
    options = BuildOptions(plan=SplitPlan(seed=5), labelled_pairs=0)
    return build([reading], options, cache=folder / "cache.sqlite3", progress=silence)


def test_write_build_returns_the_summary_that_it_wrote(small: Build, tmp_path: Path) -> None:
    summary = write_build(small, tmp_path / "deep" / "out", report=False)
    assert json.loads((tmp_path / "deep" / "out" / "dataset.json").read_text(encoding="utf-8")) == summary
    assert {path.name for path in (tmp_path / "deep" / "out").iterdir()} == {*TABLES, "dataset.json"}


def test_write_build_digests_are_those_of_the_tables(small: Build, tmp_path: Path) -> None:
    digests = write_build(small, tmp_path, report=False)["tables"]
    assert digests == {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in TABLES}


def test_write_build_records_are_those_of_the_build(small: Build, tmp_path: Path) -> None:
    write_build(small, tmp_path, report=False)
    assert read_records(tmp_path / "records.csv") == small.records


def test_write_build_labels_are_those_of_the_build(small: Build, tmp_path: Path) -> None:
    write_build(small, tmp_path, report=False)
    assert read_labels(tmp_path / "labels.csv") == small.labels == (BY_CODE["nv"],)


@pytest.mark.parametrize(
    "failing", ["write_records", "write_labels", "write_quarantine", "write_duplicates", "summarise"]
)
def test_write_build_broken_off_leaves_no_summary_of_an_earlier_build(
    small: Build, tmp_path: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_build(small, tmp_path, report=False)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(outputs, failing, fail)
    with pytest.raises(KeyboardInterrupt):
        write_build(small, tmp_path, report=False)
    assert {path.name for path in tmp_path.iterdir()} == TABLES  # whole ones, of this build or of the last


def test_write_build_leaves_other_files_alone(small: Build, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    write_build(small, tmp_path, report=False)
    write_build(small, tmp_path, report=False)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"
