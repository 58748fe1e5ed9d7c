"""Files that are whole or not there."""

from pathlib import Path

import pytest

from ml_pipeline.files import replacing


def test_replacing_writes_the_text_as_given(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "table.csv"
    with replacing(path) as file:
        file.write("ä,1\r\nb\n")
    assert path.read_bytes() == "ä,1\r\nb\n".encode()


@pytest.mark.parametrize("before", [b"what was", None])
def test_replacing_broken_off_leaves_what_was(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "table.csv"
    if before is not None:
        path.write_bytes(before)

    def break_off() -> None:
        with replacing(path) as file:
            file.write("half")
            file.flush()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == ({"table.csv": before} if before else {})


def test_replacing_shows_nothing_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with replacing(path) as file:
        file.write("a long text" * 10_000)
        file.flush()
        assert not path.exists()
    assert path.stat().st_size == 110_000
    assert list(tmp_path.iterdir()) == [path]
