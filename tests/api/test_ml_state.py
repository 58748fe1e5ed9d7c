"""The one live model of a process."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from api import ml_state
from ml_models.classifier import Classifier, load_classifier
from ml_models.errors import ArtefactError


@pytest.fixture(autouse=True)
def nothing_is_live(monkeypatch) -> None:
    monkeypatch.setattr(ml_state, "_live", None)
    monkeypatch.setattr(ml_state, "_failure", None)


@pytest.fixture
def loads(monkeypatch) -> list[dict]:
    """The arguments of every load."""
    seen: list[dict] = []

    def load(folder: Path, **options: float) -> Classifier:
        seen.append({"folder": folder, **options})
        return load_classifier(folder, **options)

    monkeypatch.setattr(ml_state, "load_classifier", load)
    return seen


def test_classifier_asked_by_many_threads_is_loaded_once(loads: list[dict]):
    threads = 16
    barrier = Barrier(threads)

    def ask(_thread: int) -> Classifier:
        barrier.wait(timeout=10)
        return ml_state.classifier()

    with ThreadPoolExecutor(threads) as pool:
        found = set(pool.map(ask, range(threads)))
    assert (len(found), len(loads)) == (1, 1)


def test_classifier_is_loaded_as_the_settings_say(loads: list[dict], settings):
    settings.INFERENCE_POOL_SIZE, settings.INFERENCE_TIMEOUT_S = 3, 7
    ml_state.classifier()
    assert loads == [{"folder": settings.MODEL_ARTEFACT, "pool_size": 3, "timeout_s": 7}]


def test_classifier_missing_folder_is_an_error_that_names_it(no_model: Path):
    with pytest.raises(ArtefactError, match=str(no_model)):
        ml_state.classifier()


def test_classifier_recovers_when_the_folder_appears(settings, monkeypatch, tmp_path: Path):
    source, settings.MODEL_ARTEFACT = settings.MODEL_ARTEFACT, tmp_path / "later"
    with pytest.raises(ArtefactError):
        ml_state.classifier()
    shutil.copytree(source, settings.MODEL_ARTEFACT, ignore=shutil.ignore_patterns("plots"))
    monkeypatch.setattr(ml_state, "RETRY_S", 0)
    assert ml_state.classifier().document.name


def test_classifier_failure_is_not_verified_anew_for_every_request(loads: list[dict], no_model: Path):
    for _request in range(10):
        with pytest.raises(ArtefactError, match=str(no_model)):
            ml_state.classifier()
    assert len(loads) == 1


def test_classifier_folder_that_vanishes_later_keeps_serving(settings, tmp_path: Path):
    live = ml_state.classifier()
    settings.MODEL_ARTEFACT = tmp_path / "nowhere"
    assert ml_state.classifier() is live


def test_reset_makes_the_next_call_load_anew():
    first = ml_state.classifier()
    ml_state.reset()
    assert ml_state.classifier() is not first


def test_reset_leaves_the_old_one_usable(lesion_rgb):
    """A request that holds it finishes with it."""
    old = ml_state.classifier()
    ml_state.reset()
    assert old.classify(lesion_rgb).probabilities


def test_warm_up_loads_before_the_first_request(loads: list[dict]):
    ml_state.warm_up()
    ml_state.classifier()
    assert len(loads) == 1


def test_warm_up_without_model_starts_all_the_same_and_says_why(no_model: Path, caplog):
    ml_state.warm_up()
    assert str(no_model) in caplog.text


def test_live_model_is_told_in_the_log(caplog):
    with caplog.at_level("INFO", logger="api.ml_state"):
        identity = ml_state.classifier().identity
    assert identity.digest in caplog.text
