"""That the benchmark of explanations prints every step and its aim. No speed is asserted."""

import pytest

from benchmarks import explanation


def test_explanation_prints_every_step_and_the_aim(capsys: pytest.CaptureFixture[str]):
    assert explanation.main(["--rounds", "2"]) == 0
    printed = capsys.readouterr().out
    for name in (explanation.NETWORK, explanation.GRID, explanation.PICTURE, "grid, ms"):
        assert f"\n| {name} " in printed
    assert "<= 2" in printed


def test_explanation_of_no_rounds_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        explanation.main(["--rounds", "0"])
    assert "--rounds is 0" in capsys.readouterr().err
