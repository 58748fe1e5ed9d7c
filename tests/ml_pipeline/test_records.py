"""The table of records on disk."""

from pathlib import Path

import pytest

from ml_pipeline.data.records import Record, Split, read_records, records_digest, write_records
from ml_pipeline.errors import SourceError
from tests.ml_pipeline.conftest import make_record


def test_records_written_and_read_are_the_same(tmp_path: Path, tiny_records: tuple[Record, ...]) -> None:
    write_records(tiny_records, tmp_path / "records.csv")
    assert read_records(tmp_path / "records.csv") == tiny_records


def test_records_written_twice_are_the_same_bytes(tmp_path: Path, tiny_records: tuple[Record, ...]) -> None:
    write_records(tiny_records, tmp_path / "a.csv")
    write_records(read_records(tmp_path / "a.csv"), tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_read_records_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="python -m ml_pipeline records"):
        read_records(tmp_path / "none.csv")


def test_read_records_malformed_row_names_file_and_row(tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    write_records([make_record("a"), make_record("b")], path)
    path.write_text(path.read_text(encoding="utf-8").replace("dermatoscopic", "x-ray"), encoding="utf-8")
    with pytest.raises(SourceError, match=r"records\.csv, row 2.*x-ray"):
        read_records(path)


def test_read_records_foreign_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "records.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(SourceError, match="columns"):
        read_records(tmp_path / "records.csv")


def test_records_digest_ignores_order_but_not_splits() -> None:
    first, second = make_record("a", split=Split.TRAIN), make_record("b", split=Split.TEST)
    moved = make_record("b", split=Split.TRAIN)
    assert records_digest([first, second]) == records_digest([second, first])
    assert records_digest([first, second]) != records_digest([first, moved])
