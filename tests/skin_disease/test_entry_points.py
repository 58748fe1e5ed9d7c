"""What a server imports."""

from importlib import import_module

import pytest


@pytest.mark.parametrize("module", ["skin_disease.wsgi", "skin_disease.asgi"])
def test_entry_point_offers_an_application(module):
    assert callable(import_module(module).application)
