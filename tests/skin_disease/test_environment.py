"""Values from environment variables."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from skin_disease import environment

NAME = "SKIN_TEST_VARIABLE"


@pytest.fixture
def variable(monkeypatch):
    return lambda value: monkeypatch.setenv(NAME, value)


def test_text_absent_is_the_default():
    assert environment.text(NAME, "default") == "default"


def test_text_blank_is_the_default(variable):
    variable("  ")
    assert environment.text(NAME, "default") == "default"


def test_words_with_blanks_and_empty_items_are_cleaned(variable):
    variable(" a, ,b,")
    assert environment.words(NAME) == ["a", "b"]


def test_choice_in_other_case_is_the_option(variable):
    variable("LOCAL")
    assert environment.choice(NAME, ("local", "production"), "production") == "local"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", True), ("True", True), ("on", True), ("0", False), ("no", False), ("", True)],
)
def test_flag_known_word_is_read(variable, value, expected):
    variable(value)
    assert environment.flag(NAME, default=True) is expected


@pytest.mark.parametrize(("value", "expected"), [("1", 1), (" 64 ", 64), ("", 8)])
def test_integer_within_range_is_read(variable, value, expected):
    variable(value)
    assert environment.integer(NAME, 8, minimum=1, maximum=64) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("30/minute", (30, 60)), (" 1/second ", (1, 1)), ("5/hour", (5, 3600)), ("9/day", (9, 86_400))],
)
def test_rate_text_is_read(variable, value, expected):
    variable(value)
    assert environment.rate(NAME, "1/day") == expected


def test_rate_absent_is_the_default():
    assert environment.rate(NAME, "7/hour") == (7, 3600)


@pytest.mark.parametrize("value", ["", "  "], ids=["empty", "blank"])
def test_rate_empty_is_no_limit(variable, value):
    variable(value)
    assert environment.rate(NAME, "7/hour") is None


def test_time_zone_known_name_is_read(variable):
    variable("Europe/Luxembourg")
    assert environment.time_zone(NAME, "UTC") == "Europe/Luxembourg"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", Path("/base/var")), ("data", Path("/base/data")), ("/srv/data", Path("/srv/data"))],
    ids=["absent", "relative", "absolute"],
)
def test_path_starts_at_the_base(variable, value, expected):
    variable(value)
    assert environment.path(NAME, Path("/base/var"), base=Path("/base")) == expected


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (lambda: environment.choice(NAME, ("local", "production"), "local"), "staging"),
        (lambda: environment.flag(NAME), "perhaps"),
        (lambda: environment.integer(NAME, 1), "25MB"),
        (lambda: environment.integer(NAME, 1, minimum=1), "0"),
        (lambda: environment.integer(NAME, 1, maximum=64), "65"),
        (lambda: environment.rate(NAME, "1/day"), "30"),
        (lambda: environment.rate(NAME, "1/day"), "0/minute"),
        (lambda: environment.rate(NAME, "1/day"), "5/week"),
        (lambda: environment.time_zone(NAME, "UTC"), "Mars/Olympus"),
        (lambda: environment.time_zone(NAME, "UTC"), "../etc/passwd"),
    ],
    ids=["choice", "flag", "not-a-number", "too-small", "too-large", "rate", "no-rate", "week", "zone", "zone-path"],
)
def test_wrong_value_error_names_variable_and_value(variable, parse, value):
    variable(value)
    with pytest.raises(ImproperlyConfigured, match=f"^{NAME} is '{value}', but must be "):
        parse()


@pytest.mark.parametrize(
    ("value", "expected"), [("", {"a"}), ("none", set()), ("B, a", {"a", "b"})], ids=["default", "none", "both"]
)
def test_some_of_known_words_are_taken(monkeypatch, value: str, expected: set[str]):
    monkeypatch.setenv("RULES", value)
    assert environment.some_of("RULES", ("a", "b"), ("a",)) == expected


@pytest.mark.parametrize("value", ["c", "a,c", "a,none"])
def test_some_of_unknown_words_stop_the_start(monkeypatch, value: str):
    monkeypatch.setenv("RULES", value)
    with pytest.raises(ImproperlyConfigured, match=r"RULES is .* some of a, b, or none"):
        environment.some_of("RULES", ("a", "b"), ("a",))
