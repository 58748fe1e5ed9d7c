"""The one live model of a process: loaded once, and replaced by the one that is active while requests go on."""

import gc
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError

from api import ml_state
from api.services.model_versions import activate_shipped, activate_version
from api.switching import store
from api.switching.models import ModelVersion
from ml_models.classifier import Classifier, load_classifier
from ml_models.errors import ArtefactError
from tests.artefacts import spoil
from tests.threads import in_threads

pytestmark = pytest.mark.django_db


@pytest.fixture
def nothing_is_live() -> None:
    ml_state.reset()


@pytest.fixture
def loads(monkeypatch) -> list[dict]:
    """The arguments of every load."""
    seen: list[dict] = []

    def load(folder: Path, **options: float) -> Classifier:
        seen.append({"folder": folder, **options})
        return load_classifier(folder, **options)

    monkeypatch.setattr(store, "load_classifier", load)
    return seen


@pytest.fixture
def active(registered: Callable[..., ModelVersion]) -> ModelVersion:
    """The left model is active, and nothing has looked for it yet."""
    version = registered("left")
    activate_version(version=version)
    return version


class Clock:
    """What tells the time to the module; it stands still unless moved."""

    now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ml_state, "time", clock)
    return clock


@pytest.fixture
def silent_database(monkeypatch) -> None:
    def refuse() -> None:
        raise OperationalError("no route to host")

    monkeypatch.setattr(ml_state, "active_version", refuse)


def live_name() -> str:
    return ml_state.classifier().identity.name


@pytest.mark.usefixtures("nothing_is_live", "file_database")
def test_classifier_asked_by_many_threads_is_loaded_once(loads: list[dict]):
    assert (len(set(in_threads(ml_state.classifier, threads=16))), len(loads)) == (1, 1)


@pytest.mark.usefixtures("nothing_is_live")
def test_classifier_is_loaded_as_the_settings_say(loads: list[dict], settings):
    settings.INFERENCE_POOL_SIZE, settings.INFERENCE_TIMEOUT_S = 3, 7
    ml_state.classifier()
    assert loads == [{"folder": settings.MODEL_ARTEFACT, "pool_size": 3, "timeout_s": 7}]


def test_classifier_missing_folder_is_an_error_that_names_it(no_model: Path):
    with pytest.raises(ArtefactError, match=str(no_model)):
        ml_state.classifier()


def test_classifier_recovers_when_the_folder_appears(no_model: Path, shipped_folder: Path, clock: Clock):
    with pytest.raises(ArtefactError):
        ml_state.classifier()
    shutil.copytree(shipped_folder, no_model, ignore=shutil.ignore_patterns("plots"))
    with pytest.raises(ArtefactError):
        ml_state.classifier()  # not so soon
    clock.now_s += ml_state.RETRY_S
    assert ml_state.classifier().document.name


def test_classifier_failure_is_not_verified_anew_for_every_request(loads: list[dict], no_model: Path):
    for _request in range(10):
        with pytest.raises(ArtefactError, match=str(no_model)):
            ml_state.classifier()
    assert len(loads) == 1


def test_classifier_failure_is_tried_less_and_less_often(loads: list[dict], no_model: Path, clock: Clock):
    for second in range(100):
        clock.now_s = second
        ml_state.refresh()
    assert len(loads) == 7  # at 0, 2, 6, 14, 30, 60 and 90 s


def test_classifier_of_a_fresh_process_is_the_active_one(active: ModelVersion):
    ml_state.reset()
    assert ml_state.classifier().identity.digest == active.digest


@pytest.mark.usefixtures("nothing_is_live", "silent_database")
def test_classifier_of_a_fresh_process_without_database_is_not_guessed():
    with pytest.raises(ArtefactError, match="does not say which model"):
        ml_state.classifier()


def test_classifier_of_a_fresh_process_with_a_broken_active_one_is_the_shipped_one(active: ModelVersion, caplog):
    spoil(store.folder_of(active))
    ml_state.reset()
    assert live_name() not in {"left", "right"}
    assert "cannot go live" in caplog.text
    assert f"{active} is active" in (ml_state.discrepancy() or "")


def test_classifier_folder_that_vanishes_later_keeps_serving(settings, tmp_path: Path):
    live = ml_state.classifier()
    settings.MODEL_ARTEFACT = tmp_path / "nowhere"
    assert ml_state.refresh() is None
    assert ml_state.classifier() is live


def test_refresh_replaces_the_live_model_by_the_active_one(active: ModelVersion):
    assert ml_state.refresh() == ml_state.classifier().identity
    assert ml_state.classifier().identity.digest == active.digest
    assert ml_state.discrepancy() is None


def test_refresh_of_the_live_model_loads_nothing(active: ModelVersion, loads: list[dict]):
    ml_state.refresh()
    assert [ml_state.refresh() for _second in range(5)] == [None] * 5
    assert len(loads) == 1


def test_refresh_returns_to_the_shipped_model(active: ModelVersion, default_classifier: Classifier):
    ml_state.refresh()
    activate_shipped()
    assert ml_state.refresh() == default_classifier.identity


def test_refresh_answers_with_the_old_model_until_the_new_one_is_verified(active: ModelVersion, monkeypatch):
    during: list[str] = []
    verify = Classifier.verify_golden

    def watched(classifier: Classifier) -> None:
        during.append(live_name())
        verify(classifier)

    before = live_name()
    monkeypatch.setattr(Classifier, "verify_golden", watched)
    ml_state.refresh()
    assert (during, live_name()) == ([before], "left")


def test_refresh_leaves_the_old_model_to_whoever_holds_it(active: ModelVersion, lesion_rgb):
    old = ml_state.classifier()
    ml_state.refresh()
    answer = old.classify(lesion_rgb)
    assert answer.model == old.identity
    assert not any(code.startswith("left") for code in answer.probabilities or {})


def test_refresh_lets_go_of_the_old_model(active: ModelVersion):
    ml_state.refresh()
    old = weakref.ref(ml_state.classifier())
    activate_shipped()
    ml_state.refresh()
    gc.collect()
    assert old() is None


@pytest.mark.parametrize("damage", [spoil, shutil.rmtree], ids=["altered", "missing"])
def test_refresh_keeps_the_old_model_when_the_active_one_is_broken(
    active: ModelVersion, registered, caplog, damage: Callable[[Path], None]
):
    ml_state.refresh()
    right = registered("right")
    activate_version(version=right)
    damage(store.folder_of(right))
    assert ml_state.refresh() is None
    assert live_name() == "left"
    assert str(store.folder_of(right)) in caplog.text
    assert "missing or broken" in (ml_state.discrepancy() or "")


def test_refresh_keeps_the_old_model_when_the_folder_holds_another_valid_one(active: ModelVersion, registered):
    """Never another model in silence: the row says which bytes were judged."""
    ml_state.refresh()
    right = registered("right")
    activate_version(version=right)
    folder = store.folder_of(right)
    shutil.rmtree(folder)
    shutil.copytree(store.folder_of(active), folder)
    assert ml_state.refresh() is None
    assert "missing or broken" in (ml_state.discrepancy() or "")


def test_refresh_takes_the_active_model_when_it_is_mended(active: ModelVersion, models, clock: Clock):
    folder = store.folder_of(active)
    shutil.rmtree(folder)
    assert ml_state.refresh() is None
    shutil.copytree(models["left"], folder)
    clock.now_s += ml_state.RETRY_S
    assert ml_state.refresh() is not None
    assert ml_state.discrepancy() is None


@pytest.mark.usefixtures("silent_database")
def test_refresh_without_database_keeps_serving(caplog):
    live = ml_state.classifier()
    assert ml_state.refresh() is None
    assert ml_state.classifier() is live
    assert "no route to host" in caplog.text


def test_refresh_of_an_unreadable_folder_keeps_serving(active: ModelVersion, monkeypatch):
    """A disk that fails, a share that is stale."""

    def refuse(_folder: Path, **_options: float) -> None:
        raise PermissionError(13, "Permission denied")

    live = ml_state.classifier()
    monkeypatch.setattr(store, "load_classifier", refuse)
    assert ml_state.refresh() is None
    assert ml_state.classifier() is live


def test_discrepancy_before_the_switch_says_that_it_is_under_way(active: ModelVersion):
    assert "under way" in (ml_state.discrepancy() or "")


def test_reset_makes_the_next_call_load_anew():
    first = ml_state.classifier()
    ml_state.reset()
    assert ml_state.classifier() is not first


@pytest.mark.usefixtures("nothing_is_live")
def test_live_model_is_told_in_the_log(caplog):
    with caplog.at_level("INFO", logger="api.ml_state"):
        identity = ml_state.classifier().identity
    assert identity.digest in caplog.text
