"""Who decides and why, for commands whose doing is kept on record."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from accounts.models import User
from accounts.selectors import person_by_email


def add_record_arguments(parser: ArgumentParser) -> None:
    """`--why` and `--by`."""
    parser.add_argument("--why", default="", help="the reason, which is kept")
    parser.add_argument("--by", metavar="EMAIL", help="the account of whoever decides, which is kept")


def person_named(email: str | None) -> User | None:
    """The account that `--by` names, None where it names none. Raises CommandError for an unknown e-mail."""
    person = person_by_email(email) if email else None
    if email and person is None:
        raise CommandError(f"No account has the e-mail {email}.")
    return person
