"""One modality's calibration."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_models.calibration import Calibration
from ml_pipeline.calibration.cases import Cases
from ml_pipeline.calibration.scaling import choose_calibration, fit_bias, fit_temperature
from tests.ml_pipeline.calibration.drawn import drawn_cases


def test_fit_temperature_recovers_the_one_that_labels_were_drawn_with() -> None:
    assert fit_temperature(drawn_cases(20_000, temperature=2.5)).temperature == pytest.approx(2.5, rel=0.05)


@given(photos=st.integers(1, 20), seed=st.integers(0, 1000), fit=st.sampled_from((fit_temperature, fit_bias)))
def test_fit_of_few_photos_that_are_all_right_does_not_run_away(
    photos: int, seed: int, fit: Callable[[Cases], Calibration]
) -> None:
    cases = drawn_cases(photos, seed=seed)
    right = dataclasses.replace(cases, labels=cases.logits.argmax(axis=1).astype(np.int32))
    assert 0.3 < fit(right).temperature <= 1


@pytest.mark.parametrize("fit", [fit_temperature, fit_bias])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_fit_of_a_thousand_photos_hardly_feels_the_prior(
    fit: Callable[[Cases], Calibration], temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = drawn_cases(1_000, temperature=temperature)
    with_prior = fit(cases).temperature
    monkeypatch.setattr("ml_pipeline.calibration.scaling._LOG_TEMPERATURE_VARIANCE", np.inf)
    assert with_prior == pytest.approx(fit(cases).temperature, rel=0.02)


def test_fit_bias_recovers_both() -> None:
    bias = np.array([1.0, 0.0, -1.0])
    found = fit_bias(drawn_cases(20_000, temperature=2.5, bias=bias))
    assert found.temperature == pytest.approx(2.5, rel=0.05)
    assert list(found.bias.values()) == pytest.approx(bias, abs=0.1)


def test_fit_bias_class_without_photos_keeps_its_place() -> None:
    cases = drawn_cases(2_000)
    without = cases.take(np.flatnonzero(cases.labels != cases.codes.index("bcc")))
    bias = fit_bias(without).bias
    assert bias["bcc"] == 0
    assert sum(bias.values()) == pytest.approx(0, abs=1e-9)


def test_choose_calibration_without_a_bias_in_the_data_is_temperature_alone() -> None:
    choice = choose_calibration(drawn_cases(1_000, temperature=1.7))
    assert not choice.calibration.bias
    assert not choice.gain_of_bias.is_clear


def test_choose_calibration_bias_that_helps_everything_is_taken() -> None:
    choice = choose_calibration(drawn_cases(2_000, bias=np.array([-1.5, 2.0, -0.5])))
    assert choice.gain_of_bias.is_clear
    assert choice.balanced_accuracy_bias >= choice.balanced_accuracy_temperature
    assert choice.calibration.bias["mel"] > choice.calibration.bias["bcc"] + 2


def test_choose_calibration_bias_that_costs_rare_classes_is_not_taken() -> None:
    # The network answers all classes as willingly; in the collection nearly all are nv.
    cases = drawn_cases(4_000, bias=np.array([-3.0, -3.0, 3.0]))
    choice = choose_calibration(cases)
    assert choice.gain_of_bias.is_clear
    assert choice.balanced_accuracy_bias < choice.balanced_accuracy_temperature
    assert not choice.calibration.bias


def test_choose_calibration_photos_of_one_lesion_decide_nothing() -> None:
    cases = drawn_cases(500, bias=np.array([-1.5, 2.0, -0.5]))
    alone = dataclasses.replace(cases, groups=np.full(500, "one"))
    assert not choose_calibration(alone).calibration.bias


def test_calibration_of_a_choice_scales_in_the_order_of_the_codes() -> None:
    cases = drawn_cases(10)
    calibration = Calibration(2.0, {"nv": 3.0, "mel": 2.0, "bcc": 1.0})
    assert np.allclose(calibration.scaled(cases.logits, cases.codes), cases.logits / 2 + [1, 2, 3])
