"""The counter that all processes of a machine share."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from accounts.hits import count_hit

HITS = 25


@pytest.fixture(autouse=True)
def folder(settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def rows(folder: Path) -> list[tuple]:
    with closing(sqlite3.connect(folder / "throttles.sqlite3")) as database:
        return database.execute("SELECT until, key, count FROM hits ORDER BY until, key").fetchall()


def test_count_hit_counts_from_one():
    assert [count_hit("a", now=0, until=60) for _ in range(3)] == [1, 2, 3]


def test_count_hit_keys_and_windows_count_apart():
    assert [count_hit(key, now=0, until=until) for key, until in [("a", 60), ("b", 60), ("a", 120)]] == [1, 1, 1]


def test_count_hit_forgets_windows_that_have_ended(folder: Path):
    for now, until in [(0, 60), (0, 3600), (60, 120)]:
        count_hit("a", now=now, until=until)
    assert rows(folder) == [(120, "a", 1), (3600, "a", 1)]


def test_count_hit_threads_lose_no_hit():
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: count_hit("a", now=0, until=60), range(8 * HITS)))
    assert sorted(counts) == list(range(1, 8 * HITS + 1))


def test_count_hit_processes_lose_no_hit(folder: Path):
    program = (
        "from django.conf import settings\n"
        f"settings.configure(DATA_DIR={str(folder)!r})\n"
        "from accounts.hits import count_hit\n"
        f"for _ in range({HITS}): count_hit('a', now=0, until=60)\n"
    )
    command = [sys.executable, "-c", program]
    processes = [subprocess.Popen(command, cwd=django_settings.BASE_DIR) for _ in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    assert count_hit("a", now=0, until=60) == 4 * HITS + 1


def test_count_hit_where_nothing_can_be_written_lets_through(settings, folder: Path, caplog):
    settings.DATA_DIR = folder / "nowhere"
    assert [count_hit("a", now=0, until=60) for _ in range(2)] == [0, 0]
    assert "not counted" in caplog.text


def test_count_hit_in_a_damaged_file_starts_anew(folder: Path, caplog):
    (folder / "throttles.sqlite3").write_bytes(b"no database at all" * 100)
    assert [count_hit("a", now=0, until=60) for _ in range(2)] == [0, 1]
    assert "damaged" in caplog.text
