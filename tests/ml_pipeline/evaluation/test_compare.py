"""Two models on the same photos; and predictions that are written, read and refused."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from ml_models.classification import Modality
from ml_models.labels import CATALOGUE
from ml_pipeline.data.records import Record
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.compare import Agreement, compare
from ml_pipeline.evaluation.predictions import Predictions, predictions, read_predictions, write_predictions
from ml_pipeline.evaluation.printed import printed_comparison
from tests.ml_pipeline.evaluation.conftest import make_answers, random_answers, records_of

TRUE = ["nv", "mel", "bcc", "nv"] * 5


def _predictions(answers: Answers, name: str = "model 1", **changes: object) -> Predictions:
    modalities = [Modality.CLINICAL, Modality.DERMATOSCOPIC] * (len(answers.labels) // 2)
    return predictions(name, answers, records_of(answers, modalities, **changes))


def _finish(folder: Path, answers: Answers, records: list[Record]) -> None:
    write_predictions(folder, answers, records)
    labels = [{"code": label.code, "malignant": label.malignant} for label in CATALOGUE]
    digest = hashlib.sha256((folder / "predictions.csv").read_bytes()).hexdigest()
    document = {"predictions_sha256": digest, "model": {"name": "model", "version": "1", "labels": labels}}
    (folder / "metrics.json").write_text(json.dumps(document), encoding="utf-8")


def test_compare_counts_who_was_right() -> None:
    first = make_answers(["nv", "mel", "nv", "mel"] * 5, TRUE)
    second = make_answers(["nv", "nv", "bcc", "mel"] * 5, TRUE)
    found = {domain.name: domain for domain in compare(_predictions(first), _predictions(second)).domains}
    assert found["all"].agreement == Agreement(both_right=5, only_first=5, only_second=5, both_wrong=5)
    assert found["clinical"].agreement == Agreement(both_right=5, only_first=0, only_second=5, both_wrong=0)


def test_compare_of_a_model_with_itself_is_no_gain() -> None:
    one = _predictions(random_answers(40, seed=1))
    for domain in compare(one, one).domains:
        assert {gain.difference.value for gain in domain.gains.values()} == {0}
        assert {gain.not_better for gain in domain.gains.values()} == {1}


def test_compare_does_not_depend_on_the_order_of_photos_and_classes() -> None:
    first, second = random_answers(40, seed=1), random_answers(40, seed=1, skill=0.5)
    plain = compare(_predictions(first), _predictions(second))
    rows, columns = np.arange(40)[::-1], np.array([3, 1, 0, 2, 7, 6, 5, 4])
    shuffled = Answers(
        second.probabilities[:, columns],
        np.argsort(columns)[second.labels].astype(np.int32),
        second.groups,
        tuple(second.codes[column] for column in columns),
        second.malignant[columns],
        second.thresholds,
    )
    told = _predictions(shuffled)
    turned = Predictions(
        told.model, shuffled.take(rows), told.image_ids[rows], told.digests[rows], told.modalities[rows]
    )
    assert compare(_predictions(first), turned) == plain


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_ids": np.array([f"other-{row}" for row in range(20)])}, "one model only"),
        ({"digests": np.array(["x"] * 20)}, "another file"),
        ({"modalities": np.array(["clinical"] * 20)}, "another modality"),
        ({"answers": make_answers(TRUE, ["nv"] * 20)}, "another label"),
        ({"answers": make_answers(TRUE, TRUE, groups=["one"] * 20)}, "another lesion group"),
        (
            {"answers": dataclasses.replace(make_answers(TRUE, TRUE), codes=tuple("abcdefgh"))},
            "models of one label set",
        ),
    ],
    ids=["photos", "files", "modalities", "labels", "groups", "classes"],
)
def test_compare_of_different_questions_is_refused(change: dict[str, object], said: str) -> None:
    one = _predictions(make_answers(TRUE, TRUE))
    with pytest.raises(PipelineError, match=said):
        compare(one, dataclasses.replace(one, **change))  # type: ignore[arg-type]


def test_printed_comparison_names_both_models_and_every_domain() -> None:
    first, second = make_answers(["nv"] * 20, TRUE), make_answers(TRUE, TRUE)
    text = printed_comparison(compare(_predictions(first, "old 1"), _predictions(second, "new 2")))
    assert "A: old 1" in text
    assert "B: new 2" in text
    assert "clinical (10 photos, 10 lesions)" in text
    assert "only B 10" in text


def test_read_predictions_gives_what_was_written(tmp_path: Path) -> None:
    answers = random_answers(12, seed=4)
    records = records_of(answers)
    _finish(tmp_path, answers, records)
    read, plain = read_predictions(tmp_path), predictions("model 1", answers, records)
    assert (read.answers.probabilities == answers.probabilities).all()
    assert read.answers.thresholds is not None
    assert (read.answers.thresholds == answers.thresholds).all()
    assert compare(read, plain).domains[0].agreement.only_first == 0
    assert read.model == "model 1"


def test_read_predictions_without_thresholds_has_none(tmp_path: Path) -> None:
    answers = make_answers(["nv"], ["nv"])
    _finish(tmp_path, answers, records_of(answers))
    assert read_predictions(tmp_path).answers.thresholds is None


def test_read_predictions_of_an_altered_file_is_refused(tmp_path: Path) -> None:
    answers = make_answers(["nv", "mel"], ["nv", "nv"])
    _finish(tmp_path, answers, records_of(answers))
    path = tmp_path / "predictions.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",mel,", ",nv,"), encoding="utf-8")
    with pytest.raises(PipelineError, match="Evaluate again"):
        read_predictions(tmp_path)


def test_read_predictions_of_an_unfinished_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="no finished folder"):
        read_predictions(tmp_path)
