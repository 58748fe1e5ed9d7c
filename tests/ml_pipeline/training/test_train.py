"""Training, killing, resuming and teaching a tiny model, under every backend that is installed."""

import dataclasses
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from ml_models.labels import BY_CODE, CATALOGUE
from ml_pipeline.data.label_table import labels_of
from ml_pipeline.data.records import Record, Split, of_split, write_records
from ml_pipeline.data.split import SplitPlan, split_records
from ml_pipeline.errors import LeakageError, TrainingError
from ml_pipeline.training import train as train_module
from ml_pipeline.training.history import read_history, write_history
from ml_pipeline.training.recipes import recipe_named
from ml_pipeline.training.recipes.recipe import Augmentation, Distillation, Mixing
from ml_pipeline.training.run_folder import TrainedModel, load_run, read_identity
from ml_pipeline.training.teacher import check_teachers, orientations, soft_answers
from ml_pipeline.training.train import train

pytestmark = pytest.mark.slow
TINY = recipe_named("tiny")
DROPPING = dataclasses.replace(TINY, dropout=0.3, epochs=3)


def _train(records: tuple[Record, ...], out: Path, recipe: object = TINY, **more: object) -> TrainedModel:
    return train(records, recipe, labels=CATALOGUE, out=out, backbone_weights=None, **more)  # type: ignore[arg-type]


def test_train_writes_one_row_an_epoch(tiny_run: tuple[Path, TrainedModel]) -> None:
    history = read_history(tiny_run[0])
    assert [row.epoch for row in history] == list(range(TINY.epochs))
    assert all(row.seconds > 0 for row in history)
    assert tiny_run[1].seconds == pytest.approx(sum(row.seconds for row in history))


def test_train_scores_each_modality_alone(tiny_run: tuple[Path, TrainedModel]) -> None:
    row = read_history(tiny_run[0])[0]
    assert row.validation_dermatoscopic == row.validation_balanced_accuracy
    assert row.validation_clinical is None  # the drawn HAM10000 has none


def test_train_finished_run_is_not_trained_again(
    tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...]
) -> None:
    out, first = tiny_run
    before = (out / "history.csv").read_bytes()
    again = _train(tiny_records, out)
    assert (out / "history.csv").read_bytes() == before
    assert all(np.array_equal(a, b) for a, b in zip(again.model.get_weights(), first.model.get_weights(), strict=True))


class _Killed(Exception):
    pass


@pytest.mark.parametrize("at", ["save_weights", "write_history", "forget_other_epochs"])
def test_train_killed_run_goes_on_where_it_was(
    at: str,
    tmp_path: Path,
    whole_run: Path,
    tiny_records: tuple[Record, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed at any step of keeping the second epoch; half-written files of that epoch lie there."""
    with monkeypatch.context() as patch:
        _kill_second_epoch(patch, at, tmp_path)
        with pytest.raises(_Killed):
            _train(tiny_records, tmp_path, DROPPING)
    _train(tiny_records, tmp_path, DROPPING)
    whole, resumed = read_history(whole_run), read_history(tmp_path)
    assert [row.epoch for row in resumed] == [0, 1, 2]
    # With another batch order or dropout, or without the optimizer's and the averaged weights' state, it would differ.
    assert [row.loss for row in resumed] == pytest.approx([row.loss for row in whole], abs=1e-5)
    assert [row.validation_loss for row in resumed] == pytest.approx([row.validation_loss for row in whole], abs=1e-5)
    assert len(list(tmp_path.glob("*.weights.h5"))) == 2


def _kill_second_epoch(patch: pytest.MonkeyPatch, at: str, out: Path) -> None:
    def die(*_arguments: object, **_named: object) -> None:
        raise _Killed

    def broken_save(self: keras.Model, path: Path, *_more: object) -> None:
        if path == out / "state-1.weights.h5":
            path.write_bytes(b"half a file")
            raise _Killed
        save(self, path)

    save = keras.Model.save_weights
    if at == "save_weights":
        patch.setattr(keras.Model, "save_weights", broken_save)
        return
    real = getattr(train_module, at)
    calls = iter((real, die))

    def at_first_real(*arguments: object) -> None:
        next(calls)(*arguments)

    patch.setattr(train_module, at, at_first_real)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory, tiny_records: tuple[Record, ...]) -> Path:
    """An uninterrupted run with dropout, three epochs."""
    out = tmp_path_factory.mktemp("whole")
    _train(tiny_records, out, DROPPING)
    return out


def test_train_other_records_in_the_same_folder_are_refused(
    tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...]
) -> None:
    other = split_records(tiny_records, [], plan=SplitPlan(seed=7)).records
    with pytest.raises(TrainingError, match="other records"):
        _train(other, tiny_run[0])


def test_train_folder_of_another_recipe_is_refused(
    tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...]
) -> None:
    with pytest.raises(TrainingError, match="another recipe"):
        _train(tiny_records, tiny_run[0], dataclasses.replace(TINY, epochs=9))


def test_train_leaking_records_are_refused(tmp_path: Path, tiny_records: tuple[Record, ...]) -> None:
    leak = dataclasses.replace(of_split(tiny_records, Split.TEST)[0], split=Split.TRAIN)
    with pytest.raises(LeakageError):
        _train((*tiny_records, leak), tmp_path)


def test_train_label_without_a_row_is_refused(tmp_path: Path, tiny_records: tuple[Record, ...]) -> None:
    with pytest.raises(TrainingError, match=r"lack .*mel"):
        train(tiny_records, TINY, labels=[BY_CODE["nv"]], out=tmp_path, backbone_weights=None)


def test_train_recipe_of_two_labels_knows_only_those(tmp_path: Path, tiny_records: tuple[Record, ...]) -> None:
    trained = _train(tiny_records, tmp_path, dataclasses.replace(TINY, labels=("nv", "mel"), epochs=1))
    assert trained.codes == ("mel", "nv")
    assert trained.model.output_shape == (None, 2)


@pytest.mark.parametrize("distilling", [True, False])
def test_train_recipe_and_teachers_that_do_not_fit_are_refused(
    tmp_path: Path, tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...], *, distilling: bool
) -> None:
    recipe = dataclasses.replace(TINY, distillation=Distillation() if distilling else None)
    with pytest.raises(TrainingError, match="teacher"):
        _train(tiny_records, tmp_path, recipe, teachers=() if distilling else (tiny_run[0],))


def test_train_with_a_teacher_comes_closer_to_it_than_without(
    tmp_path: Path, tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...]
) -> None:
    training = of_split(tiny_records, Split.TRAIN)
    said = soft_answers([tiny_run[0]], training, temperature=1.0)
    distances = []
    for name, distillation in (("alone", None), ("taught", Distillation(weight=1.0, temperature=1.0))):
        recipe = dataclasses.replace(TINY, seed=5, epochs=6, distillation=distillation)
        _train(tiny_records, tmp_path / name, recipe, teachers=(tiny_run[0],) if distillation else ())
        distances.append(np.abs(soft_answers([tmp_path / name], training, temperature=1.0) - said).mean())
    assert distances[1] < distances[0]


def test_soft_answers_are_probabilities(tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...]) -> None:
    some = of_split(tiny_records, Split.TRAIN)[:5]
    answers = soft_answers([tiny_run[0], tiny_run[0]], some, temperature=2.0)
    assert answers.shape == (5, 8)
    assert answers.sum(axis=1) == pytest.approx(1)


def test_check_teachers_of_other_labels_is_refused(tiny_run: tuple[Path, TrainedModel]) -> None:
    with pytest.raises(TrainingError, match="Take another"):
        check_teachers([tiny_run[0]], ("mel", "nv"), data_sha256=tiny_run[1].data_sha256)


def test_check_teachers_of_another_split_is_refused(tiny_run: tuple[Path, TrainedModel]) -> None:
    with pytest.raises(LeakageError, match="test split"):
        check_teachers([tiny_run[0]], tiny_run[1].codes, data_sha256="other")


def test_check_teachers_unfinished_is_refused(tmp_path: Path, tiny_run: tuple[Path, TrainedModel]) -> None:
    out = shutil.copytree(tiny_run[0], tmp_path / "run")
    write_history(read_history(out)[:1], out)
    with pytest.raises(TrainingError, match="not finished"):
        check_teachers([out], tiny_run[1].codes, data_sha256=tiny_run[1].data_sha256)


def test_check_teachers_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no run folder"):
        check_teachers([tmp_path / "none"], ("mel",), data_sha256="")


def test_orientations_are_eight_different_views() -> None:
    image = np.arange(2 * 3 * 3 * 1, dtype=np.float32).reshape(2, 3, 3, 1)
    assert len({view[0].tobytes() for view in orientations(image)}) == 8


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_train_under_another_backend_gives_the_same_model_here(
    backend: str, tmp_path: Path, tiny_records: tuple[Record, ...]
) -> None:
    """The run of one backend, loaded under this one, answers as it did there."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    records, run, said = tmp_path / "records.csv", tmp_path / "run", tmp_path / "said.npy"
    write_records(tiny_records, records)
    script = f"""
import pathlib
import numpy as np, keras
from ml_pipeline.__main__ import main
from ml_pipeline.training.run_folder import load_run
assert keras.backend.backend() == {backend!r}
assert main(["train", "--records", {str(records)!r}, "--recipe", "tiny", "--backbone-weights", "none",
             "--out", {str(run)!r}]) == 0
images = np.random.default_rng(0).random((3, 64, 64, 3), np.float32) * 255
np.save({str(said)!r}, load_run(pathlib.Path({str(run)!r})).model.predict(images))
"""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, env=environment)
    model = load_run(run).model
    images = np.random.default_rng(0).random((3, 64, 64, 3), np.float32) * 255
    assert np.abs(model.predict(images, verbose=0) - np.load(said)).max() < 1e-4
    assert keras.backend.backend() == "tensorflow"
    assert len(labels_of(tiny_records, None)) == model.output_shape[1]


def test_read_identity_keeps_the_recipe_that_was_trained(tmp_path: Path, tiny_records: tuple[Record, ...]) -> None:
    """Whatever becomes of the recipe of that name: the folder says by which one its model was made."""
    recipe = dataclasses.replace(
        TINY, epochs=1, labels=("mel", "nv"), mixing=Mixing(mixup=0.5), augmentation=Augmentation(scale=0.1)
    )
    trained = _train(tiny_records, tmp_path, recipe)
    assert read_identity(tmp_path).recipe == trained.recipe == recipe


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_training_batches_reach_the_network_in_their_order_under_every_backend(backend: str) -> None:
    """Keras's queue must not run ahead from one epoch into the next."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    script = """
import keras, numpy as np
from ml_pipeline.training.train import compiled, _train_epoch
from ml_pipeline.training.batches import TrainingBatches, TrainingPhotos
from ml_pipeline.training.recipes import recipe_named
import dataclasses
recipe = dataclasses.replace(recipe_named("tiny"), size_px=32, batch_size=2)
seen = []
make = TrainingBatches.__getitem__

def kept(self, index):
    images, targets = make(self, index)
    targets[:, -1] = index
    seen.append((images, targets))
    return images, targets

TrainingBatches.__getitem__ = kept
photos = TrainingPhotos([np.zeros((40, 40, 3), np.uint8)] * 24, np.zeros(24, np.int32),
    np.tile(np.eye(3, 9, dtype=np.float32)[0], (24, 1)), np.zeros(24, bool), np.zeros(24))
model = compiled(recipe, 3, steps=24)
for epoch in range(2):
    _train_epoch(model, photos, recipe, epoch)
    averages = [np.array(each) for each in model.optimizer._model_variables_moving_average]
    weights = [np.array(each) for each in model.trainable_variables]
    assert any((a != w).any() for a, w in zip(averages, weights)), "the weights in training are the raw ones"
    delivered = [int(each[1][0, -1]) for each in seen][-12:]
    assert delivered == list(range(12)), delivered
    seen.clear()
"""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, env=environment)
