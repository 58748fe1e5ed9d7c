"""A small directory of invented practices at real coordinates."""

from collections.abc import Callable
from typing import Any

import pytest

from api.directory.importing import COLUMNS, import_dermatologists
from api.directory.models import Dermatologist

VIENNA = (48.2082, 16.3738)
GRAZ = (47.0707, 15.4395)

PRACTICES = (
    {"name": "Centre", "city": "Wien", "latitude": 48.2100, "longitude": 16.3700, "rating": 4.1},
    {"name": "Suburb", "city": "Wien", "latitude": 48.2600, "longitude": 16.4000, "rating": 4.8},
    {"name": "Unrated", "city": "Wien", "latitude": 48.2000, "longitude": 16.3000, "rating": ""},
    {"name": "Elsewhere", "city": "Graz", "latitude": 47.0700, "longitude": 15.4400, "rating": 5.0},
)


@pytest.fixture
def csv_of() -> Callable[..., bytes]:
    """A CSV file of practices; what a row does not say gets a plain value."""

    def write(*rows: dict[str, Any], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
        plain = {"speciality": "Dermatology", "address": "Street 1", "city": "Wien", "phone": "+43 1 555", "rating": ""}
        lines = [delimiter.join(COLUMNS)]
        for row in rows:
            values = {**plain, "name": "Practice", "latitude": VIENNA[0], "longitude": VIENNA[1], **row}
            lines.append(delimiter.join(f'"{values[column]}"' for column in COLUMNS))
        return "\r\n".join(lines).encode(encoding)

    return write


@pytest.fixture
def practices(db, csv_of: Callable[..., bytes]) -> dict[str, Dermatologist]:
    """Three practices in Vienna and one in Graz, by name."""
    import_dermatologists(content=csv_of(*PRACTICES))
    return {row.name: row for row in Dermatologist.objects.all()}
