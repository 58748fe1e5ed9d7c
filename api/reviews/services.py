"""Writes of reviews: a case is opened, read once by each reader, and comes to what its answers say."""

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.audit import pseudonym_of
from accounts.models import User
from api.models import Prediction
from api.reviews import selectors
from api.reviews.classes import is_benign
from api.reviews.conclusion import Basis, Finding, Kind, Standing, Verdict, conclude
from api.reviews.models import ControlDraw, Review, ReviewCase, ReviewPlan, ReviewRemark
from api.reviews.policies import POLICIES, PolicyName
from api.reviews.pool import pool_of
from ml_models.classification import Modality

_SEES_ANSWERS = ("api.view_prediction", "api.manage_reviews")
TWO_READERS = 2
# Every other case is one that is waited for, so that none can tell a control sample by when it comes.
_SHARE_OF_BEGUN = 0.5


class CaseGone(Exception):
    """The person has deleted the photo, and with it all that was said of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader says of a photo, or of news about a case."""

    finding: Finding
    basis: Basis
    modality: Modality | None = None


def open_next_case(*, reader: User, seed: int) -> ReviewCase | None:
    """Lease the reader the case that is still open before them, else the next; None when nothing is left."""
    now = timezone.now()
    held = selectors.case_held_by(reader=reader)
    if held and _lease(prediction_id=held.pk, reader=reader, now=now):
        return held
    for prediction_id in _in_order(reader=reader, now=now, seed=seed):
        if case := _lease(prediction_id=prediction_id, reader=reader, now=now):
            return case
    return None


def open_case(*, case: ReviewCase, reader: User) -> bool:
    """Lease the reader this case; False when it wants no reading, or somebody else is at it."""
    return _lease(prediction_id=case.pk, reader=reader, now=timezone.now()) is not None


def read_case(*, case: ReviewCase, reader: User, reading: Reading) -> tuple[Review, bool]:
    """Keep what the reader says of the photo, once: a second time the first answer stands. Whether it is new.

    Raises CaseGone when the person has deleted the photo meanwhile.
    """
    with transaction.atomic():
        case = _locked(case.pk)
        earlier = selectors.reading_of(reader=reader, case=case)
        if earlier:
            return earlier, False
        is_third_opinion = case.standing == Standing.DISPUTED.value and case.wants_reading
        review = Review.objects.create(
            case=case,
            kind=(Kind.RESOLUTION if is_third_opinion else Kind.OPINION).value,
            is_reading=True,
            **_given(reader, reading),
        )
        if _wants_second_opinion(case, reading):
            case.opinions_required = max(case.opinions_required, TWO_READERS)
        if case.leased_by_id == reader.pk:
            case.leased_until = None
        _settle(case)
    return review, True


def add_result(*, case: ReviewCase, reviewer: User, reading: Reading) -> Review:
    """Add what has become known since, such as a biopsy; in a disputed case it resolves the dispute.

    Sent twice it is one row. Raises ValueError for a mere opinion, which is given by reading, and CaseGone.
    """
    if reading.basis is Basis.OPINION:
        raise ValueError("A result must be known by more than an opinion. Read the case instead.")
    with transaction.atomic():
        case = _locked(case.pk)
        given = _given(reviewer, reading)
        last = case.reviews.order_by("id").last()
        if last and not last.is_reading and all(getattr(last, name) == value for name, value in given.items()):
            return last
        kind = Kind.RESOLUTION if case.standing == Standing.DISPUTED.value else Kind.RESULT
        review = Review.objects.create(case=case, kind=kind.value, is_reading=False, **given)
        _settle(case)
    return review


def add_remark(*, review: Review, text: str) -> ReviewRemark:
    """Add words to an answer; the same words twice are one remark."""
    with transaction.atomic():
        _locked(review.case_id)
        return ReviewRemark.objects.get_or_create(review=review, text=text)[0]


def skip_case(*, case: ReviewCase, reader: User) -> None:
    """Leave a case to others."""
    with transaction.atomic():
        case = _locked(case.pk)
        case.skipped_by.add(reader)
        if case.leased_by_id == reader.pk:
            case.leased_until = None
            case.save(update_fields=["leased_until"])


def take_back_skipped(*, reader: User) -> None:
    """Let the reader's skipped cases come again."""
    ReviewCase.skipped_by.through.objects.filter(user=reader).delete()


def require_second_opinion(*, cases: Iterable[ReviewCase]) -> int:
    """Two readers must agree on each of these cases; how many that changes."""
    changed = 0
    for case in cases:
        with transaction.atomic():
            locked = ReviewCase.objects.select_for_update().filter(pk=case.pk, opinions_required__lt=TWO_READERS)
            if row := locked.first():
                row.opinions_required = TWO_READERS
                _settle(row)
                changed += 1
    return changed


def draw_control_sample(*, size: int, drawn_by: User, seed: int, since: datetime | None = None) -> ControlDraw:
    """Draw from all that was answered and never drawn before, whatever the answer was and whether it was read.

    Nothing but `seed` decides; the mark is never taken back. Fewer are drawn where there are fewer.
    """
    with transaction.atomic():
        population = list(
            selectors.undrawn_predictions(since=since).order_by("created_at", "pk").values_list("pk", flat=True)
        )
        drawn = random.Random(seed).sample(population, min(size, len(population)))  # noqa: S311 - a sample, no secret
        draw = ControlDraw.objects.create(
            drawn_by=drawn_by, since=since and since.date(), population=len(population), size=len(drawn)
        )
        for prediction_id in drawn:
            case, _created = ReviewCase.objects.get_or_create(prediction_id=prediction_id)
            case.control_draw = draw
            if "control" in settings.REVIEW_SECOND_OPINION:
                case.opinions_required = max(case.opinions_required, TWO_READERS)
            _settle(case)
    return draw


def choose_policy(*, policy: PolicyName, chosen_by: User) -> ReviewPlan:
    """Set what is read first, from the next case on."""
    values = {"policy": policy.value, "changed_at": timezone.now(), "changed_by": chosen_by}
    return ReviewPlan.objects.update_or_create(pk=1, defaults=values)[0]


def _in_order(*, reader: User, now: datetime, seed: int) -> Iterable[uuid.UUID]:
    """Keys of what the reader may read: what is waited for and what the policy wants, by turns of a coin."""
    rng = np.random.default_rng(seed)
    begun = selectors.begun_predictions(reader=reader, now=now).values_list("pk", flat=True)[:TWO_READERS]
    is_turn_of_begun = rng.random() < _SHARE_OF_BEGUN
    if is_turn_of_begun:
        yield from begun
    policy = selectors.current_policy()
    pool = pool_of(selectors.readable_predictions(reader=reader, now=now), policy=policy)
    yield from (candidate.prediction_id for candidate in POLICIES[policy](pool, rng))
    yield from begun


def _lease(*, prediction_id: uuid.UUID, reader: User, now: datetime) -> ReviewCase | None:
    """The case, for the reader alone for a while; None when somebody else was faster or the photo is gone."""
    with transaction.atomic():
        if not Prediction.objects.select_for_update().filter(pk=prediction_id).exists():
            return None
        case, _created = ReviewCase.objects.get_or_create(prediction_id=prediction_id)
        free = Q(leased_by=None) | Q(leased_by=reader) | Q(leased_until=None) | Q(leased_until__lte=now)
        until = now + timedelta(minutes=settings.REVIEW_LEASE_MINUTES)
        mine: QuerySet[ReviewCase] = ReviewCase.objects.filter(free, pk=case.pk, wants_reading=True)
        return case if mine.update(leased_by=reader, leased_until=until) else None


def _locked(prediction_id: uuid.UUID) -> ReviewCase:
    """The case as it stands now, until the transaction ends."""
    case = ReviewCase.objects.select_for_update().select_related("prediction").filter(pk=prediction_id).first()
    if case is None:
        raise CaseGone
    return case


def _given(reviewer: User, reading: Reading) -> dict[str, object]:
    return {
        "reviewer": reviewer,
        "reviewer_pseudonym": pseudonym_of(reviewer),
        "may_read_log": any(reviewer.has_perm(permission) for permission in _SEES_ANSWERS),
        "verdict": reading.finding.verdict.value,
        "label": reading.finding.label,
        "basis": reading.basis.value,
        "modality": reading.modality.value if reading.modality else "",
    }


def _wants_second_opinion(case: ReviewCase, reading: Reading) -> bool:
    """Whether a rule of REVIEW_SECOND_OPINION asks for another reader; only opinions need one."""
    rules, verdict = settings.REVIEW_SECOND_OPINION, reading.finding.verdict
    if verdict is Verdict.UNSURE:
        return False
    harmless = verdict is Verdict.NOT_A_LESION or is_benign(reading.finding.label, case.prediction.model_digest)
    return ("malignant" in rules and not harmless) or (
        "contradiction" in rules and harmless and case.prediction.suspicious
    )


def _settle(case: ReviewCase) -> None:
    """Write down what the answers come to."""
    answers = [review.answer for review in case.reviews.order_by("id")]
    conclusion = conclude(answers, opinions_required=case.opinions_required)
    finding = conclusion.finding
    case.standing = conclusion.standing.value
    case.wants_reading = conclusion.wants_reading
    case.verdict = finding.verdict.value if finding else ""
    case.label = finding.label if finding else ""
    case.basis = conclusion.basis.value if conclusion.basis else ""
    case.save()
