"""Cases opened, read, disputed, resolved and drawn."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit import pseudonym_of
from accounts.models import AppendOnlyError
from api.models import Prediction
from api.reviews import selectors, services
from api.reviews.conclusion import Basis
from api.reviews.models import ControlDraw, Review, ReviewCase
from api.reviews.policies import PolicyName
from tests.api.reviews.conftest import case_of, read, reading

pytestmark = pytest.mark.django_db


def next_of(reader: Any, seed: int = 1) -> ReviewCase | None:
    return services.open_next_case(reader=reader, seed=seed)


def standing(prediction: Prediction) -> tuple[str, str, bool]:
    case = case_of(prediction)
    return case.standing, case.label, case.wants_reading


# Opening


def test_open_next_gives_what_the_policy_wants_first(anna, make_prediction):
    make_prediction(label="nv")
    sought = make_prediction(label="mel", suspicious=True)
    make_prediction(label="nv")
    assert next_of(anna).prediction == sought


def test_open_next_gives_the_same_case_until_it_is_answered(anna, make_prediction):
    make_prediction()
    make_prediction()
    first = next_of(anna)
    assert next_of(anna, seed=2) == first
    services.read_case(case=first, reader=anna, reading=reading())
    assert next_of(anna) not in (None, first)


def test_open_next_gives_two_readers_two_cases(anna, bert, make_prediction):
    make_prediction()
    make_prediction()
    assert next_of(anna) != next_of(bert)


def test_open_next_gives_a_case_to_another_once_its_time_is_over(anna, bert, make_prediction):
    make_prediction()
    case = next_of(anna)
    assert next_of(bert) is None
    ReviewCase.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert next_of(bert) == case


def test_open_next_gives_no_own_photo(anna, make_prediction):
    make_prediction(user=anna)
    assert next_of(anna) is None


def test_open_next_gives_no_anonymous_copy_of_an_own_photo(anna, bert, make_prediction):
    make_prediction(user=anna, content_sha256="b2" * 32)
    anonymous = make_prediction(content_sha256="b2" * 32)
    assert next_of(anna) is None
    assert next_of(bert).pk in Prediction.objects.values_list("pk", flat=True)
    assert selectors.case_for(reader=anna, prediction_id=case_of(anonymous).pk) is None


def test_open_next_gives_no_prediction_without_a_photo(anna, make_prediction):
    make_prediction().images.all().delete()
    assert next_of(anna) is None


def test_open_next_passes_over_what_was_skipped_until_it_is_taken_back(anna, bert, make_prediction):
    make_prediction()
    case = next_of(anna)
    services.skip_case(case=case, reader=anna)
    assert next_of(anna) is None
    assert next_of(bert) == case
    services.skip_case(case=case, reader=bert)
    services.take_back_skipped(reader=anna)
    assert next_of(anna) == case
    assert next_of(bert) is None


def test_open_next_mixes_what_is_waited_for_with_the_policy(anna, superuser, make_prediction):
    waited_for = make_prediction()
    services.draw_control_sample(size=1, drawn_by=superuser, seed=1)
    suspicious = make_prediction(suspicious=True)
    opened = set()
    for seed in range(20):
        opened.add(next_of(anna, seed=seed).pk)
        ReviewCase.objects.update(leased_by=None, leased_until=None)
    assert opened == {waited_for.pk, suspicious.pk}


@pytest.mark.parametrize("policy", PolicyName)
def test_open_next_works_by_every_policy(anna, superuser, make_prediction, policy: PolicyName):
    services.choose_policy(policy=policy, chosen_by=superuser)
    make_prediction(status="rejected", label="", probabilities=None)
    make_prediction(status="uncertain", probabilities={"nv": 0.5, "mel": 0.5})
    assert selectors.current_policy() is policy
    assert next_of(anna) is not None


def test_choose_policy_again_replaces_the_plan(superuser):
    for policy in (PolicyName.MARGIN, PolicyName.RANDOM):
        services.choose_policy(policy=policy, chosen_by=superuser)
    assert selectors.current_policy() is PolicyName.RANDOM


# Reading


def test_read_case_concludes_it(anna, make_prediction):
    prediction = make_prediction()
    review = read(prediction, anna, "mel")
    assert standing(prediction) == ("concluded", "mel", False)
    assert (review.reviewer, review.is_reading, review.may_read_log) == (anna, True, False)


def test_read_case_twice_keeps_the_first_answer(anna, make_prediction):
    prediction = make_prediction()
    first = read(prediction, anna, "mel")
    again, is_new = services.read_case(case=case_of(prediction), reader=anna, reading=reading("nv"))
    assert (again, is_new) == (first, False)
    assert standing(prediction) == ("concluded", "mel", False)


def test_review_is_never_changed(anna, make_prediction):
    review = read(make_prediction(), anna)
    review.label = "mel"
    with pytest.raises(AppendOnlyError):
        review.save()
    with pytest.raises(AppendOnlyError):
        Review.objects.filter(pk=review.pk).update(label="mel")


def test_review_second_reading_by_one_person_is_refused_by_the_database(anna, make_prediction):
    review = read(make_prediction(), anna)
    review.pk, review._state.adding = None, True
    with pytest.raises(IntegrityError), transaction.atomic():
        review.save()


def test_read_case_by_somebody_who_may_see_the_log_is_marked(superuser, make_prediction):
    assert read(make_prediction(), superuser).may_read_log


def test_read_case_of_a_deleted_photo_says_so(anna, make_prediction):
    prediction = make_prediction()
    case = case_of(prediction)
    prediction.delete()
    with pytest.raises(services.CaseGone):
        services.read_case(case=case, reader=anna, reading=reading())


def test_disagreement_goes_to_a_third_reader_whose_answer_resolves_it(anna, bert, cleo, make_prediction):
    prediction = make_prediction()
    services.require_second_opinion(cases=[case_of(prediction)])
    read(prediction, anna, "mel")
    assert next_of(bert).prediction == prediction
    read(prediction, bert, "nv")
    assert standing(prediction) == ("disputed", "", True)
    assert next_of(anna) is None
    assert next_of(cleo).prediction == prediction
    assert read(prediction, cleo, "nv").kind == "resolution"
    assert standing(prediction) == ("concluded", "nv", False)


def test_disagreement_is_resolved_by_a_biopsy(anna, bert, make_prediction):
    prediction = make_prediction()
    services.require_second_opinion(cases=[case_of(prediction)])
    read(prediction, anna, "mel")
    read(prediction, bert, "nv")
    services.add_result(case=case_of(prediction), reviewer=bert, reading=reading("mel", Basis.HISTOLOGY))
    assert standing(prediction) == ("concluded", "mel", False)
    assert case_of(prediction).basis == "histology"


def test_result_overrules_an_opinion_and_keeps_it(anna, make_prediction):
    prediction = make_prediction()
    read(prediction, anna, "nv")
    services.add_result(case=case_of(prediction), reviewer=anna, reading=reading("mel", Basis.HISTOLOGY))
    assert standing(prediction) == ("concluded", "mel", False)
    assert list(Review.objects.values_list("label", flat=True)) == ["nv", "mel"]


def test_result_sent_twice_is_one_row(anna, make_prediction):
    prediction = make_prediction()
    read(prediction, anna, "nv")
    for _ in range(2):
        services.add_result(case=case_of(prediction), reviewer=anna, reading=reading("mel", Basis.HISTOLOGY))
    assert Review.objects.count() == 2


def test_result_that_is_an_opinion_is_refused(anna, make_prediction):
    prediction = make_prediction()
    with pytest.raises(ValueError, match="more than an opinion"):
        services.add_result(case=case_of(prediction), reviewer=anna, reading=reading("mel"))


def test_remark_sent_twice_is_one(anna, make_prediction):
    review = read(make_prediction(), anna)
    for _ in range(2):
        services.add_remark(review=review, text="Slip of the finger.")
    assert review.remarks.count() == 1


# Second opinions


@pytest.mark.parametrize(
    ("rules", "answer", "suspicious", "wanted"),
    [
        ({"malignant"}, "mel", False, True),
        ({"malignant"}, "nv", True, False),
        ({"malignant"}, "unsure", True, True),  # somebody must be sure, rule or not
        ({"contradiction"}, "nv", True, True),
        ({"contradiction"}, "not_a_lesion", True, True),
        ({"contradiction"}, "mel", True, False),
        ({"contradiction"}, "nv", False, False),
        (set(), "mel", True, False),
    ],
)
def test_second_opinion_is_wanted_by_rule(
    settings,
    anna,
    make_prediction,
    rules: set[str],
    answer: str,
    suspicious: bool,  # noqa: FBT001
    wanted: bool,  # noqa: FBT001
):
    settings.REVIEW_SECOND_OPINION = frozenset(rules)
    prediction = make_prediction(suspicious=suspicious)
    read(prediction, anna, answer)
    assert case_of(prediction).wants_reading is wanted


def test_second_opinion_on_a_class_of_unknown_malignancy_is_wanted(settings, anna, make_prediction):
    settings.REVIEW_SECOND_OPINION = frozenset({"malignant"})
    prediction = make_prediction(label="tinea", probabilities={"tinea": 1.0})
    read(prediction, anna, "tinea")
    assert case_of(prediction).wants_reading


def test_require_second_opinion_opens_a_concluded_case_again(anna, bert, make_prediction):
    prediction = make_prediction()
    read(prediction, anna, "nv")
    assert services.require_second_opinion(cases=[case_of(prediction)]) == 1
    assert standing(prediction) == ("waiting", "", True)
    assert services.require_second_opinion(cases=[case_of(prediction)]) == 0
    read(prediction, bert, "nv")
    assert standing(prediction) == ("concluded", "nv", False)


# The control sample


def test_control_sample_is_drawn_from_everything_and_marked(superuser, anna, make_prediction):
    read(make_prediction(label="mel", suspicious=True), anna, "mel")
    make_prediction(status="rejected", label="", probabilities=None)
    make_prediction()
    draw = services.draw_control_sample(size=3, drawn_by=superuser, seed=1)
    assert (draw.population, draw.size, draw.cases.count()) == (3, 3, 3)
    assert draw.drawn_by == superuser


def test_control_sample_draws_nothing_twice(superuser, make_prediction):
    for _ in range(5):
        make_prediction()
    draws = [services.draw_control_sample(size=size, drawn_by=superuser, seed=1) for size in (2, 10, 1)]
    assert [(draw.population, draw.size) for draw in draws] == [(5, 2), (3, 3), (0, 0)]
    assert ReviewCase.objects.filter(control_draw=draws[0]).count() == 2


def test_control_sample_ignores_the_answer(superuser, make_prediction):
    """Of as many suspicious as plain answers, many draws bring about as many of each: 3 standard deviations."""
    for index in range(40):
        make_prediction(suspicious=index < 20)
    suspicious = 0
    for seed in range(50):
        with transaction.atomic():
            draw = services.draw_control_sample(size=8, drawn_by=superuser, seed=seed)
            suspicious += draw.cases.filter(prediction__suspicious=True).count()
            transaction.set_rollback(True)
    assert 170 <= suspicious <= 230


def test_control_sample_depends_on_the_seed_alone(superuser, make_prediction):
    for _ in range(10):
        make_prediction()
    drawn = []
    for seed in (7, 7, 8):
        with transaction.atomic():
            draw = services.draw_control_sample(size=4, drawn_by=superuser, seed=seed)
            drawn.append(set(draw.cases.values_list("pk", flat=True)))
            transaction.set_rollback(True)
    assert drawn[0] == drawn[1] != drawn[2]


def test_control_sample_since_a_day_leaves_older_answers_out(superuser, make_prediction):
    make_prediction(days_old=10)
    new = make_prediction()
    since = timezone.now() - timedelta(days=1)
    draw = services.draw_control_sample(size=5, drawn_by=superuser, seed=1, since=since)
    assert [case.prediction for case in draw.cases.all()] == [new]
    assert draw.since == since.date()


def test_control_sample_needs_two_readers_by_rule(settings, superuser, anna, make_prediction):
    settings.REVIEW_SECOND_OPINION = frozenset({"control"})
    prediction = make_prediction()
    services.draw_control_sample(size=1, drawn_by=superuser, seed=1)
    read(prediction, anna)
    assert case_of(prediction).wants_reading


# Deletion


def test_prediction_takes_its_reviews_along(anna, superuser, make_prediction):
    prediction = make_prediction()
    services.draw_control_sample(size=1, drawn_by=superuser, seed=1)
    services.add_remark(review=read(prediction, anna), text="A remark.")
    prediction.delete()
    assert (ReviewCase.objects.count(), Review.objects.count()) == (0, 0)
    assert ControlDraw.objects.get().size == 1


def test_deleted_reviewer_leaves_the_answers_under_the_pseudonym(anna, make_prediction):
    review = read(make_prediction(), anna)
    anna.delete()
    kept = Review.objects.get()
    assert (kept.reviewer, kept.reviewer_pseudonym) == (None, review.reviewer_pseudonym)


def test_account_export_holds_what_was_said_and_not_who_said_it(bearer, anna, person, make_prediction):
    services.add_remark(review=read(make_prediction(user=person), anna, "mel"), text="A remark.")
    archive = zipfile.ZipFile(io.BytesIO(bearer(person).get("/api/account/export/").getvalue()))
    text = archive.read("predictions.json").decode()
    ((review,),) = (prediction["reviews"] for prediction in json.loads(text))
    assert (review["label"], review["remarks"][0]["text"]) == ("mel", "A remark.")
    assert not [key for key in review if "reviewer" in key or "log" in key]
    assert pseudonym_of(anna) not in text
