"""Facts of many files, by as many processes as wanted; what the cache knows is not decoded again."""

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

from ml_pipeline.data.cache import Cache
from ml_pipeline.data.verify import FileFacts, FileStatus, examine, named_as
from ml_pipeline.executor import ordered_map
from ml_pipeline.progress import Progress


def survey(paths: Iterable[str], *, cache: Path, workers: int, progress: Progress) -> dict[str, FileFacts]:
    """Facts by path. A killed survey goes on where it was: only files whose bytes are new are decoded."""
    paths = sorted(set(paths))
    store = Cache(cache)
    facts = {}
    try:
        found = ordered_map(functools.partial(_facts, cache), paths, workers=workers)
        for path, each in zip(paths, progress(found, what="Verifying", total=len(paths), unit="files"), strict=True):
            if each.sha256:
                store.keep_facts(each)
            facts[path] = named_as(each, Path(path))
    finally:
        store.close()
    return facts


def _facts(cache: Path, path: str) -> FileFacts:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        return FileFacts("", FileStatus.UNREADABLE, f"the file cannot be read: {error.strerror}")
    sha256 = hashlib.sha256(data).hexdigest()
    return _opened(cache).facts(sha256) or examine(data, sha256)


@functools.cache
def _opened(cache: Path) -> Cache:
    return Cache(cache, read_only=True)
