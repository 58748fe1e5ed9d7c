"""`activate_model`, `rollback_model` and `verify_models`, as an operator types them."""

import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from api.services.model_versions import active_version
from api.switching.models import ModelSwitch, ModelVersion
from api.switching.store import folder_of
from tests.artefacts import spoil

pytestmark = pytest.mark.django_db

Register = Callable[..., ModelVersion]


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


def test_activate_model_says_what_is_active_and_the_way_back(registered: Register):
    version = registered("left")
    assert run("activate_model", "left") == f"{version} is active. `manage.py rollback_model` returns to shipped.\n"
    assert active_version() == version


@pytest.mark.parametrize("of", ["name", "name and version", "folder", "digest", "upper-case digest"])
def test_activate_model_finds_a_version_by_any_of_its_names(registered: Register, of: str):
    version = registered("left")
    registered("right")
    name = {
        "name": version.name,
        "name and version": f"{version.name} {version.version}",
        "folder": version.folder,
        "digest": version.digest[:6],
        "upper-case digest": version.digest[:12].upper(),
    }[of]
    run("activate_model", name)
    assert active_version() == version


def test_activate_model_name_of_two_is_refused(registered: Register):
    registered("left")
    ModelVersion.objects.create(name="left", version="2", digest="f" * 64, folder="other")
    with pytest.raises(CommandError, match="digest"):
        run("activate_model", "left")


def test_activate_model_unknown_name_lists_the_known(registered: Register):
    version = registered("left")
    with pytest.raises(CommandError) as refused:
        run("activate_model", "center")
    assert str(version) in str(refused.value)


@pytest.mark.parametrize("name", ["../outside", "left"])
def test_activate_model_registers_a_folder_of_the_store_only(models: dict[str, Path], model_dir: Path, name: str):
    shutil.copytree(models["left"], model_dir / name)
    with pytest.raises(CommandError, match="MODEL_DIR" if name.startswith("..") else "has not been judged"):
        run("activate_model", name)
    assert ModelVersion.objects.count() == (0 if name.startswith("..") else 1)


def test_activate_model_forced_needs_a_reason_and_keeps_it(registered: Register, person: User):
    version = registered("left", passed=False)
    with pytest.raises(CommandError, match="failed the gate"):
        run("activate_model", "left")
    with pytest.raises(CommandError, match="reason"):
        run("activate_model", "left", "--force")
    run("activate_model", "left", "--force", "--why", "A trial in one clinic.", "--by", person.email)
    switch = ModelSwitch.objects.get()
    assert (switch.version, switch.why, switch.event.actor) == (version, "A trial in one clinic.", person)


def test_activate_model_by_nobody_known_is_refused(registered: Register):
    registered("left")
    with pytest.raises(CommandError, match=r"nobody@example\.org"):
        run("activate_model", "left", "--by", "nobody@example.org")
    assert active_version() is None


def test_activate_model_again_says_so(registered: Register):
    registered("left")
    run("activate_model", "left")
    assert "already" in run("activate_model", "left")


def test_activate_model_shipped_returns_to_it(registered: Register):
    registered("left")
    run("activate_model", "left")
    assert "shipped model is active" in run("activate_model", "shipped")
    assert active_version() is None


def test_activate_model_broken_is_refused(registered: Register):
    spoil(folder_of(registered("left")))
    with pytest.raises(CommandError, match="altered"):
        run("activate_model", "left")


def test_rollback_model_names_what_is_active_again(registered: Register, person: User):
    for name in ("left", "right"):
        registered(name)
        run("activate_model", name)
    assert run("rollback_model", "--why", "Worse.", "--by", person.email).startswith("left 1.0.0")
    assert run("rollback_model") == "The shipped model is active again.\n"
    with pytest.raises(CommandError, match="No switch"):
        run("rollback_model")
    assert [switch.why for switch in ModelSwitch.objects.exclude(undoes=None)] == ["", "Worse."]


def test_verify_models_lists_every_folder_with_its_state(registered: Register, models, model_dir: Path):
    registered("left")
    run("activate_model", "left")
    shutil.copytree(models["right"], model_dir / "unregistered")
    lines = [line.split() for line in run("verify_models").splitlines()]
    assert lines[0] == ["model", "digest", "state", "verified", "folder"]
    seen = {line[-1]: line[-3:-1] for line in lines[1:]}
    assert seen[str(model_dir / "left")] == ["active", "ok"]
    assert seen[str(model_dir / "unregistered")] == ["-", "ok"]
    assert ["shipped", "ok"] in seen.values()


@pytest.mark.parametrize("damage", [spoil, shutil.rmtree], ids=["altered", "missing"])
def test_verify_models_ends_with_an_error_where_one_is_broken(
    registered: Register, capsys, damage: Callable[[Path], None]
):
    version = registered("left")
    damage(folder_of(version))
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 2"):
        call_command("verify_models", stdout=out, stderr=out)
    row = next(line for line in out.getvalue().splitlines() if "candidate" in line)
    assert "broken" in row
    assert version.digest[:12] in row
    assert f"{folder_of(version)}: " in out.getvalue()


def test_verify_models_folder_that_holds_another_model_than_its_row_is_broken(registered: Register):
    left, right = registered("left"), registered("right")
    shutil.rmtree(folder_of(left))
    shutil.copytree(folder_of(right), folder_of(left))
    with pytest.raises(CommandError, match="1 of 3"):
        run("verify_models")
