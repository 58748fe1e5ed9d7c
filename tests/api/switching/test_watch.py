"""The thread that follows the active model in a worker."""

import threading
from collections.abc import Callable

import pytest

from accounts.models import AuditEvent, AuditKind
from api import ml_state
from api.services.model_versions import activate_version
from api.switching import watch
from api.switching.models import ModelVersion
from api.switching.store import folder_of
from tests.artefacts import spoil

pytestmark = pytest.mark.django_db


class Enough(BaseException):
    """Ends a loop that has no end."""


@pytest.fixture
def looks(monkeypatch) -> list[float]:
    """The watch runs in the test's own thread for five looks; what it waited before each."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        if len(waits) == 5:
            raise Enough
        waits.append(seconds)

    monkeypatch.setattr(watch.time, "sleep", sleep)
    monkeypatch.setattr(watch, "close_old_connections", lambda: None)  # the test's is kept
    return waits


def events() -> list[str]:
    switched = AuditEvent.objects.filter(kind=AuditKind.MODEL_SWITCHED).order_by("id")
    return [event.subject.split()[2] for event in switched]


def follow() -> None:
    with pytest.raises(Enough):
        watch._follow()


def test_watch_looks_once_a_second(looks: list[float]):
    follow()
    assert looks == [1.0] * 5


def test_watch_switches_and_leaves_the_one_event_of_the_activation(looks, registered: Callable[..., ModelVersion]):
    activate_version(version=registered("left"))
    follow()
    assert ml_state.classifier().identity.name == "left"
    assert events() == ["left"]


def test_watch_survives_a_bug(looks, monkeypatch, caplog):
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ml_state, "refresh", fail)
    follow()
    assert len(looks) == 5
    assert "ZeroDivisionError" in caplog.text


@pytest.fixture
def started(monkeypatch) -> list[threading.Thread]:
    """Threads that were to start, and do not; the connection of the test stays open."""
    threads: list[threading.Thread] = []

    def keep(thread: threading.Thread) -> None:
        threads.append(thread)

    monkeypatch.setattr(threading.Thread, "start", keep)
    monkeypatch.setattr(watch.connection, "close", lambda: None)
    return threads


def test_start_loads_before_the_first_request_and_records_the_model(started: list[threading.Thread]):
    ml_state.reset()
    watch.start()
    assert ml_state._live is not None
    assert events() == [ml_state._live.identity.name]
    assert [(thread.daemon, thread._target) for thread in started] == [(True, watch._follow)]


def test_start_without_model_goes_on_and_says_why(started: list[threading.Thread], no_model, caplog):
    watch.start()
    assert str(no_model) in caplog.text
    assert len(started) == 1


def test_start_with_a_broken_active_model_records_which_one_answers(started, registered):
    version = registered("left")
    activate_version(version=version)
    spoil(folder_of(version))
    ml_state.reset()
    watch.start()
    assert events() == ["left", ml_state.classifier().identity.name]
    assert ml_state.classifier().identity.name != "left"
