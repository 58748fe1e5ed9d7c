"""What was to be reached, beside what was measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aim:
    """What was to be reached, and what was measured."""

    text: str
    limit: str
    measured: str
    is_met: bool


def at_most(text: str, measured: float, limit: float) -> Aim:
    """An aim that less is better for."""
    return Aim(text, f"<= {limit:.4g}", f"{measured:.3g}", measured <= limit)


def at_least(text: str, measured: float, limit: float) -> Aim:
    """An aim that more is better for."""
    return Aim(text, f">= {limit:.4g}", f"{measured:.3g}", measured >= limit)
