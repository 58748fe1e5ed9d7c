"""The cache: what was kept comes back, and a file that is none is refused with a remedy."""

import sqlite3
from pathlib import Path

import pytest

from ml_pipeline.data.cache import Cache
from ml_pipeline.data.verify import FileFacts, FileStatus
from ml_pipeline.errors import PipelineError

FACTS = FileFacts("ab" * 32, FileStatus.OK, "", "jpeg", 300, 200, 12345, "cd" * 16, bytes(range(256)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "cache.sqlite3"


def kept(path: Path, *facts: FileFacts, correlations: dict[str, float] | None = None) -> None:
    cache = Cache(path)
    for each in facts:
        cache.keep_facts(each)
    for comparison, value in (correlations or {}).items():
        cache.keep_correlation(comparison, value)
    cache.close()


@pytest.mark.parametrize(
    "facts",
    [FACTS, FileFacts("0" * 64, FileStatus.EMPTY, "The image is empty."), FileFacts("1", FileStatus.BLANK, "b", "png")],
    ids=["ok", "empty", "blank"],
)
def test_cache_facts_come_back_as_they_were(path: Path, facts: FileFacts) -> None:
    kept(path, facts)
    cache = Cache(path)
    assert cache.facts(facts.sha256) == facts
    assert cache.facts("f" * 64) is None
    cache.close()


def test_cache_correlations_come_back_to_the_last_bit(path: Path) -> None:
    kept(path, correlations={"a b 0 0 1": 0.1 + 0.2, "a b 0 1 1": -1.0})
    cache = Cache(path)
    assert cache.correlation("a b 0 0 1") == 0.1 + 0.2
    assert cache.correlation("a b 0 1 1") == -1.0
    assert cache.correlation("b a 0 0 1") is None
    cache.close()


def test_cache_kept_twice_the_later_counts(path: Path) -> None:
    later = FileFacts(FACTS.sha256, FileStatus.TRUNCATED, "cut")
    kept(path, FACTS, later)
    cache = Cache(path)
    assert cache.facts(FACTS.sha256) == later
    cache.close()


@pytest.mark.parametrize("module", ["verify", "match"])
def test_cache_results_of_another_version_are_not_returned(
    path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(path, FACTS, correlations={"x": 0.5})
    monkeypatch.setattr(f"ml_pipeline.data.{module}.VERSION", "another")
    cache = Cache(path)
    assert (cache.facts(FACTS.sha256) is None) == (module == "verify")
    assert (cache.correlation("x") is None) == (module == "match")
    cache.close()
    monkeypatch.undo()
    cache = Cache(path)  # going back to the old version finds them again
    assert cache.facts(FACTS.sha256) == FACTS
    assert cache.correlation("x") == 0.5
    cache.close()


def test_cache_versions_of_facts_name_the_fingerprint() -> None:
    from ml_pipeline.data import fingerprint, verify

    assert verify.VERSION.endswith(f".{fingerprint.VERSION}")


def test_cache_is_read_while_another_writes(path: Path) -> None:
    writer = Cache(path)
    writer.keep_facts(FACTS)
    writer.save()
    writer.keep_facts(FileFacts("not saved yet", FileStatus.EMPTY))
    reader = Cache(path, read_only=True)
    assert reader.facts(FACTS.sha256) == FACTS
    assert reader.facts("not saved yet") is None
    writer.save()
    assert reader.facts("not saved yet") is not None
    reader.close()
    writer.close()


def test_cache_saves_on_the_way(path: Path) -> None:
    writer = Cache(path)
    for number in range(1200):
        writer.keep_facts(FileFacts(f"{number}", FileStatus.EMPTY))
    reader = Cache(path, read_only=True)  # as after a kill: the writer has said nothing more
    assert reader.facts("999") is not None
    reader.close()
    writer.close()


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + b"\xff" * 4096])
@pytest.mark.parametrize("options", [{}, {"read_only": True}], ids=["writing", "reading"])
def test_cache_file_that_is_none_is_refused_with_a_remedy(path: Path, content: bytes, options: dict[str, bool]) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(PipelineError, match=r"cache\.sqlite3.*Delete it"):
        Cache(path, **options).facts(FACTS.sha256)


def test_cache_folder_in_its_place_is_refused_with_a_remedy(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(PipelineError, match="Delete it, or name another"):
        Cache(path)


def test_cache_damaged_inside_is_refused_with_a_remedy(path: Path) -> None:
    kept(path, *(FileFacts(f"{number:064d}", FileStatus.OK, signature=bytes(256)) for number in range(400)))
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xa5" * (len(content) - 12288)
    path.write_bytes(bytes(content))
    with pytest.raises(PipelineError, match="Delete it"):
        _read_all(path)


def test_cache_of_other_columns_is_refused_with_a_remedy(path: Path) -> None:
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE facts (sha256, version, PRIMARY KEY (sha256, version))")
    database.close()
    with pytest.raises(PipelineError, match="Delete it"):
        _read_all(path)


def _read_all(path: Path) -> None:
    cache = Cache(path)
    try:
        for number in range(400):
            cache.facts(f"{number:064d}")
            cache.keep_facts(FileFacts(f"new {number}", FileStatus.EMPTY))
        cache.save()
    finally:
        cache.close()
