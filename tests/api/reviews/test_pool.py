"""Candidates read from the log, and what contradicts an answer there."""

import numpy as np
import pytest

from api.models import Prediction, PredictionImage
from api.reviews.policies import PolicyName
from api.reviews.pool import contradicted, pool_of
from api.services.history import remark_on
from tests.api.reviews.conftest import probabilities, read

pytestmark = pytest.mark.django_db


def found() -> set[Prediction]:
    ids = contradicted(list(Prediction.objects.select_related("remark")))
    return set(Prediction.objects.filter(pk__in=ids))


def test_contradicted_by_a_remark_that_names_another_class(make_prediction):
    contradicts, agrees, says_nothing = (make_prediction(label="nv") for _ in range(3))
    for index, (prediction, text) in enumerate(
        [
            (contradicts, "The doctor found a melanoma."),
            (agrees, "The doctor says it is a mole."),
            (says_nothing, "Thanks!"),
        ]
    ):
        prediction.images.update(content_sha256=f"{index}" * 64)
        remark_on(prediction=prediction, text=text)
    assert found() == {contradicts}


def test_contradicted_by_photos_that_show_different_classes(make_prediction):
    prediction = make_prediction()
    image = prediction.images.get()
    image.probabilities = probabilities(nv=0.9)
    image.save()
    PredictionImage.objects.create(
        prediction=prediction, position=1, photo=image.photo.name, content_sha256="c" * 64, format="jpeg",
        width_px=600, height_px=450, probabilities=probabilities(nv=0.8),
    )  # fmt: skip
    assert found() == set()
    PredictionImage.objects.filter(position=1).update(probabilities=probabilities(mel=0.9))
    assert found() == {prediction}


@pytest.mark.parametrize(
    ("other", "is_contradicted"),
    [
        ({"label": "mel", "model_digest": "e" * 64}, True),
        ({"label": "nv", "model_digest": "e" * 64}, False),
        ({"label": "mel"}, False),
        ({"label": "mel", "model_digest": "e" * 64, "content_sha256": "b2" * 32}, False),
    ],
    ids=["another model", "the same answer", "the same model", "another photo"],
)
def test_contradicted_by_another_model_on_the_same_photo(make_prediction, other, is_contradicted: bool):  # noqa: FBT001
    prediction = make_prediction(label="nv")
    make_prediction(**other)
    assert (prediction in found()) is is_contradicted


def test_contradicted_costs_the_same_queries_for_many_rows(make_prediction, django_assert_max_num_queries):
    rows = [make_prediction() for _ in range(10)]
    with django_assert_max_num_queries(3):
        contradicted(Prediction.objects.filter(pk__in=[row.pk for row in rows]).select_related("remark"))


def test_pool_for_diversity_has_the_features_of_what_is_left_and_of_what_was_read(anna, make_prediction):
    left, was_read = make_prediction(), make_prediction()
    for prediction, vector in ((left, [1, 2]), (was_read, [3, 4])):
        prediction.images.update(embedding=np.array(vector, "<f4").tobytes())
    read(was_read, anna)
    pool = pool_of(Prediction.objects.filter(pk=left.pk), policy=PolicyName.DIVERSITY)
    assert [list(each.embedding) for each in pool.candidates] == [[1, 2]]
    assert pool.read_embeddings["d" * 64].tolist() == [[3, 4]]


def test_pool_finds_suspicious_answers_behind_many_newer_ones(make_prediction, monkeypatch):
    monkeypatch.setattr("api.reviews.pool.MAX_CANDIDATES", 2)
    old = make_prediction(days_old=20, suspicious=True)
    for _ in range(4):
        make_prediction()
    for policy in (PolicyName.PRIORITY, PolicyName.SUSPICIOUS):
        pool = pool_of(Prediction.objects.all(), policy=policy)
        assert (len(pool.candidates), pool.candidates[0].prediction_id) == (2, old.pk)
