"""Slices: which there are, in what order, and when they are too small."""

import dataclasses

from ml_models.classification import Modality
from ml_pipeline.evaluation.slices import Slice, slices
from tests.ml_pipeline.evaluation.conftest import make_answers, random_answers, records_of


def _of(fact: str, found: tuple[Slice, ...]) -> dict[str, Slice]:
    return {each.value: each for each in found if each.fact == fact}


def test_slices_stand_in_order_with_the_unknown_last() -> None:
    answers = random_answers(4, seed=0)
    records = [
        dataclasses.replace(record, age_years=age, fitzpatrick_type=tone)
        for record, age, tone in zip(records_of(answers), (None, 80.0, 29.9, 30.0), (6, None, 1, 6), strict=True)
    ]
    found = slices(answers, records, by_modality=False)
    assert list(_of("age", found)) == ["under 30", "30 to 44", "75 and older", "unknown"]
    assert list(_of("Fitzpatrick type", found)) == ["1", "6", "unknown"]
    assert _of("sex", found)["unknown"].photos == 4
    assert list(_of("short side", found)) == ["under 300 px"]


def test_slices_by_modality_only_where_asked_for() -> None:
    answers = random_answers(2, seed=0)
    records = records_of(answers, [Modality.CLINICAL, Modality.DERMATOSCOPIC])
    assert list(_of("modality", slices(answers, records, by_modality=True))) == ["clinical", "dermatoscopic"]
    assert not _of("modality", slices(answers, records, by_modality=False))


def test_slice_of_nineteen_lesions_has_no_figures() -> None:
    groups = [str(row % 19) for row in range(40)]
    answers = make_answers(["nv"] * 40, ["nv", "mel"] * 20, groups=groups, threshold=0.5)
    found = _of("sex", slices(answers, records_of(answers), by_modality=False))["unknown"]
    assert found.lesions == 19
    assert set(found.figures.values()) == {None}
    assert "malignant_sensitivity_at_threshold" in found.figures


def test_slice_balanced_accuracy_is_over_classes_of_five_lesions() -> None:
    true = ["nv"] * 15 + ["mel"] * 5 + ["bcc"] * 4
    predicted = ["nv"] * 15 + ["nv"] * 5 + ["bcc"] * 4
    answers = make_answers(predicted, true, threshold=0.5)
    found = _of("sex", slices(answers, records_of(answers), by_modality=False))["unknown"]
    figure = found.figures["balanced_accuracy"]
    assert figure is not None
    assert (found.classes, figure.value) == (2, 0.5)


def test_slice_without_malignant_lesions_says_nothing_of_them() -> None:
    answers = make_answers(["nv"] * 30, ["nv"] * 26 + ["mel"] * 4, threshold=0.5)
    figures = _of("sex", slices(answers, records_of(answers), by_modality=False))["unknown"].figures
    assert figures["malignant_auc"] is None
    assert figures["malignant_sensitivity_at_threshold"] is None
    assert figures["expected_calibration_error"] is not None
