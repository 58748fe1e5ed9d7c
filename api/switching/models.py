"""The versions of the model and the decisions to switch between them. Rows are written by `services/` only."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import AuditEvent


class VersionState(models.TextChoices):
    """What a version does or did."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    RETIRED = "retired"


class ModelVersion(models.Model):
    """A model folder in MODEL_DIR that was verified. While none is active, the shipped model answers."""

    name = models.CharField(max_length=100)
    version = models.CharField(max_length=50)
    digest = models.CharField(max_length=64, unique=True, help_text="sha256 of model.json, which names all other files")
    folder = models.CharField(max_length=300, help_text="relative to MODEL_DIR")
    state = models.CharField(max_length=10, choices=VersionState.choices, default=VersionState.CANDIDATE)
    report = models.JSONField(default=dict, blank=True, help_text="the gate's verdict with its reasons")
    passed = models.BooleanField(null=True, blank=True, help_text="what the gate says; empty: it was never asked")
    created_at = models.DateTimeField(default=timezone.now)
    activated_at = models.DateTimeField(null=True, blank=True, help_text="the last time")

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("activate_modelversion", "Can switch the model that answers")]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state=VersionState.ACTIVE), name="model_version_one_active"
            ),
            models.CheckConstraint(
                name="model_version_candidate_was_never_active",
                condition=Q(state=VersionState.CANDIDATE, activated_at__isnull=True)
                | (~Q(state=VersionState.CANDIDATE) & Q(activated_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.digest[:12]})"


class ModelSwitch(models.Model):
    """One decision that another model answers: a stack that `undoes` takes from. Who and when is in its event."""

    event = models.OneToOneField(AuditEvent, models.PROTECT, related_name="+")
    version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, related_name="switches", help_text="empty: the shipped model"
    )
    before = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, related_name="+", help_text="what answered until then, empty as above"
    )
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    forced = models.BooleanField(default=False, help_text="although it had not passed the gate")
    why = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "model switches"
        constraints = [
            models.CheckConstraint(name="model_switch_forced_has_a_reason", condition=Q(forced=False) | ~Q(why="")),
        ]

    def __str__(self) -> str:
        return f"{self.version or 'the shipped model'}, {self.event.created_at:%Y-%m-%d %H:%M}"
