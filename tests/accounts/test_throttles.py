"""How often one may ask: by person, by address, by e-mail tried."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.settings import api_settings

from accounts import throttles
from accounts.models import User
from accounts.throttles import address_of, seconds_to_wait
from tests.accounts.conftest import PASSWORD, Send

pytestmark = pytest.mark.django_db

PROFILE, LOGIN, FORGOT = "/api/auth/profile/", "/api/auth/login/", "/api/auth/password/forgot/"
HERE, THERE = "198.51.100.1", "198.51.100.2"


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time that throttles read, at the start of a day; a test moves it."""
    now = [86_400.0 * 20_000]
    monkeypatch.setattr(throttles.time, "time", lambda: now[0])
    return now


@pytest.fixture
def rates(settings, tmp_path: Path, clock: list[float]):
    """Switch on these rates alone: `rates(login=(2, 3600))`."""
    settings.DATA_DIR = tmp_path

    def switch_on(**values: tuple[int, int]) -> None:
        settings.THROTTLE_RATES = dict.fromkeys(settings.THROTTLE_RATES) | values

    return switch_on


@pytest.fixture
def ask():
    """Send a request from an address; the status."""

    def request(path: str, address: str = HERE, body: Any = None, *, token: str = "", **headers: str) -> int:
        client = Client(REMOTE_ADDR=address)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is None:
            return client.get(path, headers=headers).status_code
        return client.post(path, body, content_type="application/json", headers=headers).status_code

    return request


def login_form(email: str = "ada@example.org") -> dict[str, str]:
    return {"email": email, "password": "wrong"}


# Person and address


def test_throttle_person_over_the_limit_is_429(send: Send, assert_error: Any, rates: Any, person: User):
    rates(api=(2, 60))
    answers = [send("get", PROFILE, user=person) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert_error(answers[2], 429, "throttled")
    assert answers[2].headers["Retry-After"] == "60"


@pytest.mark.parametrize(
    ("left_s", "text"),
    [(1, "1 second."), (30, "30 seconds."), (119, "119 seconds."), (121, "3 minutes."), (7200, "2 hours.")],
)
def test_throttle_says_when_to_try_again(send, rates, person: User, clock: list[float], left_s: int, text: str):
    rates(api=(1, 86_400))
    clock[0] += 86_400 - left_s
    send("get", PROFILE, user=person)
    assert send("get", PROFILE, user=person).json()["error"].endswith(f"Try again in {text}")


def test_throttle_next_window_has_room_again(send: Send, rates: Any, person: User, clock: list[float]):
    rates(api=(1, 60))
    statuses = []
    for wait_s in (0, 59, 1):
        clock[0] += wait_s
        statuses.append(send("get", PROFILE, user=person).status_code)
    assert statuses == [200, 429, 200]


def test_throttle_two_persons_behind_one_address_have_a_limit_each(send, rates, person: User, stranger: User):
    rates(api=(1, 60))
    assert [send("get", PROFILE, user=who).status_code for who in (person, stranger)] == [200, 200]


def test_throttle_address_limits_all_behind_it(send: Send, rates: Any, person: User, stranger: User):
    rates(api_address=(1, 60))
    assert [send("get", PROFILE, user=who).status_code for who in (person, stranger)] == [200, 429]


def test_throttle_addresses_have_a_limit_each(ask: Any, rates: Any):
    rates(api_address=(1, 60))
    assert [ask("/api/privacy/", address) for address in (HERE, THERE, HERE)] == [200, 200, 429]


def test_throttle_switched_off_lets_all_through(ask: Any, rates: Any, tmp_path: Path):
    rates()
    assert {ask("/api/privacy/") for _ in range(5)} == {200}
    assert not list(tmp_path.iterdir())


def test_throttle_scopes_count_apart(send: Send, rates: Any, person: User):
    rates(code_send=(1, 60), api=(1, 60))
    paths = ["/api/auth/otp/email/send/", PROFILE]
    assert [send("post" if "otp" in path else "get", path, user=person).status_code for path in paths] == [200, 200]


# Public routes


@pytest.mark.parametrize("path", ["/api/privacy/", "/api/model/", "/api/schema/"])
def test_throttle_public_route_is_limited_by_address(ask: Any, rates: Any, path: str):
    rates(api_address=(1, 60))
    assert [ask(path), ask(path)] == [200, 429]


@pytest.mark.parametrize("path", ["/healthz/", "/readyz/"])
def test_throttle_never_refuses_a_probe(ask: Any, rates: Any, path: str):
    rates(api_address=(1, 60))
    assert [ask(path), ask(path)] == [200, 200]


@pytest.mark.parametrize("path", ["/api/predict/", "/api/predict/skin-disease/", "/predict"])
def test_throttle_prediction_has_a_scope_of_its_own(rates: Any, path: str):
    rates(predict_address=(1, 60), api_address=(1, 60))
    client = Client()
    client.get("/api/privacy/")
    assert [client.post(path).status_code for _ in range(2)] == [400, 429]


def test_throttle_every_scope_of_a_view_has_its_rates(settings):
    views = [pattern.callback.cls for pattern in patterns(get_resolver()) if hasattr(pattern.callback, "cls")]
    scopes = {getattr(view, "throttle_scope", None) or "api" for view in views}
    assert {"api", "predict", "login", "register", "code_send", "code_check"} <= scopes
    assert {name for scope in scopes for name in (scope, f"{scope}_address")} <= set(settings.THROTTLE_RATES)


def test_throttle_is_the_default_of_every_view():
    (default,) = api_settings.DEFAULT_THROTTLE_CLASSES
    assert default is throttles.Throttle


def patterns(resolver: URLResolver) -> list[URLPattern]:
    nested = (patterns(each) if isinstance(each, URLResolver) else [each] for each in resolver.url_patterns)
    return list(itertools.chain.from_iterable(nested))


# The e-mail tried


def test_throttle_login_counts_the_email_tried(ask: Any, rates: Any):
    rates(login=(2, 3600))
    spellings = ["ada@example.org", "ADA@example.org", " ada@example.org "]
    assert [ask(LOGIN, HERE, login_form(email)) for email in spellings] == [401, 401, 429]


def test_throttle_login_leaves_other_emails_alone(ask: Any, rates: Any):
    rates(login=(1, 3600))
    assert [ask(LOGIN, HERE, login_form(f"{name}@example.org")) for name in ("ada", "grace")] == [401, 401]


def test_throttle_login_a_stranger_does_not_lock_the_person_out(ask: Any, rates: Any, person: User):
    rates(login=(1, 3600), login_email=(3, 3600))
    assert [ask(LOGIN, HERE, login_form()) for _ in range(9)] == [401] + [429] * 8
    assert ask(LOGIN, THERE, {"email": person.email, "password": PASSWORD}) == 200


def test_throttle_login_from_everywhere_has_an_end(ask: Any, rates: Any):
    rates(login=(1, 3600), login_email=(3, 3600))
    statuses = [ask(LOGIN, f"198.51.100.{number}", login_form()) for number in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_throttle_login_address_limits_all_emails(ask: Any, rates: Any):
    rates(login_address=(2, 3600))
    assert [ask(LOGIN, HERE, login_form(f"{name}@example.org")) for name in "abc"] == [401, 401, 429]


@pytest.mark.parametrize("body", [[], "text", 1, {"email": 7}, {"email": []}, {}], ids=str)
def test_throttle_login_without_an_email_counts_the_address(ask: Any, rates: Any, body: Any):
    rates(login=(1, 3600), login_address=(1, 3600))
    assert [ask(LOGIN, HERE, body) for _ in range(2)] == [400, 429]


def test_throttle_forgot_is_the_same_for_everybody(ask: Any, rates: Any, person: User):
    rates(code_send=(1, 3600))
    for email in (person.email, "nobody@example.org"):
        assert [ask(FORGOT, HERE, {"email": email}) for _ in range(2)] == [200, 429]


# What is an address


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.1", "198.51.100.1", True),
        ("198.51.100.1", "198.51.100.2", False),
    ],
    ids=["one-ipv6-network", "two-ipv6-networks", "mapped", "two-ipv4"],
)
def test_address_of_two_clients(one: str, other: str, is_same: bool):  # noqa: FBT001
    first, second = (address_of(RequestFactory(REMOTE_ADDR=address).get("/")) for address in (one, other))
    assert (first == second) is is_same


def test_address_of_a_client_that_claims_another_is_its_own(ask: Any, rates: Any):
    rates(api_address=(1, 60))
    claims = [{"X-Forwarded-For": THERE}, {"X-Forwarded-For": f"{THERE}, {THERE}"}]
    assert [ask("/api/privacy/", **claim) for claim in claims] == [200, 429]


def test_address_of_a_client_behind_a_trusted_proxy_is_what_the_proxy_saw(ask: Any, rates: Any, settings):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    rates(api_address=(1, 60))
    seen = [f"claimed, {HERE}", f"claimed, {THERE}", f"other claim, {HERE}"]
    assert [ask("/api/privacy/", "10.0.0.1", **{"X-Forwarded-For": value}) for value in seen] == [200, 200, 429]


def test_address_unknown_is_not_counted(ask: Any, rates: Any):
    """Behind a Unix socket without a trusted proxy everybody would share one counter."""
    rates(api_address=(1, 60))
    assert [ask("/api/privacy/", "") for _ in range(2)] == [200, 200]


def test_seconds_to_wait_exhausted_uses_up_nothing_after_it(rates: Any):
    rates(person=(1, 60), address=(2, 3600))
    one, other = ({"person": name, "address": HERE} for name in ("one", "other"))
    assert [seconds_to_wait(each) for each in (one, one, one, other, other)] == [None, 60, 60, None, 60]
