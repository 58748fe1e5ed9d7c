"""Numbers and lists as a reader wants them: thin separators, and no share that looks better than it is."""

from collections.abc import Sequence

THIN = "\u202f"  # narrow no-break space
NONE = "\N{EN DASH}"  # where there is nothing to say a number of


def count(number: float) -> str:
    """A whole number with thin separators."""
    return f"{number:,.0f}".replace(",", THIN)


def percent(part: float, whole: float) -> str:
    """A share with one decimal; 0 and 100 % only where they are exact."""
    if not whole:
        return NONE
    tenths = round(1000 * part / whole)
    if part > 0 and tenths == 0:
        return f"< 0.1{THIN}%"
    if part < whole and tenths >= 1000:  # noqa: PLR2004 - tenths of a percent
        return f"> 99.9{THIN}%"
    return f"{tenths / 10:.1f}{THIN}%"


def of(part: int, whole: int) -> str:
    """`636 of 2 032 (31.3 %)`."""
    return f"{count(part)} of {count(whole)} ({percent(part, whole)})"


def size_px(width: int, height: int) -> str:
    """Width and height of a picture."""
    return f"{width} \N{MULTIPLICATION SIGN} {height} px"


def number_of(amount: int, singular: str, plural: str = "") -> str:
    """`1 photo`, `2 photos`."""
    return f"{count(amount)} {singular if amount == 1 else plural or singular + 's'}"


def listed(names: Sequence[str], *, most: int = 12) -> str:
    """`a, b and c`; what goes beyond `most` is counted."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {count(len(names) - most)} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def or_unknown(value: object) -> str:
    """The text, or the word for what a source does not tell."""
    return "not known" if value in (None, "") else str(value)
