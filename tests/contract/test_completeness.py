"""That nothing of the contract is left untested: every row and every trap has a test of its name."""

import re

import pytest

from tests.contract import test_rows, test_traps

ROWS = {
    "predict",
    "register",
    "login",
    "profile",
    "profile_update",
    "code_send_and_verify",
    "scan_save",
    "scan_list",
    "scan_delete",
    "scan_pdf",
    "scan_image",
    "chatbot",
    "nearby_hospitals",
    "logout_is_no_call",
}


@pytest.mark.parametrize("row", sorted(ROWS))
def test_row_has_a_test(row: str):
    assert callable(getattr(test_rows, f"test_{row}", None))


@pytest.mark.parametrize("number", range(1, 16))
def test_trap_has_a_test(number: int):
    assert any(re.match(rf"test_trap_{number:02d}_", name) for name in dir(test_traps))
