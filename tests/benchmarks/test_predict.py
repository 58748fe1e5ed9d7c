"""The benchmark's arithmetic, and that one run prints everything. No speed is asserted anywhere."""

import re
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from benchmarks import predict
from benchmarks.measuring import (
    BenchmarkError,
    OtherWork,
    Spread,
    Stage,
    StageClock,
    Throughput,
    WorkerMemory,
    in_turns,
    milliseconds,
    spread,
    table,
    timed,
)
from benchmarks.photos import DERMATOSCOPIC, HEIC, PHONE, BenchmarkPhoto
from benchmarks.predict import FLOOR, HTTP, IN_PROCESS, STAGES, USUAL, Latency, Workers, aims

PHOTO = BenchmarkPhoto(PHONE, b"", 4032, 3024)


def _seconds(median: float) -> Spread:
    return Spread(median, median, median, 1)


def _latency(**paths: float) -> Latency:
    names = {"floor": FLOOR, "in_process": IN_PROCESS, "http": HTTP, "usual": USUAL}
    return Latency(PHOTO, {names[path]: _seconds(value) for path, value in paths.items()}, {})


WORKERS = Workers(
    idle=WorkerMemory(100_000_000, 100_000_000),
    memory=[(PHOTO, WorkerMemory(200_000_000, 400_000_000))],
    ready_s=_seconds(1.0),
    replacement_s=_seconds(1.0),
)
MET = _latency(floor=0.02, in_process=0.025, http=0.03, usual=0.125)


def test_spread_gives_median_and_quartiles():
    assert spread([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0, 5)


def test_spread_of_one_is_that_one():
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0, 1)


def test_spread_of_nothing_raises():
    with pytest.raises(ValueError, match="at least one"):
        spread([])


def test_in_turns_makes_every_call_once_a_round_after_one_to_warm_up():
    made: list[str] = []

    def call(name: str) -> float:
        made.append(name)
        return len(made) / 1000

    seconds = in_turns([lambda: call("a"), lambda: call("b")], rounds=3)
    rounds = [made[start : start + 2] for start in range(0, len(made), 2)]
    assert [sorted(each) for each in rounds] == [["a", "b"]] * 4
    assert sorted(seconds[0] + seconds[1]) == [0.003, 0.004, 0.005, 0.006, 0.007, 0.008]


def test_in_turns_makes_a_fifth_of_the_rounds_when_one_takes_over_a_second():
    assert [len(each) for each in in_turns([lambda: 0.6, lambda: 0.6], rounds=10)] == [2, 2]


def test_in_turns_changes_the_order():
    made: list[int] = []

    def call(number: int) -> float:
        made.append(number)
        return 0.0

    in_turns([lambda: call(0), lambda: call(1)], rounds=20)
    assert {tuple(made[start : start + 2]) for start in range(2, len(made), 2)} == {(0, 1), (1, 0)}


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Functions that call each other, on a clock that only they move on."""
    now = SimpleNamespace(s=0.0)
    monkeypatch.setattr("benchmarks.measuring.time.perf_counter", lambda: now.s)

    def spend(seconds: float) -> None:
        now.s += seconds

    def outer() -> None:
        spend(1.0)
        functions.inner()
        functions.inner()

    functions = SimpleNamespace(__name__="work", spend=spend, outer=outer, inner=lambda: spend(0.25))
    return functions


def test_stage_clock_counts_a_stage_without_those_inside(work: SimpleNamespace):
    clock = StageClock([Stage(work, "outer", "outer"), Stage(work, "inner", "inner")])

    def everything() -> None:
        work.spend(2.0)
        work.outer()

    assert clock.time(everything) == 3.5
    assert clock.medians(1) == {"outer": 1.0, "inner": 0.5}


def test_stage_clock_takes_the_median_of_the_last_rounds(work: SimpleNamespace):
    clock = StageClock([Stage(work, "spend", "spend")])
    for seconds in (100.0, 1.0, 2.0, 4.0):
        clock.time(lambda seconds=seconds: work.spend(seconds))
    assert clock.medians(3) == {"spend": 2.0}


def test_stage_clock_leaves_out_stages_that_took_no_part(work: SimpleNamespace):
    clock = StageClock([Stage(work, "outer", "outer"), Stage(work, "inner", "inner")])

    def inner_alone() -> None:
        work.inner()

    clock.time(inner_alone)
    assert clock.medians(1) == {"inner": 0.25}


def test_stage_clock_puts_functions_back_after_an_error(work: SimpleNamespace):
    original = work.inner
    with pytest.raises(ZeroDivisionError):
        StageClock([Stage(work, "inner", "inner")]).time(lambda: 1 / 0)
    assert work.inner is original


def test_stage_clock_name_that_is_gone_fails_loudly(work: SimpleNamespace):
    with pytest.raises(BenchmarkError, match="work has no renamed any more"):
        StageClock([Stage(work, "renamed", "renamed")]).time(lambda: None)


def test_stages_are_names_of_the_real_path():
    StageClock(STAGES).time(lambda: None)


def test_other_work_is_what_the_machine_did_beyond_this_process(monkeypatch: pytest.MonkeyPatch):
    now = SimpleNamespace(s=10.0, others_s=5.0)
    monkeypatch.setattr("benchmarks.measuring.time.perf_counter", lambda: now.s)
    monkeypatch.setattr("benchmarks.measuring._cpu_s_of_others", lambda: now.others_s)
    other_work = OtherWork()
    now.s, now.others_s = 14.0, 11.0
    assert other_work.cores() == 1.5


def test_timed_runs_the_function_once():
    made: list[int] = []
    assert timed(lambda: made.append(1))() >= 0
    assert made == [1]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.00123, "1.23"), (0.0123, "12.3"), (0.1234, "123"), (-0.0005, "-0.50")]
)
def test_milliseconds_keeps_three_figures(seconds: float, text: str):
    assert milliseconds(seconds) == text


def test_table_is_markdown_in_columns():
    assert table(["photo", "ms"], [["a", "1.5"], ["long name", "10"]]).split("\n") == [
        "| photo     |  ms |",
        "| :-------- | --: |",
        "| a         | 1.5 |",
        "| long name |  10 |",
    ]


def _judged(latency: Latency = MET, workers: Workers = WORKERS, photos_per_s: float = 1000.0) -> dict[str, bool]:
    rates = [Throughput(1, 0.1, 0.001), Throughput(8, photos_per_s, 0.001)]
    return {aim.text: aim.is_met for aim in aims(latency, rates, workers)}


def test_aims_at_their_limits_are_met():
    assert list(_judged().values()) == [True] * 6


@pytest.mark.parametrize(
    ("missed", "arguments"),
    [
        ("in process, over the floor", {"latency": _latency(floor=0.02, in_process=0.0251, http=0.03, usual=0.2)}),
        ("HTTP, over the floor", {"latency": _latency(floor=0.02, in_process=0.025, http=0.0301, usual=0.125)}),
        ("usual way, over in process", {"latency": _latency(floor=0.02, in_process=0.025, http=0.03, usual=0.124)}),
        ("throughput, of cores / floor", {"photos_per_s": 0.1}),
        (
            "steady memory of a worker, MB",
            {"workers": replace(WORKERS, memory=[(PHOTO, WorkerMemory(251_000_000, 251_000_000))])},
        ),
        ("start to ready, s", {"workers": replace(WORKERS, ready_s=_seconds(3.1))}),
    ],
)
def test_aims_beyond_one_limit_miss_that_one(missed: str, arguments):
    assert [text for text, is_met in _judged(**arguments).items() if not is_met] == [missed]


def test_aims_without_tensorflow_leave_the_usual_way_out():
    assert "usual way, over in process" not in _judged(_latency(floor=0.02, in_process=0.025, http=0.03))


def test_throughput_ideal_is_a_core_for_every_floor(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(predict, "_cores", lambda: 4)
    assert predict._share_of_ideal(Throughput(8, 100.0, 0.0), MET) == pytest.approx(0.5)


def test_floor_decodes_at_the_scale_of_the_real_path(monkeypatch, shipped_classifier, lesion_rgb, encode):
    large = np.repeat(np.repeat(lesion_rgb, 4, axis=0), 4, axis=1)
    photo = BenchmarkPhoto("mole.jpg", encode("JPEG", large), 2400, 1800)
    classify = predict._classifying(photo, shipped_classifier)
    floor = predict._floor(photo, classify, shipped_classifier, predict.SHIPPED_MODEL)
    modes: list[int] = []
    monkeypatch.setattr(cv2, "imdecode", lambda _data, mode: modes.append(mode))
    floor()
    assert modes == [cv2.IMREAD_REDUCED_GRAYSCALE_4 | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION]


def test_photo_that_no_model_sees_is_refused(shipped_classifier, encode):
    blank = BenchmarkPhoto("blank.jpg", encode("JPEG", np.full((450, 600, 3), 200, np.uint8)), 600, 450)
    with pytest.raises(BenchmarkError, match=r"blank\.jpg does not pass the gates"):
        predict._classifying(blank, shipped_classifier)()


def test_main_folder_without_photos_ends_with_2(tmp_path, capsys):
    assert predict.main(["--photos", str(tmp_path)]) == 2
    assert "holds no photo" in capsys.readouterr().err


def test_main_rounds_below_one_are_refused(capsys):
    with pytest.raises(SystemExit):
        predict.main(["--rounds", "0"])
    assert "--rounds is 0" in capsys.readouterr().err


@pytest.mark.slow
def test_main_quick_prints_every_row(capsys):
    assert predict.main(["--quick"]) == 0
    printed = capsys.readouterr().out
    first_cells = re.findall(r"^\| (.*?) +\|", printed, re.MULTILINE)
    paths = [FLOOR, IN_PROCESS, HTTP] + [USUAL] * (find_spec("tensorflow") is not None)
    for photo in (PHONE, DERMATOSCOPIC, HEIC):
        for path in paths:
            assert re.search(rf"^\| {photo} +\| +{path} \|", printed, re.MULTILINE)
    rows = [
        *(stage.name for stage in STAGES),
        *("rest", "total"),
        *("1", "2", "4", "8"),
        *("no photo yet", "progressive JPEG", "PNG", "WebP", "largest JPEG", "largest PNG"),
        *("start of the server", "death of its worker"),
        *("in process, over the floor", "throughput, of cores / floor", "start to ready, s"),
    ]
    assert [row for row in rows if row not in first_cells] == []
    assert re.search(r"^Meanwhile other work took [\d.]+ of \d+ cores", printed, re.MULTILINE)
