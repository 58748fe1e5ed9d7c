"""Several people, and several windows of one person, at the same moment."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from api.models import Prediction
from api.reviews import services
from api.reviews.conclusion import Basis
from api.reviews.models import Review, ReviewCase
from tests.api.reviews.conftest import case_of, make_reader, reading
from tests.threads import in_threads

pytestmark = pytest.mark.usefixtures("file_database")

MANY = 6


@pytest.fixture
def predictions(file_database, make_prediction: Callable[..., Prediction]) -> list[Prediction]:
    return [make_prediction() for _ in range(2)]


def readers(count: int) -> list[User]:
    return [make_reader(f"reader{number}") for number in range(count)]


def test_open_next_by_many_gives_each_case_to_one(predictions):
    waiting = readers(MANY)

    def open_next() -> Any:
        return services.open_next_case(reader=waiting.pop(), seed=1)

    opened = [case.pk for case in in_threads(open_next, threads=MANY) if case]
    assert sorted(opened) == sorted(prediction.pk for prediction in predictions)


def test_read_case_from_many_windows_is_one_answer(predictions):
    (reader,), case = readers(1), case_of(predictions[0])
    answers = ["mel", "nv"] * (MANY // 2)

    def submit() -> Any:
        return services.read_case(case=case, reader=reader, reading=reading(answers.pop()))

    results = in_threads(submit, threads=MANY)
    kept = Review.objects.get()
    assert [is_new for _review, is_new in results].count(True) == 1
    assert {review.pk for review, _is_new in results} == {kept.pk}
    assert ReviewCase.objects.get(pk=case.pk).label == kept.label


def test_read_case_by_many_keeps_every_answer(predictions):
    waiting, case = readers(MANY), case_of(predictions[0])

    def submit() -> Any:
        return services.read_case(case=case, reader=waiting.pop(), reading=reading("mel"))

    assert all(is_new for _review, is_new in in_threads(submit, threads=MANY))
    assert Review.objects.filter(label="mel").count() == MANY
    assert ReviewCase.objects.get(pk=case.pk).label == "mel"


def test_add_result_from_many_windows_is_one_row(predictions):
    (reader,), case = readers(1), case_of(predictions[0])

    def submit() -> Any:
        return services.add_result(case=case, reviewer=reader, reading=reading("mel", Basis.HISTOLOGY))

    assert len({review.pk for review in in_threads(submit, threads=MANY)}) == 1


def test_draw_by_many_draws_nothing_twice(predictions):
    (manager,) = readers(1)

    def draw() -> Any:
        return services.draw_control_sample(size=2, drawn_by=manager, seed=1)

    assert sorted(draw.size for draw in in_threads(draw, threads=MANY)) == [0] * (MANY - 1) + [2]
