"""Filling the directory: what is taken, what is refused, and in which words."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from api.directory.importing import COLUMNS, DirectoryFileError, ImportSummary, import_dermatologists
from api.directory.models import Dermatologist

pytestmark = pytest.mark.django_db

IMPORT = "/admin/api/dermatologist/import/"


def problems_of(content: bytes) -> list[str]:
    with pytest.raises(DirectoryFileError) as caught:
        import_dermatologists(content=content)
    return caught.value.problems


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_import_takes_what_spreadsheets_write(csv_of: Callable[..., bytes], delimiter: str, encoding: str):
    row = {"name": "Dra. Núñez, piel", "city": "Málaga", "rating": 4.5}
    summary = import_dermatologists(content=csv_of(row, delimiter=delimiter, encoding=encoding))
    entry = Dermatologist.objects.get()
    assert summary == ImportSummary(created=1, updated=0)
    assert (entry.name, entry.city, entry.city_key, entry.rating) == ("Dra. Núñez, piel", "Málaga", "malaga", 4.5)


def test_import_columns_may_come_in_any_order_with_others_between(csv_of: Callable[..., bytes]):
    content = (
        "Website,City,NAME,speciality,address,rating,longitude,latitude,phone\n"
        "x,Wien,Practice,Dermatology,Street 1,,16.4,48.2,\n"
    )
    import_dermatologists(content=content.encode())
    assert Dermatologist.objects.get().longitude == 16.4


def test_import_again_updates_instead_of_doubling(csv_of: Callable[..., bytes]):
    import_dermatologists(content=csv_of({"name": "Étoile", "phone": "1"}, {"name": "Other"}))
    summary = import_dermatologists(content=csv_of({"name": " étoile ", "phone": "2"}, {"name": "Third"}))
    assert summary == ImportSummary(created=1, updated=1)
    assert dict(Dermatologist.objects.values_list("name", "phone"))["étoile"] == "2"
    assert Dermatologist.objects.count() == 3


def test_import_with_one_bad_row_changes_nothing(practices, csv_of: Callable[..., bytes]):
    problems_of(csv_of({"name": "New"}, {"name": "Centre", "phone": "changed"}, {"name": "Bad", "latitude": 91}))
    assert set(Dermatologist.objects.values_list("name", flat=True)) == set(practices)
    assert not Dermatologist.objects.filter(phone="changed").exists()


@pytest.mark.parametrize(
    ("row", "beginning", "remedy"),
    [
        ({"latitude": "48,2"}, "Row 3, latitude: ", "Write degrees with a point"),
        ({"latitude": ""}, "Row 3, latitude: ", "Write degrees with a point"),
        ({"latitude": "NaN"}, "Row 3, latitude: ", "not a number"),
        ({"longitude": "inf"}, "Row 3, longitude: ", "not a number"),
        ({"latitude": 90.1}, "Row 3, latitude: ", "less than or equal to 90"),
        ({"longitude": -181}, "Row 3, longitude: ", "greater than or equal to -180"),
        ({"rating": 5.1}, "Row 3, rating: ", "less than or equal to 5"),
        ({"rating": "good"}, "Row 3, rating: ", "Write a rating from 0 to 5"),
        ({"name": " "}, "Row 3, name: ", "blank"),
        ({"city": "x" * 101}, "Row 3, city: ", "at most 100"),
        ({"name": "Practice"}, "Row 3: ", "of row 2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_import_problem_names_row_and_remedy(
    csv_of: Callable[..., bytes], row: dict[str, object], beginning: str, remedy: str
):
    problems = problems_of(csv_of({}, {"name": "Second", **row}))
    assert problems[0].startswith(beginning)
    assert remedy in problems[0]


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        pytest.param(b"", "The first row must name", id="empty"),
        pytest.param(b"name,city\nx,y", "columns are missing: speciality", id="columns"),
        pytest.param(",".join(COLUMNS).encode(), "no entries", id="header-alone"),
        pytest.param(",".join([*COLUMNS, "name"]).encode(), "named twice", id="doubled-column"),
        pytest.param("name;Málaga".encode("latin-1"), "CSV UTF-8", id="latin-1"),
        pytest.param("name,city".encode("utf-16-le"), "CSV UTF-8", id="utf-16"),
        pytest.param(f"{','.join(COLUMNS)}\na,b,c".encode(), "3 values for 8 columns", id="short-row"),
        pytest.param(f'{",".join(COLUMNS)}\n"a,b,c'.encode(), "Check its quotation marks", id="open-quotation"),
    ],
)
def test_import_file_that_is_none_names_the_remedy(content: bytes, remedy: str):
    assert remedy in problems_of(content)[0]


def test_import_counts_rows_as_a_spreadsheet_does(csv_of: Callable[..., bytes]):
    lines = csv_of({"address": "Yard\n2nd floor"}, {"name": "Second", "latitude": "x"}).split(b"\r\n")
    content = b"\r\n".join([lines[0], lines[1], b",,,,,,,", *lines[2:]])
    assert problems_of(content)[0].startswith("Row 4, latitude")


def test_import_many_problems_are_shortened(csv_of: Callable[..., bytes]):
    problems = problems_of(csv_of(*({"name": str(number), "latitude": "x"} for number in range(30))))
    assert (len(problems), problems[-1]) == (21, "And 10 more.")


def test_import_problem_is_told_in_spanish(csv_of: Callable[..., bytes]):
    with translation.override("es"):
        assert problems_of(csv_of({"latitude": "48,2"}))[0].startswith("Fila 2, latitude: ")


# The command


def test_command_says_what_it_did(tmp_path: Path, csv_of: Callable[..., bytes], capsys):
    file = tmp_path / "list.csv"
    file.write_bytes(csv_of({}, {"name": "Second"}))
    call_command("import_dermatologists", str(file))
    assert "2 new entries, 0 updated" in capsys.readouterr().out


@pytest.mark.parametrize(("content", "part"), [(b"name", "The first row must name"), (None, "cannot be read")])
def test_command_refuses_in_words(tmp_path: Path, content: bytes | None, part: str):
    file = tmp_path / "list.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=part):
        call_command("import_dermatologists", str(file))


# The administration


def upload(content: bytes) -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile("list.csv", content, "text/csv")}


def test_admin_import_adds_entries_and_says_so(logged_in, superuser, csv_of: Callable[..., bytes]):
    response = logged_in(superuser).post(IMPORT, upload(csv_of({}, {"name": "Second"})), follow=True)
    assert "2 entries were added, 0 updated." in response.text
    assert Dermatologist.objects.count() == 2


def test_admin_import_lists_problems_harmlessly(logged_in, superuser, csv_of: Callable[..., bytes]):
    response = logged_in(superuser).post(IMPORT, upload(csv_of({"latitude": "<script>"})))
    assert response.status_code == 200
    assert "Row 2, latitude" in response.text
    assert "<script>" not in response.text.replace('<script src="/static/admin', "")
    assert not Dermatologist.objects.exists()


def test_admin_import_of_a_file_over_the_limit_is_refused(logged_in, superuser, settings, csv_of):
    settings.MAX_UPLOAD_BYTES = 100
    assert "too large" in logged_in(superuser).post(IMPORT, upload(csv_of({}))).text


@pytest.mark.parametrize("method", ["get", "post"])
def test_admin_import_needs_the_permissions(logged_in, reviewer, anonymous: Client, method: str):
    assert getattr(logged_in(reviewer), method)(IMPORT).status_code == 403
    assert getattr(anonymous, method)(IMPORT).status_code == 302


def test_admin_list_leads_to_the_import(logged_in, superuser):
    assert f'href="{IMPORT}"' in logged_in(superuser).get("/admin/api/dermatologist/").text


def test_admin_form_derives_the_keys(logged_in, superuser, practices):
    entry = practices["Centre"]
    form = {
        "name": "Centre", "speciality": "Dermatology", "address": "Street 2", "city": "Mödling",
        "latitude": "48.08", "longitude": "16.28", "phone": "", "rating": "",
    }  # fmt: skip
    logged_in(superuser).post(f"/admin/api/dermatologist/{entry.pk}/change/", form)
    assert Dermatologist.objects.get(pk=entry.pk).city_key == "modling"


def test_admin_form_refuses_an_entry_that_exists(logged_in, superuser, practices):
    form = {
        "name": "CENTRE", "speciality": "Dermatology", "address": "street 1", "city": "Wien",
        "latitude": "48.08", "longitude": "16.28", "phone": "", "rating": "",
    }  # fmt: skip
    response = logged_in(superuser).post("/admin/api/dermatologist/add/", form)
    assert "has an entry with this name" in response.text
