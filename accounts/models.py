"""Who a person is, the codes sent to them, and what was done. Owns identity and its uniqueness, and no behaviour."""

from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    """Creates people and finds them by e-mail in any case."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Lower case throughout. Django lowers only the domain, which lets one mailbox have two accounts."""
        return (email or "").strip().lower()

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Without a password the person cannot log in with one."""
        email = self.normalize_email(email)
        if not email:
            raise ValueError("A user needs an e-mail address, but none was given.")
        user = self.model(email=email, **fields)
        user.phone = user.phone or None
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=self.normalize_email(username))

    async def aget_by_natural_key(self, username: str | None) -> "User":
        return await self.aget(email=self.normalize_email(username))


class User(AbstractBaseUser, PermissionsMixin):
    """A person: uses the app, reviews predictions, or administers."""

    email = models.EmailField("e-mail", unique=True)
    full_name = models.CharField(max_length=150, blank=True, default="")
    # NULL, not "", when absent: any number of people may have none, two may not share one.
    phone = models.CharField(max_length=20, unique=True, null=True, blank=True)
    gender = models.CharField(max_length=32, blank=True, default="")
    blood_group = models.CharField(max_length=32, blank=True, default="")
    email_verified = models.BooleanField(default=False)
    phone_verified = models.BooleanField(default=False)
    training_consent_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when the person allows training with their photos; empty: not allowed."
    )
    is_staff = models.BooleanField("staff", default=False, help_text="May log in to the administration.")
    is_active = models.BooleanField("active", default=True, help_text="Clear this instead of deleting the person.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("email"),
                name="accounts_user_email_in_any_case",
                violation_error_message="User with this e-mail already exists.",
            ),
            models.CheckConstraint(condition=~models.Q(phone=""), name="accounts_user_phone_is_null_or_set"),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = type(self).objects.normalize_email(self.email)
        self.phone = self.phone or None

    @property
    def training_consent(self) -> bool:
        """Whether this person's photos may train later models."""
        return self.training_consent_at is not None


class CodePurpose(models.TextChoices):
    """What a one-time code proves or allows."""

    EMAIL = "email"
    PHONE = "phone"
    PASSWORD = "password"  # noqa: S105 - the purpose, not a secret


class OneTimeCode(models.Model):
    """The latest code of one person for one purpose. The digest binds it to the address it was sent to."""

    user = models.ForeignKey(User, models.CASCADE, related_name="one_time_codes")
    purpose = models.CharField(max_length=10, choices=CodePurpose.choices)
    digest = models.CharField(max_length=64, blank=True, help_text="empty once the code is used or void")
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    day_started_at = models.DateTimeField(help_text="of the first code of the day that `sends` counts")
    sends = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "purpose"], name="accounts_onetimecode_one_per_purpose"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} code of person {self.user_id}"


class AuditKind(models.TextChoices):
    """What is worth remembering about who did what."""

    REGISTERED = "registered"
    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGOUT = "logout"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an event, not a secret
    PASSWORD_RESET = "password_reset"  # noqa: S105 - an event, not a secret
    EMAIL_CHANGED = "email_changed"
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    EXPORT = "export"
    ACCOUNT_DELETED = "account_deleted"
    PHOTO_VIEWED = "photo_viewed"
    MODEL_REGISTERED = "model_registered"
    MODEL_SWITCHED = "model_switched"


class AppendOnlyError(RuntimeError):
    """An attempt to change or remove what has happened."""


class AuditQuerySet(models.QuerySet["AuditEvent"]):
    """Reads events; refuses to touch them."""

    def update(self, **_values: Any) -> NoReturn:
        raise AppendOnlyError("Audit events are never changed. Record a new one.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("Audit events are never deleted.")

    def bulk_update(self, *_args: Any, **_options: Any) -> NoReturn:
        raise AppendOnlyError("Audit events are never changed. Record a new one.")


class AuditEvent(models.Model):
    """One thing that somebody did. Says who, what and when, and nothing of any content.

    A deleted person's events lose the person and keep the pseudonym, which says only that the same person did them.
    """

    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    kind = models.CharField(max_length=20, choices=AuditKind.choices)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="audit_events")
    actor_pseudonym = models.CharField(max_length=16, blank=True, db_index=True, help_text="empty for a stranger")
    subject = models.CharField(max_length=100, blank=True, help_text="what it was done to, such as a prediction's id")

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.kind}, {self.created_at:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("Audit events are never changed. Record a new one.")
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *_args: Any, **_options: Any) -> NoReturn:
        raise AppendOnlyError("Audit events are never deleted.")
