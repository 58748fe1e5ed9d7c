"""Reads of people."""

from accounts.errors import TokenRefused
from accounts.models import User


def person_by_email(email: str) -> User | None:
    """The person with this e-mail in any case."""
    return User.objects.filter(email=User.objects.normalize_email(email)).first()


def current_person(user: User) -> User:
    """The row of whoever is asking, locked until the transaction ends. Raises TokenRefused when it has gone."""
    person = User.objects.select_for_update().filter(pk=user.pk).first()
    if person is None:
        raise TokenRefused
    return person


def taken_fields(*, email: str, phone: str | None, besides: User | None = None) -> set[str]:
    """Which of `email` and `phone` belong to somebody else."""
    others = User.objects.exclude(pk=besides.pk) if besides else User.objects.all()
    taken = {"email"} if others.filter(email=email).exists() else set()
    return taken | ({"phone"} if phone and others.filter(phone=phone).exists() else set())
