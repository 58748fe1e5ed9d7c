"""Text messages: what a provider must be able to do, and the one that only prints."""

import sys
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string


class SmsProvider(Protocol):
    """Named by SMS_PROVIDER and made without arguments; raises OSError for what may work another time."""

    def send(self, *, to: str, text: str) -> None:
        """Hand one message over to the network. `to` is a number as `accounts.phone` normalises it."""


class ConsoleProvider:
    """Prints instead of sending, as Django's console e-mail does."""

    def send(self, *, to: str, text: str) -> None:
        sys.stdout.write(f"SMS to {to}: {text}\n")
        sys.stdout.flush()


def provider() -> SmsProvider:
    """The provider that SMS_PROVIDER names."""
    return cast("SmsProvider", import_string(settings.SMS_PROVIDER)())
