"""Every fault scenario in short form, against the real server; and proof that the checks behind them can fail."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from benchmarks.client_faults import overload, slow_uploads, stalled_clients, vanishing_clients
from benchmarks.clients import NO_ANSWER, Outcome
from benchmarks.clock_faults import clock_jump
from benchmarks.invariants import LogCheck, check_log
from benchmarks.kill_faults import kill_server, kill_worker
from benchmarks.scenarios import Report, Skipped, ill_said_refusals, unexpected, unlike, wait_until
from benchmarks.serving import Answer
from benchmarks.storage_faults import full_database, full_media, locked_database, read_only_media

CONTENT = b"the cleaned photo"


def staged(scenario: Callable[..., Report], folder: Path, **size: float) -> Report:
    try:
        return scenario(folder, **size)
    except Skipped as reason:
        pytest.skip(str(reason))


@pytest.mark.slow
def test_kill_worker_loses_no_acknowledged_answer(tmp_path: Path):
    assert kill_worker(tmp_path, kills=2, apart_s=0.1).problems == ()


@pytest.mark.slow
def test_kill_server_loses_no_acknowledged_answer(tmp_path: Path):
    assert kill_server(tmp_path, kills=2).problems == ()


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [full_media, full_database, read_only_media, locked_database])
def test_storage_that_fails_is_said_and_recovers_without_restart(scenario: Callable[..., Report], tmp_path: Path):
    assert staged(scenario, tmp_path).problems == ()


@pytest.mark.slow
def test_overload_is_refused_in_words(tmp_path: Path):
    assert overload(tmp_path, seconds=1, clients=50).problems == ()


@pytest.mark.slow
def test_slow_uploads_are_cut_off_and_hold_nothing(tmp_path: Path):
    assert slow_uploads(tmp_path, seconds=1, clients=50, deadline_s=1).problems == ()


@pytest.mark.slow
def test_stalled_clients_are_let_go(tmp_path: Path):
    assert stalled_clients(tmp_path, each=20).problems == ()


@pytest.mark.slow
def test_vanishing_clients_leave_nothing_behind(tmp_path: Path):
    assert vanishing_clients(tmp_path, clients=10, times=6).problems == ()


@pytest.mark.slow
def test_clock_jump_disturbs_nobody(tmp_path: Path):
    assert staged(clock_jump, tmp_path, seconds=0).problems == ()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty log with the columns that the checks read."""
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        database.execute("CREATE TABLE api_prediction (id TEXT PRIMARY KEY)")
        database.execute(
            "CREATE TABLE api_predictionimage (id INTEGER PRIMARY KEY, photo TEXT, content_sha256 TEXT, "
            "prediction_id TEXT REFERENCES api_prediction (id))"
        )
        database.commit()
    (tmp_path / "media" / "predictions").mkdir(parents=True)
    return tmp_path


def log_photo(data_dir: Path, *, stored: bytes | None = CONTENT, has_row: bool = True, has_image: bool = True) -> UUID:
    identity, name = uuid4(), f"predictions/{uuid4().hex}.jpg"
    if stored is not None:
        (data_dir / "media" / name).write_bytes(stored)
    with closing(sqlite3.connect(data_dir / "db.sqlite3")) as database:
        if has_row:
            database.execute("INSERT INTO api_prediction VALUES (?)", [identity.hex])
        if has_image:
            image = (name, hashlib.sha256(CONTENT).hexdigest(), identity.hex)
            database.execute("INSERT INTO api_predictionimage VALUES (NULL, ?, ?, ?)", image)
        database.commit()
    return identity


def test_check_log_finds_nothing_wrong_with_a_whole_log(data_dir: Path):
    identity = log_photo(data_dir)
    assert check_log(data_dir, [str(identity)]) == LogCheck(1, (), ())


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        pytest.param({"stored": None}, "is missing", id="file-lost"),
        pytest.param({"stored": CONTENT[:5]}, "is not what was classified", id="file-half-written"),
        pytest.param({"has_image": False}, "has no photo", id="image-row-lost"),
        pytest.param({"has_row": False}, "speaks of a missing row", id="prediction-row-lost"),
    ],
)
def test_check_log_names_what_is_incomplete(data_dir: Path, damage: dict[str, bytes | bool | None], text: str):
    log_photo(data_dir, **damage)
    (problem,) = check_log(data_dir, []).problems
    assert text in problem


def test_check_log_names_an_acknowledged_answer_that_is_not_logged(data_dir: Path):
    (problem,) = check_log(data_dir, [str(uuid4())]).problems
    assert "acknowledged, but is not in the log" in problem


def test_check_log_names_an_answer_that_two_clients_got(data_dir: Path):
    identity = str(log_photo(data_dir))
    (problem,) = check_log(data_dir, [identity, identity]).problems
    assert "was given twice" in problem


def test_check_log_names_damaged_pages(data_dir: Path):
    with closing(sqlite3.connect(data_dir / "db.sqlite3")) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_schema SET sql = replace(sql, 'photo TEXT', 'photo TEXT NOT NULL')")
        database.execute("INSERT INTO api_predictionimage VALUES (NULL, NULL, NULL, NULL)")
        database.commit()
    assert any("the database is damaged" in problem for problem in check_log(data_dir, []).problems)


def test_check_log_counts_a_file_without_row_and_does_not_condemn_it(data_dir: Path):
    log_photo(data_dir, has_row=False, has_image=False)
    log = check_log(data_dir, [])
    assert (len(log.orphan_files), log.problems) == (1, ())


def outcome(status: int, *, retry_after: str = "5", code: str = "overloaded", problem: str = "") -> Outcome:
    return Outcome("photo", status, status == 200, 0.0, 1.0, "", code, retry_after, problem)


def test_ill_said_refusals_accepts_the_code_with_retry_after():
    assert ill_said_refusals([outcome(200, retry_after=""), outcome(503)], "overloaded") == []


def test_ill_said_refusals_names_a_refusal_without_retry_after():
    assert ill_said_refusals([outcome(503), outcome(503, retry_after="")], "overloaded") == [
        "1 of 2 refusals have no Retry-After"
    ]


def test_ill_said_refusals_names_another_code():
    assert ill_said_refusals([outcome(503, code="server_error")], "overloaded") == [
        "1 refusals have the code 'server_error', not 'overloaded'"
    ]


def test_unexpected_names_what_is_not_allowed_once():
    outcomes = [outcome(200), outcome(503), outcome(500), outcome(500), outcome(NO_ANSWER, problem="reset")]
    assert unexpected(outcomes, 503) == ["2 times photo: 500 overloaded", "1 times photo: reset"]


def test_unlike_names_the_answer_that_came_instead():
    assert unlike(Answer(500, {}, b"oops"), 200, "after it") == ["after it: 500 b'oops', not 200"]


def test_wait_until_gives_up_and_says_for_what():
    with pytest.raises(TimeoutError, match="in vain for: a miracle"):
        wait_until(lambda: False, "a miracle", timeout_s=0)
