"""The shipped model through the whole core."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml_models.classification import Modality, ReasonCode
from ml_models.classifier import Classifier, load_classifier
from ml_models.errors import InferenceBusy, InferenceError
from ml_models.image_io import read_photo
from ml_models.labels import CODES
from ml_models.runtime import LiteRtRuntime
from ml_pipeline.synthetic import Scene, draw, draw_wall
from tests.conftest import SHIPPED_MODEL

SCALED_DECODE_BOUND = 0.03  # of a probability; .027 was the most seen on real photos


def test_classify_gives_every_label_in_order_summing_to_one(
    shipped_classifier: Classifier, lesion_rgb: NDArray[np.uint8]
) -> None:
    probabilities = shipped_classifier.classify(lesion_rgb).probabilities
    assert probabilities is not None
    assert tuple(probabilities) == CODES
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-9)


def test_classify_without_gates_is_never_safe(shipped_classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    document = replace(shipped_classifier.document, gated=())
    monkeypatch.setattr(shipped_classifier, "_artefact", replace(shipped_classifier._artefact, document=document))
    photos = [draw(Scene(lesion=code), width_px=300, height_px=225, seed=seed) for seed, code in enumerate(CODES)]
    assert not any(shipped_classifier.classify(photo).decision.is_safe for photo in photos)


def test_classify_blank_wall_is_rejected(shipped_classifier: Classifier) -> None:
    result = shipped_classifier.classify(draw_wall(width_px=600, height_px=450, seed=1), explain=True)
    photo = result.photos[0]
    assert (result.decision.status, result.probabilities, photo.probabilities) == ("rejected", None, None)
    assert photo.activations is None
    assert ReasonCode.NO_DETAIL in photo.rejections


def test_classify_several_photos_gives_the_mean_of_their_calibrated_logits(shipped_classifier: Classifier) -> None:
    photos = [draw(Scene(lesion="nv"), width_px=300, height_px=225, seed=seed) for seed in (1, 2, 3)]
    together = shipped_classifier.classify(*photos)
    alone = [shipped_classifier.classify(photo) for photo in photos]
    logs = np.mean([np.log(list((each.probabilities or {}).values())) for each in alone], axis=0)
    expected = np.exp(logs) / np.exp(logs).sum()
    assert list((together.probabilities or {}).values()) == pytest.approx(expected)
    assert [each.probabilities for each in together.photos] == [each.probabilities for each in alone]


def test_classify_unusable_photo_does_not_count_beside_a_usable_one(
    shipped_classifier: Classifier, lesion_rgb: NDArray[np.uint8]
) -> None:
    wall = draw_wall(width_px=600, height_px=450, seed=1)
    together = shipped_classifier.classify(wall, lesion_rgb)
    assert together.probabilities == shipped_classifier.classify(lesion_rgb).probabilities
    assert [bool(photo.rejections) for photo in together.photos] == [True, False]
    assert shipped_classifier.classify(wall, wall).decision.status == "rejected"


def test_classify_nothing_is_refused(shipped_classifier: Classifier) -> None:
    with pytest.raises(InferenceError):
        shipped_classifier.classify()


def test_classify_activations_only_when_asked(shipped_classifier: Classifier, lesion_rgb: NDArray[np.uint8]) -> None:
    assert shipped_classifier.classify(lesion_rgb).photos[0].activations is None
    activations = shipped_classifier.classify(lesion_rgb, explain=True).photos[0].activations
    assert activations is not None
    assert tuple(activations) == shipped_classifier.document.codes
    assert {grid.shape for grid in activations.values()} == {(6, 6)}


def test_classify_same_photo_from_eight_threads_gives_one_answer(lesion_rgb: NDArray[np.uint8]) -> None:
    classifier = load_classifier(SHIPPED_MODEL, pool_size=2)
    answers: list[float] = []

    def ask() -> None:
        for _ in range(5):
            probabilities = classifier.classify(lesion_rgb).probabilities
            assert probabilities is not None
            answers.append(probabilities["nv"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 40
    assert len(set(answers)) == 1


def test_runtime_busy_pool_says_so_in_time() -> None:
    runtime = LiteRtRuntime(SHIPPED_MODEL / "model.tflite", pool_size=1, timeout_s=0.01)
    with runtime._borrowed(), pytest.raises(InferenceBusy):
        runtime.run(np.zeros((1, 160, 160, 3), np.float32))


@pytest.mark.usefixtures("_ungated")
@pytest.mark.parametrize("lesion", ["mel", "nv", "bkl"])
def test_scaled_decode_answers_as_full_decode_within_the_bound(shipped_classifier: Classifier, lesion: str) -> None:
    scene = draw(Scene(lesion=lesion, hair=5), width_px=1200, height_px=900, seed=3)
    _, encoded = cv2.imencode(".jpg", cv2.resize(scene, (4000, 3000))[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    size_px = shipped_classifier.document.input.size_px
    scaled = read_photo(bytes(encoded), model_input_px=size_px).rgb
    full = read_photo(bytes(encoded), model_input_px=3000).rgb
    assert scaled.shape[0] < full.shape[0]
    first, second = (shipped_classifier.classify(rgb).probabilities for rgb in (scaled, full))
    assert first is not None
    assert second is not None
    assert max(abs(first[code] - second[code]) for code in CODES) < SCALED_DECODE_BOUND


@pytest.mark.shared_data
@pytest.mark.usefixtures("_ungated")
def test_scaled_decode_of_real_photos_stays_within_the_bound(shipped_classifier: Classifier, shared_data: Path) -> None:
    photos = sorted((shared_data / "HAM10000_original_resolution").glob("*.jpg"))
    assert photos
    for path in photos:
        data = path.read_bytes()
        answers = [
            shipped_classifier.classify(read_photo(data, model_input_px=size).rgb).probabilities
            for size in (shipped_classifier.document.input.size_px, 3000)
        ]
        first, second = answers
        assert first is not None
        assert second is not None
        assert max(abs(first[code] - second[code]) for code in CODES) < SCALED_DECODE_BOUND, path.name


@pytest.mark.shared_data
def test_real_photos_are_mostly_answered(shipped_classifier: Classifier, shared_data: Path) -> None:
    size_px = shipped_classifier.document.input.size_px
    paths = sorted((shared_data / "HAM10000_original_resolution").glob("*.jpg"))
    answers = [shipped_classifier.classify(read_photo(p.read_bytes(), model_input_px=size_px).rgb) for p in paths]
    assert sum(answer.decision.label in CODES for answer in answers) > len(paths) / 2
    assert all(answer.modality in (Modality.DERMATOSCOPIC, None) for answer in answers)


@pytest.mark.slow
def test_litert_agrees_with_keras_on_trained_weights(
    shipped_classifier: Classifier, keras_logits: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> None:
    from ml_models.preprocess import preprocess

    photos = [draw(Scene(lesion=code), width_px=300, height_px=225, seed=5) for code in CODES]
    inputs = np.stack([preprocess(photo, shipped_classifier.document.input) for photo in photos])
    seen = np.stack([shipped_classifier.classify(photo).photos[0].logits for photo in photos])
    assert np.abs(seen).max() > 1  # random weights give logits of .007, and agreeing on those proves nothing
    assert np.abs(seen - keras_logits(inputs)).max() < 1e-4 * np.abs(seen).max()
