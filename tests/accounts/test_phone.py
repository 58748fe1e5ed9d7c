"""One phone, one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.phone import normalize_phone


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+352621123456", "+352621123456"),
        ("00352 621 123 456", "+352621123456"),
        ("+352 (621) 123-456", "+352621123456"),
        ("+352.621.123.456", "+352621123456"),
        ("+352\u00a0621\u2011123\u2013456", "+352621123456"),
        ("\u202a+352621123456\u202c", "+352621123456"),
        ("0621 123 456", "0621123456"),
        ("٠٦٢١١٢٣٤٥٦", "0621123456"),
    ],
    ids=["plain", "double-zero", "brackets", "dots", "odd-separators", "copied-from-contacts", "national", "arabic"],
)
def test_normalize_phone_of_a_number_is_one_spelling(text: str, number: str):
    assert normalize_phone(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "00",
        "12345",
        "1" * 16,
        "++352621123456",
        "352+621123456",
        "call me",
        "621x123456",
        "½½½½½½",
        "+³⁵²⁶²¹¹²",
    ],
)
def test_normalize_phone_of_no_number_is_none(text: str):
    assert normalize_phone(text) is None


@given(st.text())
def test_normalize_phone_of_anything_fits_the_column_and_stays(text: str):
    number = normalize_phone(text)
    if number is not None:
        assert len(number) <= 16
        assert normalize_phone(number) == number


@given(st.integers(10**5, 10**14))
def test_normalize_phone_ignores_where_the_blanks_are(number: int):
    digits = str(number)
    assert normalize_phone(" ".join(f"+{digits}")) == f"+{digits}"
