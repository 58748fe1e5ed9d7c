"""What must hold whatever happened to the server: the log against acknowledged answers, files and digests.

Reads SQLite and the media folder directly, so that it does not share a mistake with the code it checks.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LoggedPhoto:
    """One row of the log and the file that it speaks of; a prediction without a photo has no name."""

    prediction_id: str
    name: str | None
    content_sha256: str | None


@dataclass(frozen=True, slots=True)
class LogCheck:
    """What is in the log, the files that no row speaks of, and everything that should not be."""

    rows: int
    orphan_files: tuple[Path, ...]
    problems: tuple[str, ...]


def check_log(data_dir: Path, acknowledged: Iterable[str]) -> LogCheck:
    """Hold the log against the identities that clients were given, and against the files.

    Orphan files are counted, not condemned: a killed server leaves them, and `manage.py purge_expired` removes them.
    """
    media = data_dir / "media"
    with closing(read_only(data_dir)) as database:
        photos = logged_photos(database)
        problems = [*damage(database)]
    problems += unlogged_answers(photos, acknowledged)
    problems += incomplete_rows(photos, media)
    rows = len({photo.prediction_id for photo in photos})
    return LogCheck(rows, orphan_files(photos, media), tuple(problems))


def read_only(data_dir: Path) -> sqlite3.Connection:
    """The database, to be looked at while a server may be writing to it."""
    return sqlite3.connect(f"file:{data_dir / 'db.sqlite3'}?mode=ro", uri=True)


def logged_photos(database: sqlite3.Connection) -> list[LoggedPhoto]:
    """Every prediction with its photos."""
    query = (
        "SELECT prediction.id, image.photo, image.content_sha256 FROM api_prediction AS prediction "
        "LEFT JOIN api_predictionimage AS image ON image.prediction_id = prediction.id"
    )
    return [LoggedPhoto(*row) for row in database.execute(query)]


def damage(database: sqlite3.Connection) -> Iterator[str]:
    """What SQLite itself finds wrong: pages, indexes, and rows whose other half is missing."""
    for (text,) in database.execute("PRAGMA integrity_check"):
        if text != "ok":
            yield f"the database is damaged: {text}"
    for table, row, parent, _ in database.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} speaks of a missing row of {parent}"


def unlogged_answers(photos: Iterable[LoggedPhoto], acknowledged: Iterable[str]) -> Iterator[str]:
    """Answers that a client has received and the log does not know, or that two clients share."""
    logged = {photo.prediction_id for photo in photos}
    seen: set[str] = set()
    for identity in acknowledged:
        hexadecimal = UUID(identity).hex
        if hexadecimal not in logged:
            yield f"answer {identity} was acknowledged, but is not in the log"
        if hexadecimal in seen:
            yield f"answer {identity} was given twice"
        seen.add(hexadecimal)


def incomplete_rows(photos: Iterable[LoggedPhoto], media: Path) -> Iterator[str]:
    """Rows without photo, without file, or whose file is not what was classified."""
    for photo in photos:
        if photo.name is None:
            yield f"prediction {photo.prediction_id} has no photo"
            continue
        file = media / photo.name
        if not file.is_file():
            yield f"the file of prediction {photo.prediction_id} is missing: {photo.name}"
        elif hashlib.sha256(file.read_bytes()).hexdigest() != photo.content_sha256:
            yield f"the file of prediction {photo.prediction_id} is not what was classified: {photo.name}"


def orphan_files(photos: Iterable[LoggedPhoto], media: Path) -> tuple[Path, ...]:
    """Stored files that no row speaks of."""
    known = {media / photo.name for photo in photos if photo.name}
    return tuple(sorted(file for file in (media / "predictions").rglob("*") if file.is_file() and file not in known))
