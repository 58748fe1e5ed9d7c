"""The table of records on disk."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_models.classification import Modality
from ml_pipeline.data.records import Record, Split, of_split, read_records, records_digest, write_records
from ml_pipeline.errors import SourceError
from tests.ml_pipeline.conftest import make_record

FULL = make_record(
    "ISIC_1",
    patient_id="P1;P2",
    modality=Modality.CLINICAL,
    age_years=47.5,
    sex="female",
    site='back, "upper"',
    fitzpatrick_type=4,
    train_only=True,
    cluster="ISIC_0",
    group="ISIC_0",
    split=Split.TRAIN,
)


def test_records_written_and_read_are_the_same(tmp_path: Path, tiny_records: tuple[Record, ...]) -> None:
    write_records(tiny_records, tmp_path / "records.csv")
    assert read_records(tmp_path / "records.csv") == tiny_records


def test_records_with_every_field_filled_are_the_same(tmp_path: Path) -> None:
    assert all(getattr(FULL, field.name) for field in fields(Record))
    write_records([FULL], tmp_path / "records.csv")
    assert read_records(tmp_path / "records.csv") == (FULL,)


def test_records_age_nought_is_not_unknown(tmp_path: Path) -> None:
    records = tuple(make_record(f"{age}", age_years=age, group="g", split=Split.TEST) for age in (0.0, None))
    write_records(records, tmp_path / "records.csv")
    assert read_records(tmp_path / "records.csv") == records


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_records_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Names of files and folders may hold commas, quotes, line ends."""
    path = tmp_path_factory.getbasetemp() / "any text.csv"
    record = make_record("a", path=text, site=text, label=text, group="g", split=Split.TRAIN)
    write_records([record, make_record("b", group="h", split=Split.TEST)], path)
    first, second = read_records(path)
    assert (first, second.image_id) == (record, "b")


def test_records_written_twice_are_the_same_bytes(tmp_path: Path, tiny_records: tuple[Record, ...]) -> None:
    write_records(tiny_records, tmp_path / "a.csv")
    write_records(read_records(tmp_path / "a.csv"), tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_read_records_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="python -m ml_pipeline build"):
        read_records(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("dermatoscopic", "x-ray", "x-ray"),
        (",test\n", ",exam\n", "exam"),
        (",200,150,", ",wide,150,", "wide"),
        (",g-b,", ",,", "group must not be empty"),
        (",digest-b,", ",,", "sha256 must not be empty"),
        (",test\n", ",\n", "split must not be empty"),
        (",test\n", "\n", "split must not be empty"),
        (",test\n", ",test,more\n", ""),
    ],
    ids=["modality", "split", "width", "no group", "no digest", "no split", "cell short", "cell over"],
)
def test_read_records_malformed_row_names_file_and_row(tmp_path: Path, written: str, instead: str, said: str) -> None:
    path = tmp_path / "records.csv"
    write_records([make_record(n, group=f"g-{n}", split=s) for n, s in (("a", Split.TRAIN), ("b", Split.TEST))], path)
    first, row, text = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(first + row + text.replace(written, instead), encoding="utf-8")
    with pytest.raises(SourceError, match=rf"records\.csv, row 3: .*{said}.*[Mm]ake the file again"):
        read_records(path)


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b"", b"\xff\xfe\0\1" * 40, b'"never closed'], ids=["columns", "empty", "binary", "quote"]
)
def test_read_records_what_is_no_such_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "records.csv").write_bytes(content)
    with pytest.raises(SourceError, match=r"records\.csv.*[Mm]ake the file again"):
        read_records(tmp_path / "records.csv")


def test_read_records_binary_below_the_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    write_records([FULL], path)
    path.write_bytes(path.read_bytes() + b"\xff\xfe\xff\n")
    with pytest.raises(SourceError, match=r"records\.csv"):
        read_records(path)


def test_records_digest_ignores_order_but_nothing_that_training_sees() -> None:
    first, second = make_record("a", split=Split.TRAIN), make_record("b", split=Split.TEST)
    assert records_digest([first, second]) == records_digest([second, first])
    for change in ({"split": Split.TRAIN}, {"label": "mel"}, {"group": "a"}, {"sha256": "other"}):
        assert records_digest([first, make_record("b", **{"split": Split.TEST, **change})]) != records_digest(
            [first, second]
        )


def test_of_split_keeps_the_order() -> None:
    records = [make_record(name, split=split) for name, split in zip("dacb", (*Split, Split.TEST), strict=True)]
    assert [record.image_id for record in of_split(records, Split.TEST)] == ["c", "b"]
