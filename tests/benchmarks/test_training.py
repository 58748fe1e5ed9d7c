"""The benchmark of training: it runs, and compares what it says."""

import pytest

from benchmarks.training import main

pytestmark = pytest.mark.slow


def test_main_tiny_compares_training_with_the_network_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recipe", "tiny", "--steps", "2", "--turns", "1"]) == 0
    printed = capsys.readouterr().out
    for kind in ("network alone", "batches alone", "as trained"):
        assert f"| {kind} | " in printed
    assert "limit <= 1.1" in printed
