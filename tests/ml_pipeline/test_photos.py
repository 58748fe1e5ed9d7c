"""Records' photos off the disk."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest

from ml_models.image_io import read_photo
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record
from ml_pipeline.errors import SourceError


def test_read_rgb_gives_what_the_server_decodes(tiny_records: tuple[Record, ...]) -> None:
    record = tiny_records[0]
    expected = read_photo(Path(record.path).read_bytes(), model_input_px=64).rgb
    assert np.array_equal(read_rgb(record, model_input_px=64), expected)


def test_read_rgb_missing_file_is_named(tiny_records: tuple[Record, ...], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.jpg"):
        read_rgb(dataclasses.replace(tiny_records[0], path=str(tmp_path / "gone.jpg")), model_input_px=64)


def test_read_rgb_altered_file_is_refused(tiny_records: tuple[Record, ...]) -> None:
    with pytest.raises(SourceError, match="not the file"):
        read_rgb(dataclasses.replace(tiny_records[0], path=tiny_records[1].path), model_input_px=64)


def test_read_rgb_broken_file_is_named(tiny_records: tuple[Record, ...], tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"\xff\xd8 no photo")
    record = dataclasses.replace(tiny_records[0], path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(SourceError, match=r"broken\.jpg.*Send|ends"):
        read_rgb(record, model_input_px=64)
