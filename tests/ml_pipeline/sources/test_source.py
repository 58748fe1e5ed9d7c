"""Tables, photo files and ids, as every adapter reads them."""

import os
import sys
from pathlib import Path

import pytest

from ml_pipeline.data.sources.source import (
    Row,
    canonical_id,
    first_file,
    image_files,
    index_rows,
    is_isic_id,
    known,
    photos_below,
    read_table,
)
from ml_pipeline.errors import SourceError

REMEDY = "Do this."


def _row(**cells: str) -> Row:
    return Row(Path("table.csv"), 7, cells)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("id,n\na,1\n", id="plain"),
        pytest.param("\ufeffid,n\na,1\n", id="byte order mark"),
        pytest.param(" id , n \n a ,\t1 \n", id="stray spaces"),
        pytest.param('"id"\t"n"\n"a"\t1\n', id="tabs"),
        pytest.param("id;n\r\na;1\r\n", id="semicolons"),
        pytest.param("id,n\n\na,1\n , \n", id="blank lines"),
        pytest.param("more,n,id\nx,1,a\n", id="more columns"),
    ],
)
def test_read_table_accepts_what_programs_write(write, content: str) -> None:
    (row,) = read_table(write("t.csv", content), ("id", "n"), remedy=REMEDY)
    assert (row.cells["id"], row.cells["n"]) == ("a", "1")


def test_read_table_rows_are_numbered_as_an_editor_does(write) -> None:
    rows = read_table(write("t.csv", "id\na\n\nb\n"), ("id",), remedy=REMEDY)
    assert [row.number for row in rows] == [2, 4]
    assert rows[1].where.endswith("t.csv, row 4")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"", r"columns \['id', 'n'\] are missing; seen \[\]", id="nothing"),
        pytest.param(b"id,n\n", "no row below its header", id="header only"),
        pytest.param(b"id\na\n", r"columns \['n'\] are missing", id="column missing"),
        pytest.param(b"id,n,n\na,1,2\n", "occurs twice", id="column twice"),
        pytest.param(b"id,n\na,1\nb\n", "row 3: 1 cells under 2", id="short row"),
        pytest.param(b"id,n\na,1,2\n", "row 2: 3 cells under 2", id="long row"),
        pytest.param(b"id,n\n\xff\xfe,1\n", "not a readable CSV in UTF-8", id="not UTF-8"),
        pytest.param(b'id,n\n"a"b,1\n', "not a readable CSV", id="stray quote"),
    ],
)
def test_read_table_refuses_what_is_no_table(write, content: bytes, complaint: str) -> None:
    with pytest.raises(SourceError, match=rf"t\.csv.*{complaint}"):
        read_table(write("t.csv", content), ("id", "n"), remedy=REMEDY)


def test_read_table_absent_file_states_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"No file .*t\.csv\. Do this\."):
        read_table(tmp_path / "t.csv", ("id",), remedy=REMEDY)


def test_index_rows_repeated_id_names_both_rows(write) -> None:
    rows = read_table(write("t.csv", "id\na\nb\na\n"), ("id",), remedy=REMEDY)
    with pytest.raises(SourceError, match=r"row 4: a occurs twice, first in row 2\. Do this\."):
        index_rows(rows, key=lambda row: row.required("id"), remedy=REMEDY)


def test_index_rows_come_in_order_of_ids(write) -> None:
    rows = read_table(write("t.csv", "id\nb\na\n"), ("id",), remedy=REMEDY)
    assert list(index_rows(rows, key=lambda row: row.required("id"), remedy=REMEDY)) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "value"), [("", None), ("unknown", None), ("NaN", None), ("0", 0), ("85.0", 85), ("120", 120)]
)
def test_number_or_none_reads_numbers_and_gaps(text: str, value: float | None) -> None:
    assert _row(age=text).number_or_none("age", low=0, high=120) == value


@pytest.mark.parametrize("text", ["-1", "121", "old", "inf", "45,0"])
def test_number_or_none_refuses_other_texts(text: str) -> None:
    with pytest.raises(SourceError, match=rf"table\.csv, row 7: age '{text}' is no number from 0 to 120"):
        _row(age=text).number_or_none("age", low=0, high=120)


@pytest.mark.parametrize(("text", "value"), [("2.0", 2), ("6", 6), ("", None)])
def test_whole_or_none_reads_whole_numbers(text: str, value: int | None) -> None:
    assert _row(n=text).whole_or_none("n", low=1, high=6) == value


def test_whole_or_none_refuses_halves() -> None:
    with pytest.raises(SourceError, match=r"'2\.5' is no whole number"):
        _row(n="2.5").whole_or_none("n", low=1, high=6)


def test_one_of_ignores_case_and_lists_the_choices() -> None:
    choices = {"yes": "1", "no": "0"}
    assert _row(n="YES").one_of("n", choices) == "1"
    with pytest.raises(SourceError, match="row 7: n 'perhaps' is none of yes, no"):
        _row(n="perhaps").one_of("n", choices)


def test_one_of_gap_is_accepted_only_where_optional() -> None:
    assert _row(n="unknown").one_of("n", {"yes": "1"}, optional=True) == ""
    with pytest.raises(SourceError, match="n '' is none of yes"):
        _row(n="").one_of("n", {"yes": "1"})


@pytest.mark.parametrize(
    "name", ["ISIC_0000031", "ISIC_0000031_downsampled", "isic_0000031", "ISIC_0000031_DOWNSAMPLED"]
)
def test_canonical_id_is_the_registry_number(name: str) -> None:
    assert canonical_id(name) == "ISIC_0000031"
    assert is_isic_id(name)


@pytest.mark.parametrize(
    "name", ["ISIC_0000031_segmentation", "ISIC_00000310", "ISIC_000003\u0967", "PAT_1_2_3", "xISIC_0000031", ""]
)
def test_canonical_id_leaves_other_names_alone(name: str) -> None:
    assert canonical_id(name) == name
    assert not is_isic_id(name)


@pytest.mark.parametrize(("text", "left"), [("Unknown", ""), ("UNK", ""), ("n/a", ""), ("Nape", "Nape")])
def test_known_empties_only_words_for_nothing(text: str, left: str) -> None:
    assert known(text) == left


def test_image_files_look_only_where_photos_belong(write, tmp_path: Path) -> None:
    for name in ("a.jpg", "Photos_1/deep/b.PNG", "masks/c.png", "Photos_1/other.jpg", "Photos_1/notes.txt"):
        write(name, b"bytes")
    photos = image_files(tmp_path, {"a", "b", "c"}, below=("photos_*",))
    assert photos.by_id == {"a": tmp_path / "a.jpg", "b": tmp_path / "Photos_1" / "deep" / "b.PNG"}
    assert photos.unlisted == (tmp_path / "Photos_1" / "other.jpg",)
    assert (photos.path("b"), photos.path("c")) == (str(tmp_path / "Photos_1" / "deep" / "b.PNG"), "")


def test_image_files_identical_files_of_one_id_are_one(write, tmp_path: Path) -> None:
    first = write("p/ISIC_0000001.jpg", b"same")
    write("p/twice/ISIC_0000001_downsampled.jpg", b"same")
    photos = image_files(tmp_path, {"ISIC_0000001"}, below=("p",))
    assert photos.by_id == {"ISIC_0000001": first}
    assert photos.unlisted == ()


def test_image_files_different_files_of_one_id_are_refused(write, tmp_path: Path) -> None:
    for path in (write("p/a.jpg", b"one"), write("p/a.png", b"two")):
        os.utime(path, (0, 0))
    with pytest.raises(SourceError, match=r"a\.png and .*a\.jpg are different files of one id, a\. Keep one"):
        image_files(tmp_path, {"a"}, below=("p",))


def test_image_files_different_files_that_no_row_names_are_only_unlisted(write, tmp_path: Path) -> None:
    write("p/1/cover.jpg", b"one")
    write("p/2/cover.jpg", b"two")
    assert len(image_files(tmp_path, {"a"}, below=("p",)).unlisted) == 2


def test_image_files_path_is_absolute_from_a_relative_folder(
    write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("data/a.jpg", b"bytes")
    monkeypatch.chdir(tmp_path)
    assert image_files(Path("data"), {"a"}, below=()).path("a") == str(tmp_path / "data" / "a.jpg")


@pytest.mark.parametrize(
    "litter", ["._a.jpg", ".hidden.jpg", "__MACOSX/a.jpg", ".ipynb_checkpoints/a.jpg", "Thumbs.db", "desktop.ini"]
)
def test_photos_below_pass_over_litter(write, tmp_path: Path, litter: str) -> None:
    write(f"p/{litter}", b"bytes")
    kept = write("p/b.jpeg", b"bytes")
    assert list(photos_below(tmp_path)) == [kept]


def test_photos_below_follow_linked_folders_but_not_broken_links(write, tmp_path: Path) -> None:
    write("elsewhere/a.jpg", b"bytes")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "class").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert list(photos_below(tmp_path / "data")) == [tmp_path / "data" / "class" / "a.jpg"]


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="the file system refuses such names")
def test_photos_below_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xe4l.jpg")).write_bytes(b"bytes")
    with pytest.raises(SourceError, match=r"no name in UTF-8.*Rename"):
        list(photos_below(tmp_path))


def test_photos_below_folder_that_cannot_be_listed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"Cannot list .*gone: No such file"):
        list(photos_below(tmp_path / "gone"))


def test_first_file_prefers_the_first_that_exists(write, tmp_path: Path) -> None:
    assert first_file(tmp_path, "a", "b") == tmp_path / "a"
    write("b", b"")
    assert first_file(tmp_path, "a", "b") == tmp_path / "b"
