"""Facts of many files: nothing decoded twice, nothing forgotten by a kill, nothing believed of another file."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ml_pipeline.data import survey as survey_module
from ml_pipeline.data.cache import Cache
from ml_pipeline.data.survey import survey
from ml_pipeline.data.verify import FileFacts, FileStatus, examine
from ml_pipeline.progress import silence
from tests.ml_pipeline.data.conftest import Photo, encoded


@pytest.fixture
def folder(tmp_path: Path, lesions: Sequence[Photo]) -> Path:
    """Eight photos and five files that are none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, photo in enumerate(lesions[:8]):
        (folder / f"{number}.jpg").write_bytes(encoded(photo))
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "cut.jpg").write_bytes(encoded(lesions[0])[:3000])
    (folder / "named.png").write_bytes(encoded(lesions[1]))
    (folder / "grey.png").write_bytes(encoded(np.full((100, 100, 3), 90, np.uint8), "PNG"))
    (folder / "folder.jpg").mkdir()
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Digests of the files that were really examined, in this process."""
    seen: list[str] = []

    def examining(data: bytes, sha256: str) -> FileFacts:
        seen.append(sha256)
        return examine(data, sha256)

    monkeypatch.setattr(survey_module, "examine", examining)
    return seen


def paths_of(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.iterdir())]


def surveyed(folder: Path, cache: Path, *, workers: int = 1) -> dict[str, FileFacts]:
    found = survey(paths_of(folder), cache=cache, workers=workers, progress=silence)
    return {Path(path).name: facts for path, facts in found.items()}


def test_survey_gives_every_file_a_status(folder: Path, tmp_path: Path) -> None:
    facts = surveyed(folder, tmp_path / "cache.sqlite3")
    assert {name: each.status for name, each in facts.items()} == {
        **{f"{number}.jpg": FileStatus.OK for number in range(8)},
        "empty.jpg": FileStatus.EMPTY,
        "cut.jpg": FileStatus.TRUNCATED,
        "named.png": FileStatus.WRONG_SUFFIX,
        "grey.png": FileStatus.BLANK,
        "folder.jpg": FileStatus.UNREADABLE,
    }
    assert all(each.reason for each in facts.values() if each.status is not FileStatus.OK)


def test_survey_by_two_processes_is_the_same(folder: Path, tmp_path: Path) -> None:
    one = surveyed(folder, tmp_path / "one.sqlite3")
    two = surveyed(folder, tmp_path / "two.sqlite3", workers=2)
    assert one == two
    assert list(one) == list(two)


def test_survey_second_run_decodes_nothing(folder: Path, tmp_path: Path, decoded: list[str]) -> None:
    first = surveyed(folder, tmp_path / "cache.sqlite3")
    assert len(set(decoded)) == 11  # named.png has the bytes of 1.jpg, and folder.jpg none
    decoded.clear()
    assert surveyed(folder, tmp_path / "cache.sqlite3") == first
    assert decoded == []


def test_survey_a_moved_file_is_not_decoded_again(folder: Path, tmp_path: Path, decoded: list[str]) -> None:
    before = surveyed(folder, tmp_path / "cache.sqlite3")
    decoded.clear()
    (folder / "0.jpg").rename(folder / "moved.jpg")
    (folder / "1.jpg").rename(folder / "renamed.webp")
    facts = surveyed(folder, tmp_path / "cache.sqlite3")
    assert decoded == []
    assert facts["moved.jpg"] == before["0.jpg"]
    assert facts["renamed.webp"].status is FileStatus.WRONG_SUFFIX


def test_survey_a_changed_file_is_examined_again(
    folder: Path, tmp_path: Path, lesions: Sequence[Photo], decoded: list[str]
) -> None:
    cache = tmp_path / "cache.sqlite3"
    before = surveyed(folder, cache)
    times = (folder / "2.jpg").stat()
    (folder / "2.jpg").write_bytes(encoded(lesions[12]))
    os.utime(folder / "2.jpg", ns=(times.st_atime_ns, times.st_mtime_ns))  # a copy may keep the date
    decoded.clear()
    after = surveyed(folder, cache)
    assert decoded == [after["2.jpg"].sha256]
    assert after["2.jpg"].pixel_digest != before["2.jpg"].pixel_digest


def test_survey_killed_run_goes_on_where_it_was(folder: Path, tmp_path: Path, decoded: list[str]) -> None:
    cache = tmp_path / "cache.sqlite3"

    def until_the_fifth(items, *, what, total, unit):
        for number, item in enumerate(items):
            if number == 5:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        survey(paths_of(folder), cache=cache, workers=1, progress=until_the_fifth)
    known = set(decoded)
    decoded.clear()
    facts = surveyed(folder, cache)
    assert len(known) >= 5
    # What the last step had found but not handed over may be found again.
    assert len(known & set(decoded)) <= 1
    assert facts == surveyed(folder, tmp_path / "other.sqlite3")


def test_survey_facts_of_another_version_are_found_again(
    folder: Path, tmp_path: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache.sqlite3"
    surveyed(folder, cache)
    distinct = len(set(decoded))
    decoded.clear()
    monkeypatch.setattr("ml_pipeline.data.verify.VERSION", "another")
    surveyed(folder, cache)
    assert len(set(decoded)) == distinct


def test_survey_files_that_cannot_be_read_are_not_remembered(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    path, cache = tmp_path / "late.jpg", tmp_path / "cache.sqlite3"
    assert survey([str(path)], cache=cache, workers=1, progress=silence)[str(path)].status is FileStatus.UNREADABLE
    path.write_bytes(encoded(lesions[0]))
    assert survey([str(path)], cache=cache, workers=1, progress=silence)[str(path)].status is FileStatus.OK


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_survey_a_file_without_permission_is_unreadable(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(encoded(lesions[0]))
    path.chmod(0)
    found = survey([str(path)], cache=tmp_path / "cache.sqlite3", workers=1, progress=silence)
    assert found[str(path)].status is FileStatus.UNREADABLE
    assert "ermission" in found[str(path)].reason


def test_survey_of_nothing_is_empty(tmp_path: Path) -> None:
    assert survey([], cache=tmp_path / "cache.sqlite3", workers=2, progress=silence) == {}


def test_survey_keeps_broken_files_in_the_cache_too(folder: Path, tmp_path: Path) -> None:
    facts = surveyed(folder, tmp_path / "cache.sqlite3")
    store = Cache(tmp_path / "cache.sqlite3", read_only=True)
    kept = store.facts(facts["cut.jpg"].sha256)
    store.close()
    assert kept == facts["cut.jpg"]
