"""One model on two copies of the same photos."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from ml_models.artefact import file_digest
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.copies import compare_copies, copies_in, printed_copies
from tests.ml_pipeline.conftest import make_record
from tests.ml_pipeline.evaluation.conftest import make_answers

TRUE = ["mel", "mel", "nv", "nv", "df"]


def test_compare_copies_of_equal_answers_gains_nothing() -> None:
    answers = make_answers(["mel", "nv", "nv", "nv", "df"], TRUE)
    comparison = compare_copies(answers, answers)
    assert comparison.same_answer == 1
    assert all(gain.difference.value == 0 for gain in comparison.gains.values())


def test_compare_copies_shows_what_moves_to_another_class() -> None:
    """A network that calls sharp photos df: true ones gain nothing, the others' probability of df rises."""
    soft, sharp = make_answers(TRUE, TRUE), make_answers(["df"] * 5, TRUE)
    comparison = compare_copies(soft, sharp)
    df = next(each for each in comparison.classes if each.code == "df")
    assert (df.first, df.second) == pytest.approx((0.9, 0.9))
    assert df.wrongly_second - df.wrongly_first == pytest.approx(0.9 - 0.1 / 7)
    assert comparison.same_answer == pytest.approx(0.2)
    assert comparison.gains["balanced_accuracy"].difference.value == pytest.approx(1 / 3 - 1)


def test_printed_copies_leaves_out_classes_without_photos() -> None:
    answers = make_answers(TRUE, TRUE)
    printed = printed_copies(compare_copies(answers, answers))
    assert "| mel | 2 |" in printed
    assert "| vasc |" not in printed


def test_copies_in_finds_ids_under_any_suffix_and_points_there(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / "ISIC_0000031_downsampled.jpg"
    path.write_bytes(b"a copy")
    records = [make_record("ISIC_0000031"), make_record("ISIC_0000032")]
    found = copies_in(records, tmp_path)
    assert list(found) == ["ISIC_0000031"]
    copy = found["ISIC_0000031"]
    assert copy == dataclasses.replace(records[0], path=str(path), sha256=file_digest(path))


def test_copies_in_no_folder_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="holds copies"):
        copies_in([make_record("ISIC_0000031")], tmp_path / "nowhere")


def test_compare_copies_of_a_class_without_photos_has_no_mean() -> None:
    answers = make_answers(TRUE, TRUE)
    vasc = next(each for each in compare_copies(answers, answers).classes if each.code == "vasc")
    assert vasc.photos == 0
    assert np.isnan(vasc.first)
