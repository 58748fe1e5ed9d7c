"""Training, killing, resuming and teaching a tiny model, under every backend that is installed."""

import dataclasses
import importlib.util
import os
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
from ml_pipeline.training.history import read_history
from ml_pipeline.training.recipes import recipe_named
from ml_pipeline.training.recipes.recipe import Distillation
from ml_pipeline.training.run_folder import TrainedModel, load_run
from ml_pipeline.training.teacher import orientations, soft_answers
from ml_pipeline.training.train import train

pytestmark = pytest.mark.slow
TINY = recipe_named("tiny")


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
            _train(tiny_records, tmp_path)
    before = read_history(tmp_path)
    assert [row.epoch for row in before] == [0]
    _train(tiny_records, tmp_path)
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
    codes = tiny_run[1].codes
    said = soft_answers([tiny_run[0]], training, codes, temperature=1.0, kept=tmp_path / "said.npy")
    distances = []
    for name, distillation in (("alone", None), ("taught", Distillation(weight=1.0, temperature=1.0))):
        recipe = dataclasses.replace(TINY, seed=5, epochs=6, distillation=distillation)
        out = tmp_path / name
        _train(tiny_records, out, recipe, teachers=(tiny_run[0],) if distillation else ())
        answers = _said_by(out, recipe, training)
        distances.append(np.abs(answers - said).mean())
    assert distances[1] < distances[0]


def _said_by(out: Path, recipe: object, training: tuple[Record, ...]) -> np.ndarray:
    from ml_models.calibration import softmax
    from ml_models.preprocess import InputSpec
    from ml_pipeline.training.batches import load_inputs

    model = load_run(out, recipe).model  # type: ignore[arg-type]
    inputs = load_inputs(training, InputSpec(TINY.size_px))
    return np.mean([softmax(model.predict(view, verbose=0)) for view in orientations(inputs)], axis=0)


def test_soft_answers_are_probabilities_and_kept(
    tmp_path: Path, tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...]
) -> None:
    kept = tmp_path / "teacher.npy"
    some = of_split(tiny_records, Split.TRAIN)[:5]
    answers = soft_answers([tiny_run[0]], some, tiny_run[1].codes, temperature=2.0, kept=kept)
    assert answers.sum(axis=1) == pytest.approx(1)
    assert (soft_answers([], some, tiny_run[1].codes, temperature=2.0, kept=kept) == answers).all()


def test_soft_answers_of_a_run_with_other_labels_are_refused(
    tmp_path: Path, tiny_run: tuple[Path, TrainedModel], tiny_records: tuple[Record, ...]
) -> None:
    with pytest.raises(TrainingError, match="another teacher"):
        soft_answers([tiny_run[0]], tiny_records[:1], ("mel", "nv"), temperature=1.0, kept=tmp_path / "no.npy")


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
import numpy as np, keras
from ml_pipeline.__main__ import main
from ml_pipeline.training.run_folder import load_run
from ml_pipeline.training.recipes import recipe_named
assert keras.backend.backend() == {backend!r}
assert main(["train", "--records", {str(records)!r}, "--recipe", "tiny", "--backbone-weights", "none",
             "--out", {str(run)!r}]) == 0
images = np.random.default_rng(0).random((3, 64, 64, 3), np.float32) * 255
np.save({str(said)!r}, load_run(__import__("pathlib").Path({str(run)!r}), recipe_named("tiny")).model.predict(images))
"""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, env=environment)
    model = load_run(run, TINY).model
    images = np.random.default_rng(0).random((3, 64, 64, 3), np.float32) * 255
    assert np.abs(model.predict(images, verbose=0) - np.load(said)).max() < 1e-4
    assert keras.backend.backend() == "tensorflow"
    assert len(labels_of(tiny_records, None)) == model.output_shape[1]
