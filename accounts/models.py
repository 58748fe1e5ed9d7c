"""Who a person is. Owns identity and its uniqueness; registration and one-time codes are services."""

from typing import Any, ClassVar

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
    blood_group = models.CharField(max_length=8, blank=True, default="")
    email_verified = models.BooleanField(default=False)
    phone_verified = models.BooleanField(default=False)
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
