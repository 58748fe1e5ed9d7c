"""Domains on their own, and why figures are left out."""

import dataclasses

import numpy as np

from ml_models.classification import Modality
from ml_pipeline.evaluation.measure import ALL, measure, rival
from tests.ml_pipeline.evaluation.conftest import make_answers, random_answers, records_of

BOTH = [Modality.CLINICAL] * 4 + [Modality.DERMATOSCOPIC] * 4


def test_measure_keeps_a_poor_domain_from_hiding_behind_a_good_one() -> None:
    true = ["nv", "mel"] * 4
    answers = make_answers(["mel", "nv"] * 2 + ["nv", "mel"] * 2, true)
    found = {domain.name: domain for domain in measure(answers, records_of(answers, BOTH))}
    assert list(found) == [ALL, "clinical", "dermatoscopic"]
    values = {name: domain.figures["balanced_accuracy"].value for name, domain in found.items()}
    assert values == {ALL: 0.5, "clinical": 0, "dermatoscopic": 1}
    assert [found[name].photos for name in found] == [8, 4, 4]


def test_measure_of_one_modality_has_no_second_copy() -> None:
    answers = random_answers(12, seed=0)
    assert [domain.name for domain in measure(answers, records_of(answers))] == ["dermatoscopic"]


def test_measure_says_why_a_figure_is_not_there() -> None:
    answers = make_answers(["nv", "bkl"], ["nv", "bkl"])
    (domain,) = measure(answers, records_of(answers))
    assert domain.left_out["malignant_auc"] == "needs malignant and benign photos"
    assert domain.left_out["melanoma_auc"] == "needs photos of mel and of others"
    assert domain.left_out["malignant_sensitivity_at_threshold"] == "the model has no warning threshold"
    assert not set(domain.left_out) & set(domain.figures)


def test_measure_of_unknown_malignancy_says_nothing_of_malignant_lesions() -> None:
    answers = dataclasses.replace(random_answers(40, seed=0), malignancy_known=False)
    (domain,) = measure(answers, records_of(answers))
    assert "whether they are malignant" in domain.left_out["malignant_auc"]
    assert not [name for name in domain.figures if name.startswith("malignant") or name.endswith("at_threshold")]
    assert not [name for each in domain.slices for name in each.figures if name.startswith("malignant")]


def test_measure_counts_photos_and_lesions_of_classes() -> None:
    answers = make_answers(["nv"] * 3, ["nv"] * 3, groups=["a", "a", "b"])
    (domain,) = measure(answers, records_of(answers))
    counts = {each.code: (each.photos, each.lesions) for each in domain.classes}
    assert counts["nv"] == (3, 2)
    assert counts["mel"] == (0, 0)


def test_rival_gains_are_those_of_the_model_over_it() -> None:
    true = ["nv", "mel"] * 10
    other = rival("worse", make_answers(["nv"] * 20, true), make_answers(true, true), np.array(["clinical"] * 20))
    assert other.figures["clinical"]["balanced_accuracy"].value == 0.5
    assert other.gains["clinical"]["balanced_accuracy"].difference.value == 0.5
