"""Training, killing, resuming, exporting and serving a tiny model."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from ml_models.artefact import load_artefact
from ml_models.classifier import load_classifier
from ml_models.labels import CODES
from ml_pipeline.data.records import Record, Split, of_split
from ml_pipeline.data.split import SplitPlan, split_records
from ml_pipeline.errors import LeakageError, TrainingError
from ml_pipeline.export import ExportReport, export
from ml_pipeline.synthetic import Scene, draw
from ml_pipeline.training.backbones import build_classifier
from ml_pipeline.training.batches import TrainingBatches, class_indices
from ml_pipeline.training.history import read_history
from ml_pipeline.training.recipes import Augmentation, recipe_named
from ml_pipeline.training.train import LogitAdjustedCrossEntropy, TrainedModel, train

pytestmark = pytest.mark.slow
TINY = recipe_named("tiny")


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, tiny_records: tuple[Record, ...]) -> tuple[Path, TrainedModel]:
    """A finished run of the tiny recipe."""
    out = tmp_path_factory.mktemp("run")
    return out, train(tiny_records, TINY, out=out, backbone_weights=None)


@pytest.fixture(scope="session")
def tiny_export(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_run: tuple[Path, TrainedModel],
    tiny_records: tuple[Record, ...],
) -> ExportReport:
    """Its artefact."""
    return _export(tiny_run[1], tiny_records, tmp_path_factory.mktemp("models") / "tiny")


def _export(trained: TrainedModel, records: tuple[Record, ...], out: Path) -> ExportReport:
    return export(trained, records, name="tiny", model_version="0.0.1", created_at="2026-01-01T00:00:00+00:00", out=out)


def test_train_writes_one_row_an_epoch(tiny_run: tuple[Path, TrainedModel]) -> None:
    assert [row.epoch for row in read_history(tiny_run[0])] == list(range(TINY.epochs))


def test_train_finished_run_is_not_trained_again(
    tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...]
) -> None:
    out, first = tiny_run
    before = (out / "history.csv").read_bytes()
    again = train(tiny_records, TINY, out=out, backbone_weights=None)
    assert (out / "history.csv").read_bytes() == before
    assert all(np.array_equal(a, b) for a, b in zip(again.model.get_weights(), first.model.get_weights(), strict=True))


class _Killed(Exception):
    pass


def test_train_killed_run_goes_on_where_it_was(
    tmp_path: Path,
    tiny_run: tuple[Path, TrainedModel],
    tiny_records: tuple[Record, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(self: object, epoch: int, logs: object = None) -> None:
        if epoch == 1:
            raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr("ml_pipeline.training.train._Validation.on_epoch_begin", die)
        with pytest.raises(_Killed):
            train(tiny_records, TINY, out=tmp_path, backbone_weights=None)
    before = read_history(tmp_path)
    assert [row.epoch for row in before] == [0]
    train(tiny_records, TINY, out=tmp_path, backbone_weights=None)
    whole, resumed = read_history(tiny_run[0]), read_history(tmp_path)
    assert resumed[0] == before[0]
    assert [row.epoch for row in resumed] == [0, 1]
    # With another batch order, or without the optimizer's and the averaged weights' state, it would be another epoch.
    assert resumed[1].validation_loss == pytest.approx(whole[1].validation_loss, abs=1e-6)


def test_train_other_records_in_the_same_folder_are_refused(
    tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...]
) -> None:
    other = split_records(tiny_records, [], plan=SplitPlan(seed=7)).records
    with pytest.raises(TrainingError, match="other records"):
        train(other, TINY, out=tiny_run[0], backbone_weights=None)


def test_export_other_split_of_the_same_photos_is_refused(
    tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...], tmp_path: Path
) -> None:
    other = split_records(tiny_records, [], plan=SplitPlan(seed=7)).records
    with pytest.raises(LeakageError, match="not those that the model was trained on"):
        _export(tiny_run[1], other, tmp_path / "tiny")


def test_export_into_a_folder_of_something_else_is_refused(
    tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...], tmp_path: Path
) -> None:
    (tmp_path / "precious").mkdir()
    with pytest.raises(TrainingError, match="no model folder"):
        _export(tiny_run[1], tiny_records, tmp_path)


def test_train_folder_of_another_recipe_is_refused(
    tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...]
) -> None:
    with pytest.raises(TrainingError, match="another recipe"):
        train(tiny_records, dataclasses.replace(TINY, epochs=9), out=tiny_run[0], backbone_weights=None)


def test_train_leaking_records_are_refused(tmp_path: Path, tiny_records: tuple[Record, ...]) -> None:
    leak = dataclasses.replace(of_split(tiny_records, Split.TEST)[0], split=Split.TRAIN)
    with pytest.raises(LeakageError):
        train([*tiny_records, leak], TINY, out=tmp_path, backbone_weights=None)


def test_training_batches_content_depends_on_epoch_and_index_alone(tiny_records: tuple[Record, ...]) -> None:
    frames = [np.full((40, 50, 3), i, np.uint8) for i in range(20)]
    labels = np.arange(20, dtype=np.int32)

    def batches() -> TrainingBatches:
        return TrainingBatches(frames, labels, size_px=32, batch_size=4, augmentation=Augmentation(), seed=3)

    first, second = batches(), batches()
    second[0], second[1]
    assert (first[2][0] == second[2][0]).all()
    before = first[2][1].copy()
    first.epoch = 1
    assert (first[2][1] != before).any()


def test_training_batches_one_epoch_has_no_photo_twice() -> None:
    frames = [np.zeros((40, 50, 3), np.uint8)] * 20
    batches = TrainingBatches(
        frames, np.arange(20, dtype=np.int32), size_px=32, batch_size=5, augmentation=Augmentation(), seed=3
    )
    assert sorted(np.concatenate([batches[i][1] for i in range(len(batches))])) == list(range(20))


def test_logit_adjusted_loss_without_adjustment_is_cross_entropy() -> None:
    loss = LogitAdjustedCrossEntropy(np.log(np.full(3, 1 / 3, np.float32)), tau=1.0)
    logits, labels = np.array([[2.0, 0.5, -1.0]], np.float32), np.array([1])
    expected = -(0.5 - np.log(np.exp([2.0, 0.5, -1.0]).sum()))
    assert float(loss(labels, logits)) == pytest.approx(expected, rel=1e-5)


def test_logit_adjusted_loss_a_rare_class_costs_more() -> None:
    prior = np.log(np.array([0.9, 0.1], np.float32))
    loss = LogitAdjustedCrossEntropy(prior, tau=1.0)
    logits = np.zeros((1, 2), np.float32)
    assert float(loss(np.array([1]), logits)) > float(loss(np.array([0]), logits))


def test_build_classifier_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(path)
    with pytest.raises(TrainingError, match="does not fit"):
        build_classifier(backbone="tiny", size_px=64, classes=8, dropout=0, weights=str(path))


def test_build_classifier_missing_weights_say_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="imagenet"):
        build_classifier(backbone="tiny", size_px=64, classes=8, dropout=0, weights=str(tmp_path / "none.keras"))


def test_class_indices_follow_the_given_order(tiny_records: tuple[Record, ...]) -> None:
    indices = class_indices(tiny_records, CODES)
    assert [CODES[index] for index in indices] == [record.label for record in tiny_records]


def test_export_folder_loads_verifies_and_answers(tiny_export: ExportReport) -> None:
    answer = load_classifier(tiny_export.folder).classify(draw(Scene(lesion="nv"), width_px=300, height_px=225, seed=1))
    assert answer.probabilities is not None
    assert tuple(answer.probabilities) == CODES


def test_export_metrics_are_of_the_test_split(tiny_export: ExportReport, tiny_records: tuple[Record, ...]) -> None:
    test = tiny_export.document.metrics["test"]
    assert test["split"].startswith("test")
    assert test["photos"] == len(of_split(tiny_records, Split.TEST))


def test_export_card_and_plots_are_written(tiny_export: ExportReport) -> None:
    card = (tiny_export.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "CC BY-NC" in card
    assert f"{tiny_export.document.metrics['test']['balanced_accuracy']['value']:.3f}" in card
    assert {path.name for path in (tiny_export.folder / "plots").iterdir()} == {
        "confusion.png",
        "reliability.png",
        "malignant_roc.png",
    }


def test_export_answer_does_not_depend_on_training_code(tiny_export: ExportReport) -> None:
    artefact = load_artefact(tiny_export.folder)
    assert artefact.document.provenance["recipe"]["name"] == "tiny"
    assert artefact.statistics.class_weights.shape == (24, 8)


def test_export_failing_leaves_the_old_folder(
    tiny_export: ExportReport,
    tiny_run: tuple[Path, TrainedModel],
    tiny_records: tuple[Record, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = (tiny_export.folder / "model.json").read_bytes()
    monkeypatch.setattr("ml_pipeline.export.PARITY_TOLERANCE", -1.0)
    with pytest.raises(TrainingError, match="LiteRT differs"):
        _export(tiny_run[1], tiny_records, tiny_export.folder)
    assert (tiny_export.folder / "model.json").read_bytes() == before
