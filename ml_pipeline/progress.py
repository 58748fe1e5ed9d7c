"""Progress bars with rates on stderr, or silence."""

import sys
from collections.abc import Iterable
from typing import Protocol, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
_INTERVAL_S, _INTERVAL_IN_LOGS_S = 0.2, 30.0


class Progress(Protocol):
    """Passes items through and tells a person how far it is."""

    def __call__(self, items: Iterable[Item], *, what: str, total: int, unit: str) -> Iterable[Item]: ...


def bars(items: Iterable[Item], *, what: str, total: int, unit: str) -> Iterable[Item]:
    """A bar with rate and remaining time; in a log file, a line every half minute."""
    interval_s = _INTERVAL_S if sys.stderr.isatty() else _INTERVAL_IN_LOGS_S
    bar: Iterable[Item] = tqdm(
        items, desc=what, total=total, unit=f" {unit}", mininterval=interval_s, maxinterval=interval_s
    )
    return bar


def silence(items: Iterable[Item], *, what: str, total: int, unit: str) -> Iterable[Item]:  # noqa: ARG001 - see Progress
    """The items, and not a word."""
    return items
