"""One training at a time; a lock whose holder died is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml_pipeline.errors import TrainingError
from ml_pipeline.retraining.lock import only_one

HOLD_AND_DIE = """
import os, sys
from pathlib import Path
from ml_pipeline.retraining.lock import only_one
with only_one(Path(sys.argv[1])):
    os.kill(os.getpid(), 9)
"""


def test_only_one_names_the_process_that_holds_it(tmp_path: Path) -> None:
    place = tmp_path / "runs" / "lock"
    with only_one(place), pytest.raises(TrainingError, match=f"process {os.getpid()} "), only_one(place):
        pass


def test_only_one_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with only_one(tmp_path / "lock"):
            assert (tmp_path / "lock").read_text(encoding="ascii") == str(os.getpid())


def test_only_one_of_a_killed_process_holds_nobody_up(tmp_path: Path) -> None:
    place = tmp_path / "lock"
    killed = subprocess.run([sys.executable, "-c", HOLD_AND_DIE, place], check=False, cwd=Path(__file__).parents[3])
    assert killed.returncode == -9
    assert place.read_text(encoding="ascii")
    with only_one(place):
        pass
