"""Bearer tokens: given after a login, renewed once each, ended at logout or by a new password."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.db import transaction
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.audit import record_event
from accounts.errors import TokenRefused
from accounts.models import AuditKind, User
from accounts.selectors import current_person


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client keeps."""

    access: str
    refresh: str


def issue_tokens(*, user: User) -> Tokens:
    """New tokens for a person who has proved to be it. Raises TokenRefused when they have gone meanwhile."""
    with transaction.atomic():
        current_person(user)
        refresh = RefreshToken.for_user(user)
    return Tokens(access=str(refresh.access_token), refresh=str(refresh))


def rotate_tokens(*, refresh: str) -> Tokens:
    """New tokens for a refresh token, which ends with it. Raises TokenRefused, also for the slower of two at once."""
    with transaction.atomic():
        return issue_tokens(user=_end(refresh))


def end_tokens(*, refresh: str) -> None:
    """Log out: the refresh token is good for nothing any more. Raises TokenRefused when it was not before."""
    with transaction.atomic():
        record_event(kind=AuditKind.LOGOUT, actor=_end(refresh))


def delete_tokens(*, user: User) -> None:
    """Forget every refresh token of a person who is about to be deleted."""
    OutstandingToken.objects.filter(user=user).delete()


def purge_expired_tokens(*, now: datetime) -> int:
    """Delete what is remembered of refresh tokens that have expired by themselves; how many there were."""
    expired = OutstandingToken.objects.filter(expires_at__lte=now)
    count = expired.count()
    expired.delete()
    return count


def _end(refresh: str) -> User:
    try:
        token = RefreshToken(refresh)  # type: ignore[arg-type]  # the library's hint is wrong
        user = current_person(cast("User", JWTAuthentication().get_user(token)))
    except (TokenError, AuthenticationFailed) as error:
        raise TokenRefused from error
    outstanding = OutstandingToken.objects.filter(jti=token["jti"]).first()
    if outstanding is None or not BlacklistedToken.objects.get_or_create(token=outstanding)[1]:
        raise TokenRefused
    return user
