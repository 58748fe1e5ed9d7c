"""The rows of reviews. Answers are written by `services` once; what a case comes to is derived from them."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import AppendOnlyError
from api.reviews.conclusion import Answer, Basis, Finding, Kind, Standing, Verdict
from api.reviews.policies import PolicyName
from ml_models.classification import Modality
from ml_models.labels import MAX_CODE_CHARACTERS


def _choices(values: Iterable[StrEnum]) -> list[tuple[str, str]]:
    return [(each.value, each.value) for each in values]


class ControlDraw(models.Model):
    """A random sample of the log, drawn without a look at any answer: only such cases tell how good a model is."""

    drawn_at = models.DateTimeField(default=timezone.now, editable=False)
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    since = models.DateField(null=True, help_text="first day of the log that it was drawn from; empty: from the start")
    population = models.PositiveIntegerField(help_text="answers that it was drawn from: all not drawn before")
    size = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["-drawn_at"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.size} of {self.population}, drawn {self.drawn_at:%Y-%m-%d %H:%M}"


class ReviewCase(models.Model):
    """An answer of the log that somebody reads, or has read. It goes with its prediction."""

    prediction = models.OneToOneField("api.Prediction", models.CASCADE, primary_key=True, related_name="review_case")
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    control_draw = models.ForeignKey(ControlDraw, models.PROTECT, null=True, blank=True, related_name="cases")
    opinions_required = models.PositiveSmallIntegerField(default=1)

    leased_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    leased_until = models.DateTimeField(null=True)
    skipped_by = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")

    standing = models.CharField(max_length=10, choices=_choices(Standing), default=Standing.WAITING.value)
    wants_reading = models.BooleanField(default=True, db_index=True)
    verdict = models.CharField(max_length=12, choices=_choices(Verdict), blank=True)
    label = models.CharField(max_length=MAX_CODE_CHARACTERS, blank=True)
    basis = models.CharField(max_length=10, choices=_choices(Basis), blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        default_permissions = ()
        permissions: ClassVar = [
            ("review", "Can read cases, before seeing what the model answered"),
            ("manage_reviews", "Can see all reviews, choose what is read and draw samples"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="review_case_has_a_finding_when_concluded",
                condition=Q(standing=Standing.CONCLUDED.value, wants_reading=False) & ~Q(verdict="") & ~Q(basis="")
                | ~Q(standing=Standing.CONCLUDED.value) & Q(verdict="", label="", basis=""),
            ),
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"


class _ReviewQuerySet(models.QuerySet["Review"]):
    """Reads answers; refuses to change them."""

    def update(self, **_values: Any) -> NoReturn:
        raise AppendOnlyError("Answers are never changed. Add a remark or a result.")

    def bulk_update(self, *_args: Any, **_options: Any) -> NoReturn:
        raise AppendOnlyError("Answers are never changed. Add a remark or a result.")


class Review(models.Model):
    """One answer of one reviewer to one case, never changed.

    A reviewer whose account is deleted leaves the pseudonym, which says only that the same person gave the answers.
    """

    case = models.ForeignKey(ReviewCase, models.CASCADE, related_name="reviews")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="reviews")
    reviewer_pseudonym = models.CharField(max_length=16)
    kind = models.CharField(max_length=10, choices=_choices(Kind))
    is_reading = models.BooleanField(help_text="given before anything of the model or of other reviewers was shown")
    may_read_log = models.BooleanField(help_text="the reviewer had the permission to look the model's answer up before")
    verdict = models.CharField(max_length=12, choices=_choices(Verdict))
    label = models.CharField(max_length=MAX_CODE_CHARACTERS, blank=True)
    basis = models.CharField(max_length=10, choices=_choices(Basis))
    modality = models.CharField(max_length=13, choices=_choices(Modality), blank=True)

    objects = _ReviewQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case", "reviewer_pseudonym"], condition=Q(is_reading=True), name="review_one_reading_each"
            ),
            models.CheckConstraint(
                name="review_has_a_label_when_it_names_a_class",
                condition=Q(verdict=Verdict.CLASS.value) & ~Q(label="") | ~Q(verdict=Verdict.CLASS.value) & Q(label=""),
            ),
            models.CheckConstraint(
                name="review_opinion_is_a_reading", condition=Q(is_reading=True) | ~Q(basis=Basis.OPINION.value)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label or self.verdict} ({self.basis}), {self.created_at:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("Answers are never changed. Add a remark or a result.")
        super().save(*args, **{**options, "force_insert": True})

    @property
    def answer(self) -> Answer:
        """What `conclude` weighs."""
        return Answer(
            Finding(Verdict(self.verdict), self.label), Basis(self.basis), Kind(self.kind), is_reading=self.is_reading
        )


class ReviewRemark(models.Model):
    """What a reviewer adds to their answer in words."""

    review = models.ForeignKey(Review, models.CASCADE, related_name="remarks")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    text = models.TextField()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"remark on answer {self.review_id}"


class ReviewPlan(models.Model):
    """What is read first; one row. Reviewers do not choose it: it would tell them what the model answered."""

    policy = models.CharField(max_length=12, choices=_choices(PolicyName), default=PolicyName.PRIORITY.value)
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.CheckConstraint(name="review_plan_is_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return self.policy
