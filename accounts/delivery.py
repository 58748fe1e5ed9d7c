"""Sends messages in threads of its own, so that a slow mail server holds no request.

It also makes "that e-mail exists" take as long as "it does not". What cannot be sent is logged, not raised.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.conf import settings
from django.core.mail import send_mail

from accounts.sms import provider

logger = logging.getLogger(__name__)


def send_email(*, to: str, subject: str, text: str) -> None:
    """Send one plain e-mail, soon."""
    _deliver("e-mail", lambda: send_mail(subject, text, None, [to]))


def send_sms(*, to: str, text: str) -> None:
    """Send one text message, soon."""
    _deliver("SMS", lambda: provider().send(to=to, text=text))


def _deliver(channel: str, send: Callable[[], object]) -> None:
    def attempt() -> None:
        try:
            send()
        except Exception:  # the boundary of a task: nobody else would see it
            logger.exception("An %s could not be sent", channel)

    if settings.DELIVERY_THREADS:
        _pool(settings.DELIVERY_THREADS).submit(attempt)
    else:
        attempt()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="delivery")
