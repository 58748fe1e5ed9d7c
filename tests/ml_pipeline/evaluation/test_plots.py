"""Plots and montage: same answers, same bytes; every alphabet."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_models.artefact import file_digest
from ml_pipeline.evaluation.mistakes import DOUBTED, MISSED, SURE, montage, worst_mistakes
from ml_pipeline.evaluation.plots import Drawing, confusion, malignant_roc, png, reliability, roc, shown
from ml_pipeline.report_page.theme import DARK
from tests.ml_pipeline.evaluation.conftest import make_answers, random_answers, records_of

ANSWERS = random_answers(120, seed=0)
DRAWINGS = {
    "confusion": confusion(ANSWERS),
    "roc": roc(ANSWERS),
    "malignant_roc": malignant_roc(ANSWERS),
    "reliability": reliability(ANSWERS, random_answers(120, seed=1)),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_png_of_equal_answers_is_equal_and_dark_pages_get_their_own(draw: Drawing) -> None:
    assert png(draw) == png(draw)
    assert png(draw) != png(draw, DARK)


def test_plots_of_one_class_and_of_foreign_alphabets_draw() -> None:
    codes = ("疣", "a$b$", "c", "d", "e", "f", "g", "h")
    strange = dataclasses.replace(make_answers(["nv"] * 9, ["nv"] * 9), codes=codes, malignancy_known=False)
    assert shown(codes)[:2] == ["class 1", "a$b$"]
    for draw in (confusion(strange), roc(strange), malignant_roc(strange), reliability(strange)):
        assert png(draw).startswith(b"\x89PNG")


def test_worst_mistakes_are_malignant_and_missed_first_and_one_of_each_lesion(drawn_photos: list[Path]) -> None:
    true = ["mel", "mel", "mel", "nv", "nv", "nv"]
    answers = make_answers(["nv", "nv", "mel", "bkl", "df", "nv"], true, groups=list("aabcde"), threshold=0.5)
    answers.probabilities[4] = 0.125
    records = [
        dataclasses.replace(record, path=str(path), sha256=file_digest(path))
        for record, path in zip(records_of(answers), drawn_photos, strict=False)
    ]
    found = worst_mistakes(answers, records, size_px=64)
    assert [each.image_id for each in found[MISSED]] == ["photo-000"]
    assert [each.image_id for each in found[SURE]] == ["photo-003", "photo-004"]
    assert (found[MISSED][0].truth, found[MISSED][0].answer) == ("mel", "nv")
    without = dataclasses.replace(answers, thresholds=None)
    assert [each.image_id for each in worst_mistakes(without, records, size_px=64)[DOUBTED]] == ["photo-000"]


def test_montage_draws_with_and_without_mistakes(drawn_photos: list[Path]) -> None:
    answers = make_answers(["nv"] * 3, ["mel", "nv", "bcc"], threshold=0.5)
    records = [
        dataclasses.replace(record, path=str(path), sha256=file_digest(path))
        for record, path in zip(records_of(answers), drawn_photos, strict=False)
    ]
    some = montage("model, clinical photos", worst_mistakes(answers, records, size_px=64))
    none = montage("model", {})
    sizes = [cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR).shape[0] for each in (some, none)]
    assert sizes[0] > sizes[1]
