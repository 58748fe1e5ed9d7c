"""Storage that fails: full, read-only, locked.

Small disks are tmpfs mounts, which need root, or a user namespace: `unshare -rm python -m benchmarks.load --only NAME`.
"""

import sqlite3
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path

from benchmarks.clients import Crowd, posting
from benchmarks.invariants import check_log
from benchmarks.photo_mix import dermatoscopic_mix
from benchmarks.scenarios import (
    PATIENCE_S,
    Report,
    Skipped,
    ill_said_refusals,
    log_text,
    tally,
    unexpected,
    unlike,
    wait_until,
)
from benchmarks.serving import ROOT, Server, running_server

CODE = "storage_unavailable"
_CLIENTS = 4
_REFUSALS = 20
_MIB = 2**20
_BALLAST_BYTES = _MIB
_PHOTO = (ROOT / "sample_images" / "mel.jpg").read_bytes()


def full_media(folder: Path) -> Report:
    """Fill the disk of the photos, then free some of it."""
    media = folder / "data" / "media"
    with small_disk(media, size_bytes=4 * _MIB), running_server(folder) as server:
        (media / "ballast").write_bytes(bytes(_BALLAST_BYTES))
        return _filled(server, media / "ballast", "the disk of the photos (4 MiB)")


def full_database(folder: Path) -> Report:
    """Fill the disk of the database while the photos have room, then free some of it."""
    data = folder / "data"
    with (
        small_disk(data, size_bytes=8 * _MIB),
        small_disk(data / "media", size_bytes=256 * _MIB),
        running_server(folder) as server,
    ):
        used = sum(file.stat().st_size for file in data.glob("db.sqlite3*"))
        (data / "ballast").write_bytes(bytes(8 * _MIB - used - _BALLAST_BYTES))
        return _filled(server, data / "ballast", "the disk of the database (8 MiB)")


def read_only_media(folder: Path) -> Report:
    """Make the disk of the photos read-only, then writable again."""
    media = folder / "data" / "media"
    with small_disk(media, size_bytes=64 * _MIB), running_server(folder) as server:
        problems = unlike(before := server.post_photo(_PHOTO), HTTPStatus.OK, "before")
        _remount(media, "ro")
        outcomes = _refused_outcomes(server)
        log = check_log(server.data_dir, [before.json()["id"]])
        problems += unlike(server.request("GET", "/healthz"), HTTPStatus.OK, "/healthz meanwhile")
        _remount(media, "rw")
        problems += unlike(server.post_photo(_PHOTO), HTTPStatus.OK, "the first photo after it")
    if log.rows != 1 or log.orphan_files:
        problems.append(f"{log.rows} rows and {len(log.orphan_files)} files without a row instead of 1 and 0")
    return Report(
        "the folder of the photos was remounted read-only, and writable again without a restart",
        (tally(outcomes.outcomes), log_text(log, [before.json()["id"]])),
        (*problems, *log.problems, *_refusal_problems(outcomes)),
    )


def locked_database(folder: Path) -> Report:
    """Hold the write lock longer than the busy time-out, then shorter."""
    with running_server(folder, DATABASE_TIMEOUT_S="1", WEB_CONCURRENCY="2") as server:
        problems = unlike(server.post_photo(_PHOTO), HTTPStatus.OK, "before")
        with write_lock(server.data_dir):
            outcomes = _refused_outcomes(server, refusals=_CLIENTS)
            problems += unlike(server.request("GET", "/healthz"), HTTPStatus.OK, "/healthz meanwhile")
        log = check_log(server.data_dir, outcomes.acknowledged)
        problems += unlike(server.post_photo(_PHOTO), HTTPStatus.OK, "the first photo after it")
        problems += _short_lock_problems(server)
    if log.rows != 1 or log.orphan_files:
        problems.append(f"{log.rows} rows and {len(log.orphan_files)} files without a row instead of 1 and 0")
    return Report(
        f"another process held the write lock until {_CLIENTS} photos were refused (time-out 1 s), then for a moment",
        (tally(outcomes.outcomes), "a short lock was waited for", log_text(log, outcomes.acknowledged)),
        (*problems, *log.problems, *_refusal_problems(outcomes)),
    )


@contextmanager
def small_disk(folder: Path, *, size_bytes: int) -> Iterator[None]:
    """Mount an empty file system of this size; Skipped where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={size_bytes},mode=700"
    mounted = subprocess.run(  # noqa: S603 - our own arguments
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        raise Skipped(
            f"No small disk can be mounted here ({mounted.stderr.strip()}). "
            "Run it as root, or with: unshare -rm python -m benchmarks.load --only NAME"
        )
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607


@contextmanager
def write_lock(data_dir: Path) -> Iterator[None]:
    """Nobody else can write to the database meanwhile."""
    with closing(sqlite3.connect(data_dir / "db.sqlite3", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


def _filled(server: Server, ballast: Path, disk: str) -> Report:
    """Post until the disk is full and for a while more, then free the ballast and post again."""
    crowd = _refused_outcomes(server)
    full = check_log(server.data_dir, crowd.acknowledged)
    problems = unlike(server.request("GET", "/healthz"), HTTPStatus.OK, "/healthz meanwhile")
    problems += unlike(server.post_photo(b"no photo"), HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a bad file meanwhile")
    ballast.unlink()
    problems += unlike(after := server.post_photo(_PHOTO), HTTPStatus.OK, "the first photo after freeing space")
    if after.status == HTTPStatus.OK:
        problems += check_log(server.data_dir, [*crowd.acknowledged, after.json()["id"]]).problems
    if full.orphan_files:
        problems.append(f"{len(full.orphan_files)} refused photos left a file without a row")
    if full.rows != len(crowd.acknowledged):
        problems.append(f"{full.rows} rows for {len(crowd.acknowledged)} acknowledged answers")
    return Report(
        f"{_CLIENTS} clients posted until {disk} was full and {_REFUSALS} photos were refused; then 1 MiB was freed",
        (tally(crowd.outcomes), log_text(full, crowd.acknowledged)),
        (*problems, *full.problems, *_refusal_problems(crowd)),
    )


def _refused_outcomes(server: Server, *, refusals: int = _REFUSALS) -> Crowd:
    """Clients post until enough were refused, in whatever words."""
    with Crowd(server.port, posting(dermatoscopic_mix(), clients=_CLIENTS)) as crowd:
        wait_until(lambda: sum(not each.is_expected for each in crowd.outcomes) >= refusals, "refusals")
    return crowd


def _refusal_problems(crowd: Crowd) -> list[str]:
    return [
        *unexpected(crowd.outcomes, HTTPStatus.SERVICE_UNAVAILABLE),
        *ill_said_refusals(crowd.outcomes, CODE),
    ]


def _short_lock_problems(server: Server) -> list[str]:
    """A photo that has come as far as the database waits there until the lock is gone."""
    media = server.data_dir / "media" / "predictions"
    stored = _count_files(media)
    with ThreadPoolExecutor(1) as phone:
        with write_lock(server.data_dir):
            answer = phone.submit(server.post_photo, _PHOTO)
            wait_until(lambda: answer.done() or _count_files(media) > stored, "a photo before the lock")
        return unlike(answer.result(timeout=PATIENCE_S), HTTPStatus.OK, "a photo that met a short lock")


def _count_files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def _remount(folder: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)  # noqa: S603, S607
