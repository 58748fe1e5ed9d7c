"""Registering, activating and rolling back versions: what is refused, and what is kept on record."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEvent, AuditKind, User
from api.services import model_versions
from api.services.model_versions import (
    SwitchRefused,
    activate_shipped,
    activate_version,
    active_folder,
    active_version,
    record_live_model,
    register_candidate,
    roll_back,
)
from api.switching.models import ModelSwitch, ModelVersion, VersionState
from api.switching.store import folder_of, load_verified
from ml_models.errors import ArtefactError
from tests.artefacts import digest_of, spoil
from tests.threads import in_threads

pytestmark = pytest.mark.django_db

Register = Callable[..., ModelVersion]


@pytest.fixture
def left(registered: Register) -> ModelVersion:
    return registered("left")


@pytest.fixture
def right(registered: Register) -> ModelVersion:
    return registered("right")


def switched() -> list[str]:
    """The models of all switches on record, oldest first."""
    events = AuditEvent.objects.filter(kind=AuditKind.MODEL_SWITCHED).order_by("id")
    return [event.subject.split()[2] for event in events]


def states() -> dict[str, str]:
    return dict(ModelVersion.objects.values_list("name", "state"))


def test_register_candidate_keeps_what_the_folder_says(left: ModelVersion, model_dir: Path):
    stored = ModelVersion.objects.get()
    assert (stored.name, stored.digest, stored.folder) == ("left", digest_of(model_dir / "left"), "left")
    assert (stored.state, stored.passed, stored.report) == ("candidate", True, {"rules": ["of left"]})
    assert stored.activated_at is None


def test_register_candidate_is_on_record(models: dict[str, Path], model_dir: Path, person: User):
    version = register_candidate(folder=Path(shutil.copytree(models["left"], model_dir / "x")), actor=person)
    event = AuditEvent.objects.get(kind=AuditKind.MODEL_REGISTERED)
    assert (event.actor, event.subject) == (person, f"model {version.digest[:16]} left 1.0.0")


def test_register_candidate_again_takes_the_new_verdict_into_the_same_row(left: ModelVersion, model_dir: Path):
    again = register_candidate(folder=model_dir / "left", report={"worse": True}, passed=False)
    assert (again.pk, again.passed, again.report) == (left.pk, False, {"worse": True})
    assert ModelVersion.objects.count() == 1


def test_register_candidate_again_without_verdict_keeps_the_old_one(left: ModelVersion, model_dir: Path):
    again = register_candidate(folder=model_dir / "left")
    assert (again.pk, again.passed, again.report) == (left.pk, True, left.report)


def test_register_candidate_that_was_moved_is_found_at_its_new_place(left: ModelVersion, model_dir: Path):
    shutil.move(model_dir / "left", model_dir / "deeper" / "left")
    assert register_candidate(folder=model_dir / "deeper" / "left").folder == "deeper/left"


def test_register_candidate_leaves_an_active_one_active(left: ModelVersion, model_dir: Path):
    activate_version(version=left)
    assert register_candidate(folder=model_dir / "left").state == VersionState.ACTIVE


def test_register_candidate_outside_of_the_store_is_refused(models: dict[str, Path], model_dir: Path):
    with pytest.raises(ArtefactError, match="MODEL_DIR"):
        register_candidate(folder=models["left"])


def test_register_candidate_linked_from_outside_is_refused(models: dict[str, Path], model_dir: Path):
    (model_dir / "link").symlink_to(models["left"])
    with pytest.raises(ArtefactError, match="MODEL_DIR"):
        register_candidate(folder=model_dir / "link")


def test_register_candidate_the_store_itself_is_refused(model_dir: Path):
    with pytest.raises(ArtefactError, match="MODEL_DIR"):
        register_candidate(folder=model_dir / "left" / "..")


def test_register_candidate_altered_is_refused(models: dict[str, Path], model_dir: Path):
    folder = Path(shutil.copytree(models["left"], model_dir / "left"))
    spoil(folder)
    with pytest.raises(ArtefactError, match="altered"):
        register_candidate(folder=folder)
    assert not ModelVersion.objects.exists()


def test_register_candidate_with_other_answers_than_its_golden_ones_is_refused(
    models: dict[str, Path], model_dir: Path
):
    """Every file is as `model.json` says, and the calibration is not the one that the answers were made with."""
    folder = Path(shutil.copytree(models["left"], model_dir / "left"))
    document = json.loads((folder / "model.json").read_text())
    for calibration in document["calibrations"].values():
        calibration["temperature"] *= 2
    (folder / "model.json").write_text(json.dumps(document))
    with pytest.raises(ArtefactError, match="golden"):
        register_candidate(folder=folder)


def test_register_candidate_with_a_name_that_no_column_holds_is_refused(models: dict[str, Path], model_dir: Path):
    folder = Path(shutil.copytree(models["left"], model_dir / "left"))
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**document, "name": "x" * 101}))
    with pytest.raises(ArtefactError, match="name"):
        register_candidate(folder=folder)


def test_active_without_any_version_is_the_shipped_model(db, settings):
    assert (active_version(), active_folder()) == (None, settings.MODEL_ARTEFACT)


def test_activate_version_that_passed_becomes_the_active_one(left: ModelVersion, model_dir: Path, person: User):
    before = timezone.now()
    switch = activate_version(version=left, actor=person)
    active = active_version()
    assert active == left
    assert active.activated_at >= before
    assert active_folder() == model_dir / "left"
    assert switch is not None
    assert (switch.version, switch.before, switch.forced, switch.event.actor) == (left, None, False, person)


def test_activate_version_retires_the_one_before(left: ModelVersion, right: ModelVersion):
    activate_version(version=left)
    switch = activate_version(version=right)
    assert states() == {"left": "retired", "right": "active"}
    assert switch is not None
    assert switch.before == left


def test_activate_version_that_is_active_changes_nothing(left: ModelVersion):
    activate_version(version=left)
    assert activate_version(version=left) is None
    assert switched() == ["left"]


@pytest.mark.parametrize("passed", [None, False])
def test_activate_version_that_has_not_passed_is_refused(*, registered: Register, passed: bool | None):
    version = registered("left", passed=passed)
    with pytest.raises(SwitchRefused, match="gate"):
        activate_version(version=version)
    assert (active_version(), switched()) == (None, [])


def test_activate_version_forced_keeps_the_reason(registered: Register, person: User):
    version = registered("left", passed=False)
    activate_version(version=version, force=True, why=" The only one for children. ", actor=person)
    switch = ModelSwitch.objects.get()
    assert (switch.forced, switch.why, switch.event.actor) == (True, "The only one for children.", person)
    assert active_version() == version


@pytest.mark.parametrize("why", ["", "  "])
def test_activate_version_forced_without_a_reason_is_refused(registered: Register, why: str):
    with pytest.raises(SwitchRefused, match="why"):
        activate_version(version=registered("left", passed=False), force=True, why=why)
    assert active_version() is None


def test_activate_version_forced_needlessly_is_not_called_forced(left: ModelVersion):
    switch = activate_version(version=left, force=True, why="Sure is sure.")
    assert switch is not None
    assert not switch.forced


def test_activate_version_reads_the_latest_verdict(left: ModelVersion, model_dir: Path):
    """The page was opened before the gate was asked again."""
    register_candidate(folder=model_dir / "left", report={}, passed=False)
    assert left.passed
    with pytest.raises(SwitchRefused, match="failed the gate"):
        activate_version(version=left)


@pytest.mark.parametrize("damage", [spoil, shutil.rmtree], ids=["altered", "missing"])
def test_activate_version_that_is_broken_is_refused(
    left: ModelVersion, right: ModelVersion, damage: Callable[[Path], None]
):
    activate_version(version=left)
    damage(folder_of(right))
    with pytest.raises(ArtefactError):
        activate_version(version=right)
    assert states() == {"left": "active", "right": "candidate"}
    assert switched() == ["left"]


def test_activate_version_whose_folder_holds_another_model_is_refused(left: ModelVersion, right: ModelVersion):
    shutil.rmtree(folder_of(right))
    shutil.copytree(folder_of(left), folder_of(right))
    with pytest.raises(ArtefactError, match="written over"):
        activate_version(version=right)


def test_activate_shipped_retires_every_version(left: ModelVersion, settings):
    activate_version(version=left)
    switch = activate_shipped(why="As it came.")
    assert switch is not None
    assert (switch.version, switch.before, switch.why) == (None, left, "As it came.")
    assert active_folder() == settings.MODEL_ARTEFACT
    assert states() == {"left": "retired"}


def test_activate_shipped_that_answers_already_changes_nothing(db):
    assert activate_shipped() is None
    assert switched() == []


def test_roll_back_returns_step_by_step_to_the_shipped_model(left: ModelVersion, right: ModelVersion):
    activate_version(version=left)
    activate_version(version=right)
    assert roll_back().version == left
    assert states() == {"left": "active", "right": "retired"}
    assert roll_back().version is None
    assert active_version() is None
    with pytest.raises(SwitchRefused):
        roll_back()


def test_roll_back_undoes_the_return_to_the_shipped_model(left: ModelVersion):
    activate_version(version=left)
    activate_shipped()
    assert roll_back().version == left
    assert active_version() == left


def test_roll_back_after_a_roll_back_and_a_new_switch_undoes_the_new_switch(left: ModelVersion, right: ModelVersion):
    activate_version(version=left)
    roll_back()
    activate_version(version=right)
    assert roll_back().version is None
    with pytest.raises(SwitchRefused):
        roll_back()


def test_roll_back_is_on_record_with_its_reason(left: ModelVersion, person: User):
    forward = activate_version(version=left)
    back = roll_back(actor=person, why="Moles became melanomas.")
    assert (back.undoes, back.why, back.event.actor) == (forward, "Moles became melanomas.", person)
    assert switched()[0] == "left" != switched()[1]


def test_roll_back_to_a_broken_model_is_refused_and_the_active_one_stays(left: ModelVersion, right: ModelVersion):
    activate_version(version=left)
    activate_version(version=right)
    spoil(folder_of(left))
    with pytest.raises(ArtefactError):
        roll_back()
    assert active_version() == right


def test_roll_back_asks_no_gate(left: ModelVersion, right: ModelVersion, model_dir: Path):
    """It answered before; the way back must not be barred in an emergency."""
    activate_version(version=left)
    activate_version(version=right)
    register_candidate(folder=model_dir / "left", report={}, passed=False)
    assert roll_back().version == left


def test_database_holds_one_active_version_at_most(left: ModelVersion, right: ModelVersion):
    activate_version(version=left)
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=right.pk).update(state=VersionState.ACTIVE, activated_at=timezone.now())


def test_worker_records_nothing_that_an_activation_has_recorded(left: ModelVersion):
    activate_version(version=left)
    assert record_live_model(identity=load_verified(folder_of(left)).identity) is None
    assert switched() == ["left"]


def test_activations_at_the_same_time_follow_one_another(file_database, registered: Register):
    versions = {name: registered(name) for name in ("left", "right")}
    turns = iter(["left", "right"] * 3)
    in_threads(lambda: activate_version(version=versions[next(turns)]), threads=6)
    states = list(ModelVersion.objects.values_list("state", flat=True))
    assert sorted(states) == ["active", "retired"]
    chain = list(ModelSwitch.objects.order_by("id"))
    assert chain[0].before is None
    assert [switch.before for switch in chain[1:]] == [switch.version for switch in chain[:-1]]
    assert chain[-1].version == active_version()
    assert len(switched()) == len(chain)


def test_roll_backs_at_the_same_time_undo_one_switch_each(file_database, registered: Register):
    for name in ("left", "right"):
        activate_version(version=registered(name))

    def undo() -> str:
        try:
            return str(roll_back().version)
        except SwitchRefused:
            return "refused"

    outcomes = in_threads(undo, threads=4)
    undone = ModelSwitch.objects.exclude(undoes=None)
    assert outcomes.count("refused") == 4 - undone.count()
    assert len(set(undone.values_list("undoes", flat=True))) == undone.count() >= 1


def test_roll_back_that_meets_another_switch_is_refused(left: ModelVersion, right: ModelVersion, monkeypatch):
    activate_version(version=left)

    def overtaken(folder: Path, **options: object):
        monkeypatch.undo()
        activate_version(version=right)
        return load_verified(folder)

    monkeypatch.setattr(model_versions, "load_verified", overtaken)
    with pytest.raises(SwitchRefused, match="at the same time"):
        roll_back()
    assert active_version() == right
