"""Reads of cases. A reviewer finds what they may read, and never a photo of their own."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.audit import pseudonym_of
from accounts.models import AuditEvent, AuditKind, User
from api.models import Prediction, PredictionImage, Scan
from api.reviews.conclusion import Kind, Standing, Verdict
from api.reviews.models import Review, ReviewCase, ReviewPlan
from api.reviews.policies import PolicyName

_BATCH_SIZE = 500


def predictions_of_others(*, reader: User) -> QuerySet[Prediction]:
    """The log without the reader's own answers and those to photos that the reader has sent or saved, too."""
    sent = PredictionImage.objects.filter(prediction__user=reader, content_sha256=OuterRef("content_sha256"))
    saved = Scan.objects.filter(user=reader, content_sha256=OuterRef("content_sha256"))
    photos = PredictionImage.objects.filter(prediction=OuterRef("pk"))
    own = photos.filter(Exists(sent) | Exists(saved))
    not_own = Q(user=None) | ~Q(user=reader)
    return Prediction.objects.filter(not_own, Exists(photos), ~Exists(own))


def readable_predictions(*, reader: User, now: datetime) -> QuerySet[Prediction]:
    """What the reader could read next: neither read nor skipped by them, nor open before somebody else."""
    cases = ReviewCase.objects.filter(pk=OuterRef("pk"))
    leased = Q(leased_until__gt=now, leased_by__isnull=False) & ~Q(leased_by=reader)
    in_the_way = cases.filter(
        Q(wants_reading=False)
        | leased
        | Exists(_readings_by(reader).filter(case=OuterRef("pk")))
        | Exists(ReviewCase.skipped_by.through.objects.filter(reviewcase=OuterRef("pk"), user=reader))
    )
    return predictions_of_others(reader=reader).filter(~Exists(in_the_way))


def begun_predictions(*, reader: User, now: datetime) -> QuerySet[Prediction]:
    """Those of them that somebody waits for: drawn as control sample, or read once already; oldest case first."""
    begun = Q(review_case__control_draw__isnull=False) | Exists(Review.objects.filter(case=OuterRef("pk")))
    return readable_predictions(reader=reader, now=now).filter(begun).order_by("review_case__created_at", "pk")


def case_held_by(*, reader: User) -> ReviewCase | None:
    """The case that is open before the reader: neither answered nor skipped."""
    held = ReviewCase.objects.filter(leased_by=reader, leased_until__isnull=False, wants_reading=True)
    answered = _readings_by(reader).filter(case=OuterRef("pk"))
    return held.filter(~Exists(answered)).order_by("leased_until").last()


def case_for(*, reader: User, prediction_id: uuid.UUID) -> ReviewCase | None:
    """A case that the reader may answer or has answered; None for their own photos, and when it is gone."""
    cases = ReviewCase.objects.select_related("prediction")
    return cases.filter(pk=prediction_id, prediction__in=predictions_of_others(reader=reader)).first()


def reading_of(*, reader: User, case: ReviewCase) -> Review | None:
    """What the reader answered to the case."""
    return _readings_by(reader).filter(case=case).first()


def cases_read_by(*, reader: User) -> QuerySet[ReviewCase]:
    """What the reader has answered, disputed cases first, then the last answered."""
    read = ReviewCase.objects.filter(pk__in=_readings_by(reader).values("case")).select_related("prediction")
    disputed = Q(standing=Standing.DISPUTED.value)
    latest = Review.objects.filter(case=OuterRef("pk"), reviewer_pseudonym=pseudonym_of(reader))
    return read.annotate(
        is_disputed=disputed, read_at=latest.order_by("-created_at").values("created_at")[:1]
    ).order_by("-is_disputed", "-read_at")


def count_read(*, reader: User, since: datetime) -> int:
    """How many cases the reader has answered since then."""
    return _readings_by(reader).filter(created_at__gte=since).count()


def count_skipped(*, reader: User) -> int:
    """How many cases that still want a reading the reader has left to others."""
    return ReviewCase.objects.filter(skipped_by=reader, wants_reading=True).count()


def photos_of(*, case: ReviewCase) -> list[PredictionImage]:
    """The photos of the case."""
    return list(case.prediction.images.all())


def earlier_photos(*, case: ReviewCase) -> list[PredictionImage]:
    """What the same person sent before, newest first; nobody's photos have none."""
    prediction = case.prediction
    if prediction.user_id is None:
        return []
    earlier = PredictionImage.objects.filter(
        prediction__user=prediction.user_id, prediction__created_at__lt=prediction.created_at
    )
    return list(earlier.select_related("prediction").order_by("-prediction__created_at", "position")[:24])


def photo_for(*, reader: User, prediction_id: uuid.UUID, image_id: int) -> PredictionImage | None:
    """A photo of a case that is or was open before the reader, or an earlier one of the same person."""
    case = case_for(reader=reader, prediction_id=prediction_id)
    if case is None or not (case.leased_by_id == reader.pk or reading_of(reader=reader, case=case)):
        return None
    return next((image for image in (*photos_of(case=case), *earlier_photos(case=case)) if image.pk == image_id), None)


def current_policy() -> PolicyName:
    """What is read first."""
    plan = ReviewPlan.objects.first()
    return PolicyName(plan.policy) if plan else PolicyName.PRIORITY


def listed_cases() -> QuerySet[ReviewCase]:
    """All cases with what an administrator's list shows."""
    counts = {"readings": Count("reviews", filter=~Q(reviews__kind=Kind.RESULT.value))}
    return ReviewCase.objects.select_related("prediction", "control_draw").annotate(**counts)


def undrawn_predictions(*, since: datetime | None) -> QuerySet[Prediction]:
    """What a control sample is drawn from: the whole log or its end, whatever was answered or read."""
    never_drawn = Q(review_case__isnull=True) | Q(review_case__control_draw__isnull=True)
    log = Prediction.objects.filter(created_at__gte=since) if since else Prediction.objects.all()
    return log.filter(never_drawn)


def exportable_cases() -> QuerySet[ReviewCase]:
    """Cases concluded with a class whose person allows training: by the profile's switch, or for this very photo.

    Who has withdrawn since then has withdrawn that, too.
    """
    withdrawn = AuditEvent.objects.filter(
        kind=AuditKind.CONSENT_WITHDRAWN,
        actor=OuterRef("prediction__user"),
        created_at__gte=OuterRef("prediction__created_at"),
    )
    allowed = Q(prediction__user__training_consent_at__isnull=False) | Q(prediction__consent=True) & ~Exists(withdrawn)
    concluded = ReviewCase.objects.filter(standing=Standing.CONCLUDED.value, verdict=Verdict.CLASS.value)
    return concluded.filter(allowed).select_related("prediction").order_by("prediction__created_at", "pk")


def count_concluded() -> int:
    """How many cases are concluded, whoever allows what."""
    return ReviewCase.objects.filter(standing=Standing.CONCLUDED.value).count()


def with_reviews(cases: QuerySet[ReviewCase]) -> Iterator[tuple[ReviewCase, list[Review]]]:
    """Each case with its answers, a few hundred at a time: an export may hold all there are."""
    for batch in _batched(cases.iterator(_BATCH_SIZE), _BATCH_SIZE):
        reviews = reviews_of(cases=batch)
        yield from ((case, reviews[case.pk]) for case in batch)


def reviews_of(*, cases: Iterable[ReviewCase]) -> dict[uuid.UUID, list[Review]]:
    """The answers to each case, in the order in which they were given."""
    found: dict[uuid.UUID, list[Review]] = {case.pk: [] for case in cases}
    for review in Review.objects.filter(case__in=list(found)):
        found[review.case_id].append(review)
    return found


def _readings_by(reader: User) -> QuerySet[Review]:
    """By pseudonym, as it is unique: a second account is somebody else, a deleted one nobody."""
    return Review.objects.filter(reviewer_pseudonym=pseudonym_of(reader), is_reading=True)


def _batched(rows: Iterable[ReviewCase], size: int) -> Iterator[list[ReviewCase]]:
    """Lists of at most `size`: itertools.batched of Python 3.12."""
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch
