"""Many writers on a database file, as a server with threads has them."""

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from numpy.typing import NDArray

from api.models import Prediction, PredictionImage
from api.services.retention import purge_expired
from tests.api.conftest import stored_files
from tests.threads import WRITERS, in_threads

EACH = 4


@pytest.mark.usefixtures("file_database")
def test_predict_from_many_threads_answers_and_logs_every_photo(predict: Callable[..., Any], media_root: Path):
    def post() -> list[int]:
        client = Client()
        return [predict(client).status_code for _ in range(EACH)]

    statuses = [status for answers in in_threads(post) for status in answers]
    assert statuses == [200] * (WRITERS * EACH)
    assert Prediction.objects.count() == WRITERS * EACH
    assert {Path(image.photo.path) for image in PredictionImage.objects.all()} == set(stored_files(media_root))
    assert len(stored_files(media_root)) == WRITERS * EACH


@pytest.mark.usefixtures("file_database")
def test_predict_different_photos_at_once_do_not_mix(
    predict: Callable[..., Any], encode: Callable[..., bytes], lesion_rgb: NDArray[np.uint8]
):
    """One interpreter that serves two threads answers one of them with the other's photo, or fails."""
    photos = [encode("PNG", np.roll(lesion_rgb, 50 * turn, axis=1)) for turn in range(WRITERS)]
    alone = [predict(Client(), image=photo).json()["probabilities"] for photo in photos]
    waiting = queue.SimpleQueue[int]()
    for turn in range(WRITERS):
        waiting.put(turn)

    def post() -> None:
        turn = waiting.get()
        for _ in range(EACH):
            assert predict(Client(), image=photos[turn]).json()["probabilities"] == alone[turn]

    in_threads(post)


@pytest.mark.usefixtures("file_database")
def test_purge_beside_writers_removes_what_is_old_and_nothing_else(
    predict: Callable[..., Any], make_prediction: Callable[..., Prediction], media_root: Path
):
    """Purging reads before it writes: without IMMEDIATE transactions it could not wait for the lock."""
    old = [make_prediction(days_old=31).pk for _ in range(WRITERS)]

    def work() -> int:
        purge_expired(now=timezone.now())
        return predict(Client()).status_code

    assert in_threads(work) == [200] * WRITERS
    assert not Prediction.objects.filter(pk__in=old).exists()
    assert Prediction.objects.count() == WRITERS
    assert {Path(image.photo.path) for image in PredictionImage.objects.all()} == set(stored_files(media_root))
