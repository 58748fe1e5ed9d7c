"""What people do with their accounts. Passwords are hashed outside transactions: it takes as long as several photos.

EMAIL_VERIFICATION=optional (the default): a new person is logged in at once, and may prove e-mail and phone by a code.
EMAIL_VERIFICATION=required: registering gives no tokens but sends a code. A login with the right password is refused
with `email_not_verified` and sends another code where that is due; the same login with the code as `otp` verifies the
e-mail and succeeds. So a code is of no use without the password, and nobody learns which e-mails exist. It needs a
client that asks for the code at the login; the app in people's hands asks only afterwards.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import update_last_login
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled

from accounts import one_time_codes
from accounts.audit import pseudonym_of, record_event
from accounts.delivery import send_email, send_sms
from accounts.errors import CodeLocked, CodeWrong, EmailNotVerified, FormRefused, LoginRefused, RegistrationRefused
from accounts.models import AuditKind, CodePurpose, User
from accounts.one_time_codes import CodeOutcome
from accounts.selectors import current_person, person_by_email, taken_fields
from accounts.tokens import delete_tokens


@dataclass(frozen=True, slots=True)
class ProfileChanges:
    """What a person wants changed: None leaves as it is, an empty text clears."""

    full_name: str | None = None
    phone: str | None = None
    gender: str | None = None
    blood_group: str | None = None
    email: str | None = None
    current_password: str = ""
    training_consent: bool | None = None


# Coming in


def register_person(*, email: str, password: str, full_name: str = "", phone: str = "") -> User:
    """Create a person. Raises RegistrationRefused with texts by field; of two at once for one e-mail, one gets it."""
    person = User(email=User.objects.normalize_email(email), full_name=full_name, phone=phone or None)
    refused = _taken_texts(taken_fields(email=person.email, phone=person.phone))
    refused |= _password_texts(password, person)
    if refused:
        raise RegistrationRefused(refused)
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
            record_event(kind=AuditKind.REGISTERED, actor=person)
    except IntegrityError as error:
        taken = taken_fields(email=person.email, phone=person.phone)
        raise RegistrationRefused(_taken_texts(taken or {"email"})) from error
    if must_verify_email(person):
        send_code(user=person, purpose=CodePurpose.EMAIL)
    return person


def log_in(*, email: str, password: str, code: str = "") -> User:
    """The person with this e-mail and password. Raises LoginRefused, EmailNotVerified, CodeWrong."""
    person = authenticate(username=email, password=password)
    if not isinstance(person, User):
        record_failed_login(email=email)
        raise LoginRefused
    if must_verify_email(person):
        _verify_at_login(person, code)
    with transaction.atomic():
        current_person(person)
        update_last_login(User, person)
        record_event(kind=AuditKind.LOGIN, actor=person)
    return person


def record_failed_login(*, email: str) -> None:
    """Remember a failed login, and whose account was tried if there is one."""
    tried = person_by_email(email)
    subject = f"account {pseudonym_of(tried)}" if tried else ""
    record_event(kind=AuditKind.LOGIN_FAILED, actor=None, subject=subject)


def must_verify_email(person: User) -> bool:
    """Whether this person has to prove the e-mail before anything else."""
    return settings.EMAIL_VERIFICATION == "required" and not person.email_verified


def _verify_at_login(person: User, code: str) -> None:
    if code:
        confirm_address(user=person, purpose=CodePurpose.EMAIL, code=code)
        return
    with suppress(Throttled):  # the one before is on its way
        send_code(user=person, purpose=CodePurpose.EMAIL)
    raise EmailNotVerified


# Profile


def update_profile(*, user: User, changes: ProfileChanges) -> User:
    """Change a person. Raises FormRefused with texts by field.

    A new phone or e-mail is unverified until its code has come back. A new e-mail needs the current password: it is
    where a forgotten one is reset, so a stolen token must not be able to move it.
    """
    new_email = changes.email not in (None, user.email)
    if new_email and not user.check_password(changes.current_password):
        raise FormRefused({"current_password": [_("Enter your current password to change your e-mail.")]})
    try:
        with transaction.atomic():
            person = current_person(user)
            _apply(changes, person)
            person.save()
            if new_email:
                record_event(kind=AuditKind.EMAIL_CHANGED, actor=person)
    except IntegrityError as error:
        phone = changes.phone or None
        taken = taken_fields(email=changes.email or "", phone=phone, besides=user)
        raise FormRefused(_taken_texts(taken or {"phone"})) from error
    return person


def _apply(changes: ProfileChanges, person: User) -> None:
    person.email_verified &= changes.email in (None, person.email)
    person.phone_verified &= changes.phone in (None, person.phone)
    for name in ("full_name", "phone", "gender", "blood_group", "email"):
        value = getattr(changes, name)
        if value is not None:
            setattr(person, name, value)
    person.phone = person.phone or None
    _set_training_consent(person, changes.training_consent)


def _set_training_consent(person: User, consent: bool | None) -> None:  # noqa: FBT001 - None is its third value
    if consent is None or consent == person.training_consent:
        return
    person.training_consent_at = timezone.now() if consent else None
    record_event(kind=AuditKind.CONSENT_GIVEN if consent else AuditKind.CONSENT_WITHDRAWN, actor=person)


def delete_person(*, user: User) -> None:
    """Delete the person's own row, codes and tokens; what the log says of them keeps only their pseudonym."""
    with transaction.atomic():
        record_event(kind=AuditKind.ACCOUNT_DELETED, actor=user)
        delete_tokens(user=user)
        user.delete()


# Codes


def send_code(*, user: User, purpose: CodePurpose) -> None:
    """Send a code to the person's e-mail or phone. Raises FormRefused without a phone, Throttled when it is soon."""
    address = _address(user, purpose)
    if not address:
        raise FormRefused({"phone": [_("Add a phone number to your profile first.")]})
    code = one_time_codes.issue_code(user=user, purpose=purpose, address=address, now=timezone.now())
    minutes = int(one_time_codes.LIFETIME.total_seconds() // 60)
    text = _(
        "Your code is %(code)s. It is valid for %(minutes)d minutes. If you did not ask for it, ignore this message."
    ) % {"code": code, "minutes": minutes}
    if purpose is CodePurpose.PHONE:
        send_sms(to=address, text=text)
    else:
        send_email(to=address, subject=_("Your code"), text=text)


def confirm_address(*, user: User, purpose: CodePurpose, code: str) -> None:
    """Mark the e-mail or phone as verified by the code that was sent to it. Raises CodeWrong, CodeLocked."""
    field, address = purpose.value, _address(user, purpose)
    with transaction.atomic():
        outcome = one_time_codes.use_code(user=user, purpose=purpose, address=address, code=code, now=timezone.now())
        # Only where it is still the same: the person may be changing it at this moment.
        if outcome is CodeOutcome.RIGHT and not User.objects.filter(pk=user.pk, **{field: address}).update(
            **{f"{field}_verified": True}
        ):
            outcome = CodeOutcome.GONE
    if outcome is CodeOutcome.RIGHT:
        setattr(user, f"{field}_verified", True)
        return
    if outcome is CodeOutcome.LOCKED:
        raise CodeLocked
    raise CodeWrong


def is_verified(user: User, purpose: CodePurpose) -> bool:
    """Whether the person's present e-mail or phone is proved."""
    return user.phone_verified if purpose is CodePurpose.PHONE else user.email_verified


def _address(user: User, purpose: CodePurpose) -> str:
    return (user.phone or "") if purpose is CodePurpose.PHONE else user.email


# Passwords


def change_password(*, user: User, current_password: str, password: str) -> User:
    """A new password, which ends every token given before it. Raises FormRefused."""
    if not user.check_password(current_password):
        raise FormRefused({"current_password": [_("This is not your current password.")]})
    _check_password(password, user)
    _store_password(user, make_password(password), AuditKind.PASSWORD_CHANGED)
    return user


def send_password_code(*, email: str) -> None:
    """Send a code for a new password, if there is such a person. Never tells the caller."""
    person = person_by_email(email)
    if person is None or not person.is_active or not person.has_usable_password():
        return
    with suppress(Throttled):  # an unknown e-mail never has to wait either
        send_code(user=person, purpose=CodePurpose.PASSWORD)


def reset_password(*, email: str, code: str, password: str) -> None:
    """A new password by code, which also proves the e-mail. Raises FormRefused, and CodeWrong for all other reasons.

    The hash is made first, for unknown e-mails too: how long it takes tells nobody which exist.
    """
    _check_password(password, None)
    encoded = make_password(password)
    person = person_by_email(email)
    outcome = CodeOutcome.GONE
    if person is not None and person.is_active:
        with transaction.atomic():
            outcome = one_time_codes.use_code(
                user=person, purpose=CodePurpose.PASSWORD, address=person.email, code=code, now=timezone.now()
            )
            if outcome is CodeOutcome.RIGHT:
                _check_password(password, person)  # before that a stranger would learn what it resembles
                _store_password(person, encoded, AuditKind.PASSWORD_RESET)
                User.objects.filter(pk=person.pk, email=person.email).update(email_verified=True)
    if outcome is not CodeOutcome.RIGHT:
        raise CodeWrong


def _store_password(person: User, encoded: str, kind: AuditKind) -> None:
    person.password = encoded  # the tokens that come next are made from it
    with transaction.atomic():
        current_person(person)
        User.objects.filter(pk=person.pk).update(password=encoded)
        one_time_codes.void_codes(user=person, purpose=CodePurpose.PASSWORD)
        record_event(kind=kind, actor=person)


def _check_password(password: str, person: User | None) -> None:
    refused = _password_texts(password, person)
    if refused:
        raise FormRefused(refused)


# Texts


def _password_texts(password: str, person: User | None) -> dict[str, list[str]]:
    try:
        validate_password(password, person)
    except ValidationError as error:
        return {"password": error.messages}
    return {}


def _taken_texts(fields: set[str]) -> dict[str, list[str]]:
    texts: Mapping[str, Any] = {
        "email": _("An account with this e-mail already exists."),
        "phone": _("An account with this phone number already exists."),
    }
    return {name: [text] for name, text in texts.items() if name in fields}
