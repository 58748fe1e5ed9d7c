"""The two profiles, each in a process of its own."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db.utils import ConnectionHandler

PRODUCTION = {
    "SKIN_PROFILE": "production",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ALLOWED_HOSTS": "api.example.org",
}


@pytest.fixture
def run(tmp_path):
    """Run Python in the repository with these variables alone."""

    def run_python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), **variables}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False
        )

    return run_python


@pytest.fixture
def read_setting(run):
    """The value of one setting in a process with these variables alone."""

    def read(name: str, **variables: str):
        program = f"import json; from skin_disease import settings; print(json.dumps(settings.{name}))"
        return json.loads(run("-c", program, **variables).stdout)

    return read


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY has 0 characters, but must have at least 50"),
        ({"SECRET_KEY": "x" * 49}, "SECRET_KEY has 49 characters, but must have at least 50"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is empty"),
        ({"DEBUG": "1"}, "DEBUG is 1 in the production profile"),
    ],
    ids=["no-secret", "short-secret", "no-hosts", "debug"],
)
def test_production_unsafe_environment_does_not_boot(run, change, text):
    finished = run("manage.py", "check", **PRODUCTION | change)
    assert finished.returncode != 0
    assert text in finished.stderr


def test_production_deployment_check_is_clean(run):
    finished = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_profile_unset_is_production(run):
    assert "SECRET_KEY" in run("-c", "import skin_disease.wsgi").stderr


def test_manage_profile_unset_is_local(run):
    assert run("manage.py", "check").returncode == 0


def test_local_secret_is_the_key_file(read_setting, tmp_path):
    assert read_setting("SECRET_KEY", SKIN_PROFILE="local") == (tmp_path / "secret_key").read_text()


@pytest.mark.parametrize(
    ("variables", "extra"),
    [
        ({}, []),
        ({"HOST": "0.0.0.0"}, []),  # noqa: S104
        ({"HOST": "192.168.1.7"}, ["192.168.1.7"]),
        ({"HOST": "fd00::7"}, ["[fd00::7]"]),
        ({"ALLOWED_HOSTS": "lab.example.org, localhost"}, ["lab.example.org"]),
    ],
    ids=["default", "every-address", "ipv4", "ipv6", "named"],
)
def test_local_allowed_hosts_are_this_machine_and_what_was_named(read_setting, variables, extra):
    hosts = read_setting("ALLOWED_HOSTS", SKIN_PROFILE="local", **variables)
    assert hosts == ["localhost", "127.0.0.1", "[::1]", *extra]


@pytest.mark.parametrize(("trust", "header"), [("0", None), ("1", ["HTTP_X_FORWARDED_PROTO", "https"])])
def test_forwarded_scheme_counts_only_behind_a_trusted_proxy(read_setting, trust, header):
    assert read_setting("SECURE_PROXY_SSL_HEADER", **PRODUCTION, TRUST_PROXY=trust) == header


@pytest.mark.parametrize(("trust", "believed"), [("0", False), ("1", True)])
def test_forwarded_host_counts_only_behind_a_trusted_proxy(read_setting, trust, believed):
    assert read_setting("USE_X_FORWARDED_HOST", **PRODUCTION, TRUST_PROXY=trust) is believed


@pytest.mark.django_db
def test_database_on_file_writes_ahead(tmp_path):
    on_file = {**settings.DATABASES["default"], "NAME": tmp_path / "db.sqlite3"}
    connections = ConnectionHandler({"default": on_file})
    with connections["default"].cursor() as cursor:
        journal_mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
    connections.close_all()
    assert journal_mode == "wal"
