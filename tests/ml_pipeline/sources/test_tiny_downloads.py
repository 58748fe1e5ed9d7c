"""The writers of tiny downloads keep their promises."""

from pathlib import Path

import pytest

from ml_pipeline.synthetic import write_downloads


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder above one download of each source."""
    out = tmp_path_factory.mktemp("downloads")
    write_downloads(out, seed=6)
    return out


def test_write_downloads_same_seed_writes_same_bytes(downloads: Path, tmp_path: Path) -> None:
    write_downloads(tmp_path, seed=6)
    files = [path.relative_to(downloads) for path in downloads.rglob("*") if path.is_file()]
    sources = {"HAM10000", "ISIC2019", "ISIC2018", "PAD-UFES-20", "class_folders", "reviews"}
    assert {file.parts[0] for file in files} == sources
    for file in files:
        assert (downloads / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_write_downloads_only_isic2018_repeats_bytes(downloads: Path) -> None:
    photos = [path for path in downloads.rglob("*.*") if path.suffix in (".jpg", ".png")]
    fresh = [path.read_bytes() for path in photos if "ISIC2018" not in path.parts]
    again = [path.read_bytes() for path in photos if "ISIC2018" in path.parts]
    assert len(set(fresh)) == len(fresh)
    assert again
    assert set(again) < set(fresh)
