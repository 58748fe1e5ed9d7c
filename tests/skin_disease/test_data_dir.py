"""The writable folder and the local secret key in it."""

import stat
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.exceptions import ImproperlyConfigured

from skin_disease import data_dir


def test_prepare_missing_folder_is_created_for_its_owner_alone(tmp_path):
    data_dir.prepare(tmp_path / "a" / "var")
    assert stat.S_IMODE((tmp_path / "a" / "var").stat().st_mode) == 0o700


def test_prepare_file_in_the_way_error_names_data_dir(tmp_path):
    (tmp_path / "var").touch()
    with pytest.raises(ImproperlyConfigured, match="Set DATA_DIR to a folder"):
        data_dir.prepare(tmp_path / "var")


def test_local_secret_key_first_time_is_created_for_its_owner_alone(tmp_path):
    data_dir.local_secret_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_local_secret_key_second_time_is_the_same(tmp_path):
    assert data_dir.local_secret_key(tmp_path) == data_dir.local_secret_key(tmp_path)


def test_local_secret_key_in_two_folders_differs(tmp_path):
    (tmp_path / "other").mkdir()
    assert data_dir.local_secret_key(tmp_path) != data_dir.local_secret_key(tmp_path / "other")


def test_local_secret_key_is_long_enough_for_production(tmp_path):
    assert len(data_dir.local_secret_key(tmp_path)) >= data_dir.SECRET_KEY_MIN_LENGTH


def test_local_secret_key_truncated_file_is_refused(tmp_path):
    (tmp_path / "secret_key").write_text("short")
    with pytest.raises(ImproperlyConfigured, match="holds 5 characters"):
        data_dir.local_secret_key(tmp_path)


def test_local_secret_key_many_creators_at_once_get_one_key(tmp_path):
    creators = 8
    barrier = Barrier(creators)

    def create(_creator: int) -> str:
        barrier.wait()
        return data_dir.local_secret_key(tmp_path)

    with ThreadPoolExecutor(creators) as pool:
        keys = set(pool.map(create, range(creators)))
    assert keys == {(tmp_path / "secret_key").read_text()}


def test_local_secret_key_overtaken_creator_takes_the_other_key(tmp_path, monkeypatch):
    def overtake(length: int) -> str:
        (tmp_path / "secret_key").write_text("k" * 60)
        return "m" * length

    monkeypatch.setattr(data_dir.secrets, "token_urlsafe", overtake)
    assert data_dir.local_secret_key(tmp_path) == "k" * 60


def test_local_secret_key_leaves_no_draft_behind(tmp_path):
    data_dir.local_secret_key(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
