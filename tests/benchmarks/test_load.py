"""The load in short form against the real server, and the judgements that it prints."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import load
from benchmarks.photo_mix import dermatoscopic_mix, photo_mix
from benchmarks.scenarios import Holding, Report, Skipped, quantile_s
from ml_models.errors import PhotoError
from ml_models.image_io import read_photo

FOUND = Report("what was done", ("what was seen",), ("what is wrong",))


@pytest.mark.slow
def test_hold_load_finds_no_error_and_a_whole_log(tmp_path: Path):
    report = load.hold_load(tmp_path, photo_mix(count=2), clients=20, minutes=0.1)
    # Of growth, six seconds say nothing: the pools and the allocator are still filling.
    assert [problem for problem in report.problems if not problem.startswith("from the second window")] == []


def window(*, memory: int, threads: int = 14) -> load.Window:
    return load.Window([], 30.0, Holding(memory, 40, threads), [], 0, 0)


@pytest.mark.parametrize(
    ("late", "grown"),
    [
        pytest.param(window(memory=105), False, id="settling"),
        pytest.param(window(memory=120), True, id="memory"),
        pytest.param(window(memory=100, threads=18), False, id="pools-filling"),
        pytest.param(window(memory=100, threads=50), True, id="threads"),
    ],
)
def test_growth_is_a_problem_beyond_what_an_allocator_needs(late: load.Window, grown: bool):  # noqa: FBT001
    text, problems = load._growth(window(memory=100), late)
    assert (bool(problems), text.endswith(": GROWTH")) == (grown, grown)


def skipping(_folder: Path) -> Report:
    raise Skipped("no disk")


@pytest.mark.parametrize(
    ("scenario", "status", "text"),
    [
        pytest.param(lambda _: FOUND, 1, "PROBLEM: what is wrong", id="problem"),
        pytest.param(lambda _: Report("it", ("this",), ()), 0, "saw: this", id="no-problem"),
        pytest.param(skipping, 0, "SKIPPED: no disk", id="skipped"),
    ],
)
def test_main_prints_a_scenario_and_exits_1_only_on_problems(
    scenario: Callable[[Path], Report],
    status: int,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(load, "SCENARIOS", {"staged": scenario})
    assert load.main(["--only", "staged"]) == status
    assert text in capsys.readouterr().out


def test_photo_mix_sends_photos_that_are_answered_and_files_that_are_refused():
    mix = photo_mix(count=1)
    for kind, requests in mix.requests.items():
        photo = requests[0].raw.partition(b"image/jpeg\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        if kind == "bad file":
            with pytest.raises(PhotoError):
                read_photo(photo, model_input_px=224)
        else:
            assert read_photo(photo, model_input_px=224).width_px >= 600


def test_photo_mix_of_an_empty_folder_says_what_to_do(tmp_path: Path):
    with pytest.raises(ValueError, match="Name a folder of photos"):
        photo_mix(tmp_path)


def test_mix_chooses_alike_for_the_same_seed():
    mix = dermatoscopic_mix()
    first, second = (mix.choose(np.random.default_rng(7)).raw for _ in range(2))
    assert first == second


def test_quantile_s_of_nobody_is_not_a_number():
    assert np.isnan(quantile_s([], 0.5))
