"""Phone numbers in one spelling, so that one phone is one person."""

import re
import unicodedata

MAX_DIGITS = 15
"""ITU-T E.164 (2010)."""
MIN_DIGITS = 6

_SEPARATORS = re.compile(r"[\s\-./()\u2010-\u2015\u200e\u200f\u202a-\u202e]+")
_NUMBER = re.compile(rf"\+?[0-9]{{{MIN_DIGITS},{MAX_DIGITS}}}")


def normalize_phone(text: str) -> str | None:
    """`00352 (621) 123-456` to `+352621123456`, or None for what is no number.

    A number without a country's code keeps none: nothing says which country was meant.
    """
    digits = "".join(_ascii_digit(character) for character in _SEPARATORS.sub("", text))
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    return digits if _NUMBER.fullmatch(digits) else None


def _ascii_digit(character: str) -> str:
    """Keyboards of many scripts type their own digits."""
    return str(value) if (value := unicodedata.decimal(character, None)) is not None else character
