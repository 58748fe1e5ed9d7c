"""The map that all heavy steps run through: ordered, lazy, and gone when it is left."""

import multiprocessing
import os
from collections.abc import Iterator

import pytest

from ml_pipeline.executor import available_cores, ordered_map


def _square(number: int) -> int:
    return number * number


def _where(_number: int) -> int:
    return os.getpid()


def _refuse_seven(number: int) -> int:
    if number == 7:
        raise ValueError("seven")
    return number


def counting(seen: list[int], count: int) -> Iterator[int]:
    for number in range(count):
        seen.append(number)
        yield number


@pytest.mark.parametrize("workers", [1, 2])
def test_ordered_map_gives_results_in_the_order_of_items(workers: int) -> None:
    assert list(ordered_map(_square, range(150), workers=workers, chunk=4)) == [n * n for n in range(150)]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_ordered_map_of_nothing_is_nothing(workers: int) -> None:
    assert list(ordered_map(_square, [], workers=workers)) == []


def test_ordered_map_one_worker_stays_in_this_process() -> None:
    assert set(ordered_map(_where, range(5), workers=1)) == {os.getpid()}


def test_ordered_map_two_workers_are_other_processes_and_leave_none_behind() -> None:
    elsewhere = set(ordered_map(_where, range(40), workers=2, chunk=1))
    assert os.getpid() not in elsewhere
    assert 1 <= len(elsewhere) <= 2
    assert multiprocessing.active_children() == []


def test_ordered_map_does_not_run_far_ahead_of_its_reader() -> None:
    seen: list[int] = []
    results = ordered_map(_square, counting(seen, 10_000), workers=2, chunk=5)
    assert next(results) == 0
    assert len(seen) <= 2 * 4 * 5 + 5
    results.close()
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("workers", [1, 2])
def test_ordered_map_an_error_comes_through_and_ends_the_processes(workers: int) -> None:
    with pytest.raises(ValueError, match="seven"):
        list(ordered_map(_refuse_seven, range(100), workers=workers, chunk=2))
    assert multiprocessing.active_children() == []


def test_available_cores_are_those_that_this_process_may_use() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
