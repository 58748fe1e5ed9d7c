"""Typed values from environment variables. Owns parsing and its error texts; knows no variable by name.

An empty variable counts as absent: compose files and env files pass empty strings for "not set".
"""

import os
import re
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_PERIODS_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def text(name: str, default: str = "") -> str:
    """The variable without surrounding blanks."""
    return os.environ.get(name, "").strip() or default


def words(name: str) -> list[str]:
    """A comma-separated list; blanks and empty items are dropped."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def choice(name: str, options: tuple[str, ...], default: str) -> str:
    """One of `options`, in any case."""
    value = text(name, default)
    by_key = {option.lower(): option for option in options}
    if value.lower() not in by_key:
        raise _misconfigured(name, value, f"one of {', '.join(options)}")
    return by_key[value.lower()]


def some_of(name: str, options: tuple[str, ...], default: tuple[str, ...]) -> frozenset[str]:
    """Any of `options`, comma-separated; `none` for none of them."""
    chosen = frozenset(word.lower() for word in words(name)) or frozenset(default)
    if chosen == {"none"}:
        return frozenset()
    if not chosen <= set(options):
        raise _misconfigured(name, text(name), f"some of {', '.join(options)}, or none")
    return chosen


def flag(name: str, *, default: bool = False) -> bool:
    """A switch: 1, true, yes, on or 0, false, no, off."""
    value = text(name).lower()
    if not value:
        return default
    if value not in _TRUE | _FALSE:
        raise _misconfigured(name, value, "1 or 0")
    return value in _TRUE


def integer(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    """A whole number within the closed range."""
    value = text(name)
    allowed = f"a whole number of at least {minimum}" + ("" if maximum is None else f" and at most {maximum}")
    try:
        number = int(value) if value else default
    except ValueError as error:
        raise _misconfigured(name, value, allowed) from error
    if number < minimum or (maximum is not None and number > maximum):
        raise _misconfigured(name, value, allowed)
    return number


def rate(name: str, default: str) -> tuple[int, int] | None:
    """How many in how many seconds, from texts such as `30/minute`. Only here an empty variable counts: as no limit."""
    value = os.environ.get(name, default).strip()
    if not value:
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,8})/(second|minute|hour|day)", value)
    if match is None:
        raise _misconfigured(name, value, "a rate such as 30/minute (second, minute, hour, day), or empty for no limit")
    return int(match[1]), _PERIODS_S[match[2]]


def time_zone(name: str, default: str) -> str:
    """A name from the IANA time zone database."""
    value = text(name, default)
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _misconfigured(name, value, "an IANA time zone such as Europe/Berlin") from error


def path(name: str, default: Path, *, base: Path) -> Path:
    """A path; a relative one starts at `base`, whatever the working directory is."""
    value = text(name)
    return base / Path(value).expanduser() if value else default


def _misconfigured(name: str, value: str, allowed: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}, but must be {allowed}. Correct it, or unset it for the default.")
