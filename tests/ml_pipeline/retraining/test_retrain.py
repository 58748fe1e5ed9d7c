"""Retraining on tiny data: the frozen test stays frozen, a killed run goes on, nothing half-made appears."""

import dataclasses
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_models.classifier import load_classifier
from ml_models.labels import CATALOGUE
from ml_pipeline.data.build import BuildOptions, build
from ml_pipeline.data.lineage import document_of, lineage_of
from ml_pipeline.data.records import Record, Split, of_split, write_records
from ml_pipeline.errors import LeakageError, TrainingError
from ml_pipeline.export import export
from ml_pipeline.progress import silence
from ml_pipeline.promotion.promote import Work
from ml_pipeline.retraining import retrain as steps
from ml_pipeline.retraining.layouts import read_all
from ml_pipeline.retraining.plan import Origin, Request, plan
from ml_pipeline.retraining.retrain import Retrained, Workshop, retrain
from ml_pipeline.synthetic import HamLayout, write_reviews
from ml_pipeline.training.recipes import recipe_named
from ml_pipeline.training.train import train

pytestmark = pytest.mark.slow
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def data(tiny_layout: HamLayout) -> tuple[Path, Path]:
    """Folders of a tiny HAM10000 and of the ground truth that tells its akiec from scc."""
    return tiny_layout.metadata_csv.parent, tiny_layout.ground_truth_csv.parent


@pytest.fixture(scope="module")
def table(data: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, ...]:
    """What a plain build makes of them."""
    cache = tmp_path_factory.mktemp("cache") / "cache.sqlite3"
    return build(read_all(data), BuildOptions(labelled_pairs=0), cache=cache, progress=silence).records


@pytest.fixture(scope="module")
def active(table: tuple[Record, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of that table as models are shipped: without any table beside it."""
    place = tmp_path_factory.mktemp("active")
    trained = train(table, recipe_named("tiny"), labels=CATALOGUE, out=place / "run", backbone_weights=None)
    report = export(trained, table, model_version="1", created_at="2026-01-01T00:00:00+00:00", out=place / "shipped")
    return report.folder


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Empty folders of runs and of models."""
    return Workshop(tmp_path / "runs", tmp_path / "models", Work(tmp_path / "cache.sqlite3"), lambda _text: None)


@pytest.fixture(scope="module")
def retrained(data: tuple[Path, ...], active: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Retrained, Path]:
    """A candidate warm-started from the active model, and the reviews that came with it."""
    place = tmp_path_factory.mktemp("retrained")
    reviews = write_reviews(place, photos=12, seed=5)
    workshop = Workshop(place / "runs", place / "models", Work(place / "cache.sqlite3"), lambda _text: None)
    return retrain(plan(Request(data, active, with_reviews=True), reviews=reviews), workshop, now=NOW), reviews


def test_retrain_keeps_the_frozen_test_frozen(
    retrained: tuple[Retrained, Path], table: tuple[Record, ...], active: Path
) -> None:
    lineage = lineage_of(retrained[0].folder)
    assert lineage is not None
    split_of = {record.image_id: record.split for record in lineage.table}
    assert all(split_of[record.image_id] is record.split for record in table)
    assert {record.source for record in lineage.table} == {"HAM10000", "reviews"}
    findings = {each["rule"]: each["outcome"] for each in retrained[0].verdict["findings"]}
    unseen = ("candidate_unseen_test", "champion_unseen_test", "frozen_test", "label_set")
    assert [findings[rule] for rule in unseen] == ["passed"] * 4


def test_retrain_starts_from_the_active_model_and_its_recipe(retrained: tuple[Retrained, Path], active: Path) -> None:
    provenance = document_of(retrained[0].folder).provenance
    assert provenance["backbone_weights_sha256"] == document_of(active).files["model.keras"]
    assert provenance["recipe"]["name"] == "tiny"


def test_retrain_leaves_a_complete_folder_and_no_other(retrained: tuple[Retrained, Path]) -> None:
    folder = retrained[0].folder
    assert (folder.name, document_of(folder).version) == ("tiny-20260102-030405", "2026.01.02")
    load_classifier(folder)
    assert [each.name for each in folder.parent.iterdir()] == [folder.name]
    assert {each.name for each in (folder / "training").iterdir()} == {
        *("records.csv", "before.csv", "labels.csv", "history.csv", "curves.png"),
    }
    assert {each.name for each in (folder / "promotion").iterdir()} == {"verdict.json", "verdict.html"}


def test_retrain_again_gives_what_is_there(
    retrained: tuple[Retrained, Path], data: tuple[Path, ...], active: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, reviews = retrained
    workshop = Workshop(made.run.parent, made.folder.parent, Work(made.run.parent / "cache"), lambda _text: None)
    monkeypatch.delattr(steps, "train")  # nothing is trained again
    again = retrain(plan(Request(data, active, with_reviews=True), reviews=reviews), workshop, now=datetime.now(UTC))
    assert again == made


def test_retrain_killed_in_any_step_goes_on_and_shows_nothing_before(
    data: tuple[Path, ...], active: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Request(data, active, origin=Origin.NOWHERE, recipe="tiny")
    for step in ("train", "export", "promote", "write_verdict"):
        with monkeypatch.context() as broken:
            broken.setattr(steps, step, _killed)
            with pytest.raises(KeyboardInterrupt):
                retrain(plan(request), workshop, now=NOW)
        assert not workshop.models.exists()
    with monkeypatch.context() as broken:
        broken.setattr(steps, "build", _killed)  # the table is there since the first attempt
        made = retrain(plan(request), workshop, now=datetime.now(UTC))
    assert made.folder.name == "tiny-20260102-030405"
    made.finish()
    assert not made.run.exists()


def test_plan_of_an_active_model_of_unknown_training_refuses_to_start_from_it(
    data: tuple[Path, ...], active: Path
) -> None:
    with pytest.raises(LeakageError, match="not known"):
        plan(Request(data[1:], active))


def test_retrain_other_data_under_the_same_names_are_no_proof(
    data: tuple[Path, ...], active: Path, workshop: Workshop, tmp_path: Path
) -> None:
    ham = Path(shutil.copytree(data[0], tmp_path / "ham"))
    next(ham.glob("*/*.jpg")).unlink()
    with pytest.raises(LeakageError, match="not known"):
        retrain(plan(Request((ham, data[1]), active, allow_missing=True)), workshop, now=NOW)


def test_plan_takes_the_table_that_is_given_once_it_is_proven(
    data: tuple[Path, ...], active: Path, table: tuple[Record, ...], tmp_path: Path
) -> None:
    write_records(table, tmp_path / "records.csv")
    write_records(table[1:], tmp_path / "other.csv")
    planned = plan(Request(data, active, previous=tmp_path / "records.csv"))
    assert planned.lineage is not None
    held_out = len(of_split(table, Split.TEST))
    assert f"test {held_out}" in str(planned)
    with pytest.raises(LeakageError):
        plan(Request(data, active, previous=tmp_path / "other.csv"))


def test_plan_says_what_is_new_and_what_the_test_has_lost(
    data: tuple[Path, ...], active: Path, table: tuple[Record, ...], tmp_path: Path
) -> None:
    write_records(table, tmp_path / "records.csv")
    reviews = write_reviews(tmp_path, photos=4, seed=1)
    request = Request(data, active, previous=tmp_path / "records.csv")
    assert f"{len(table)} photos keep their split" in str(plan(request, reviews=reviews))
    assert "4 are new" in str(plan(request, reviews=reviews))
    alone = plan(dataclasses.replace(request, data=data[1:]), reviews=reviews)
    assert "are not in the data" in str(alone)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recipe": "small-cnn"}, "do not fit"),
        ({"recipe": "no-such"}, "No recipe"),
        ({"backbone_weights": Path("weights.keras")}, "go with a start from ImageNet"),
    ],
    ids=["another backbone", "unknown recipe", "weights of nothing"],
)
def test_plan_refuses_what_does_not_fit(
    data: tuple[Path, ...], active: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(TrainingError, match=said):
        plan(dataclasses.replace(Request(data, active), **changes))


def test_run_folder_is_that_of_the_request_in_any_order(data: tuple[Path, ...], active: Path, tmp_path: Path) -> None:
    request = Request(data, active)
    assert request.run_folder(tmp_path) == Request(data[::-1], active).run_folder(tmp_path)
    for change in ({"recipe": "tiny"}, {"origin": Origin.NOWHERE}, {"with_reviews": True}):
        assert dataclasses.replace(request, **change).run_folder(tmp_path) != request.run_folder(tmp_path)


def _killed(*_arguments: object, **_named: object) -> None:
    raise KeyboardInterrupt
