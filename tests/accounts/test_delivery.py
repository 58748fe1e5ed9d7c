"""Messages on their way."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail

from accounts import delivery, sms


@pytest.fixture
def pool(settings, monkeypatch) -> ThreadPoolExecutor:
    settings.DELIVERY_THREADS = 1
    executor = ThreadPoolExecutor(1)
    monkeypatch.setattr(delivery, "_pool", lambda _threads: executor)
    return executor


class SlowProvider:
    """Sends only once somebody lets it."""

    may_send = threading.Event()
    sent: list[str] = []

    def send(self, *, to: str, **_text: str) -> None:
        assert self.may_send.wait(timeout=30)
        self.sent.append(to)


class BrokenProvider:
    def send(self, **_message: str) -> None:
        raise ConnectionRefusedError("no network")


def test_send_email_reaches_the_mailbox():
    delivery.send_email(to="ada@example.org", subject="Your code", text="123456")
    assert (mail.outbox[0].to, mail.outbox[0].subject, mail.outbox[0].body) == (
        ["ada@example.org"], "Your code", "123456",
    )  # fmt: skip


def test_send_sms_does_not_wait_for_the_provider(settings, pool: ThreadPoolExecutor):
    settings.SMS_PROVIDER = f"{__name__}.SlowProvider"
    SlowProvider.sent.clear()
    delivery.send_sms(to="+352621123456", text="123456")
    assert SlowProvider.sent == []
    SlowProvider.may_send.set()
    pool.shutdown(wait=True)
    assert SlowProvider.sent == ["+352621123456"]


@pytest.mark.parametrize("threads", [0, 1])
def test_send_sms_that_fails_is_logged_without_the_text(settings, pool: ThreadPoolExecutor, caplog, threads: int):
    settings.SMS_PROVIDER, settings.DELIVERY_THREADS = f"{__name__}.BrokenProvider", threads
    delivery.send_sms(to="+352621123456", text="secret 123456")
    pool.shutdown(wait=True)
    assert "no network" in caplog.text
    assert "123456" not in caplog.text


def test_console_provider_prints(capsys):
    sms.ConsoleProvider().send(to="+352621123456", text="Your code is 123456.")
    assert capsys.readouterr().out == "SMS to +352621123456: Your code is 123456.\n"


def test_provider_by_default_is_the_console():
    assert isinstance(sms.provider(), sms.ConsoleProvider)
