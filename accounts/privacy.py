"""The privacy notice, written from the settings so that it stays true when they change."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the notice."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class PrivacyNotice:
    """What is kept of whom, for how long, and what one can do about it, in the language of the request."""

    title: str
    sections: tuple[Section, ...]
    anonymous_retention_days: int
    retention_days: int | None
    contact: str


def privacy_notice() -> PrivacyNotice:
    """The notice of this server."""
    return PrivacyNotice(
        title=_("Privacy notice"),
        sections=(
            Section(_("Photos"), _photos()),
            Section(_("How long"), _retention()),
            Section(_("Who sees them"), _readers()),
            Section(_("Training"), _training()),
            Section(_("Your account"), _account()),
            Section(_("Your rights"), _rights()),
        ),
        anonymous_retention_days=settings.ANONYMOUS_RETENTION_DAYS,
        retention_days=settings.RETENTION_DAYS or None,
        contact=settings.PRIVACY_CONTACT,
    )


def _photos() -> str:
    photos = _(
        "A photo is stored together with its answer and with what was said about age, sex, site and history. "
        "Its metadata, such as place, time and device, is removed before it is stored. "
        "A photo sent without a login is anonymous."
    )
    if not settings.CLAIM_HOURS:
        return photos
    claimed = ngettext(
        "It becomes yours when you save a scan of the same photo within %(hours)d hour.",
        "It becomes yours when you save a scan of the same photo within %(hours)d hours.",
        settings.CLAIM_HOURS,
    ) % {"hours": settings.CLAIM_HOURS}
    return f"{photos} {claimed}"


def _retention() -> str:
    anonymous = ngettext(
        "Anonymous photos and answers are deleted after %(days)d day.",
        "Anonymous photos and answers are deleted after %(days)d days.",
        settings.ANONYMOUS_RETENTION_DAYS,
    ) % {"days": settings.ANONYMOUS_RETENTION_DAYS}
    if not settings.RETENTION_DAYS:
        return anonymous + " " + _("Yours are kept until you delete them.")
    yours = ngettext(
        "Answers of yours are deleted after %(days)d day, or when you delete them.",
        "Answers of yours are deleted after %(days)d days, or when you delete them.",
        settings.RETENTION_DAYS,
    ) % {"days": settings.RETENTION_DAYS}
    return f"{anonymous} {yours}"


def _readers() -> str:
    return _(
        "You, and reviewers whom the operator has authorised, such as dermatologists. "
        "Outside their review a photo opens only by an address that is signed and expires. "
        "What they say about a photo is deleted with it."
    )


def _training() -> str:
    return _(
        "Photos are used to improve the model only with consent, and after a review. "
        "You give and withdraw yours in your profile; it is off until you switch it on."
    )


def _account() -> str:
    return _(
        "Your account holds your name, e-mail, phone number, gender and blood group as you entered them. "
        "Passwords and codes are stored only in a form from which they cannot be read. "
        "Logins, exports and deletions are recorded without content. To stop misuse, requests are counted "
        "per network address; the counter holds no readable address."
    )


def _rights() -> str:
    rights = _(
        "You may correct your profile, and export and delete all that is stored about you, at any time. "
        "After a deletion a record without content remains, which says that it happened."
    )
    if settings.PRIVACY_CONTACT:
        return rights + " " + _("Questions: %(contact)s.") % {"contact": settings.PRIVACY_CONTACT}
    return rights
