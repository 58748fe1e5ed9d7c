"""From the log to the candidates that a policy puts in order."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from numpy.typing import NDArray

from api.guidance.matcher import label_of
from api.models import Prediction, PredictionImage
from api.reviews.models import Review
from api.reviews.policies import Candidate, PolicyName, Pool
from ml_models.classification import Status

MAX_CANDIDATES = 2000  # decoding this many rows takes about 50 ms
_MAX_READ = 2000

# What may come first is looked for in the whole log; the rest of the pool is its newest part.
_FIRST: dict[PolicyName, tuple[Any, ...]] = {
    PolicyName.PRIORITY: (F("suspicious").desc(),),
    PolicyName.SUSPICIOUS: (F("suspicious").desc(), F("malignant_probability").desc(nulls_last=True)),
    PolicyName.UNCERTAIN: (F("status").desc(),),  # uncertain, rejected, ok
}


def pool_of(predictions: QuerySet[Prediction], *, policy: PolicyName) -> Pool:
    """At most 2,000 candidates, with what the policy looks at."""
    wants_features = policy is PolicyName.DIVERSITY
    rows = predictions.order_by(*_FIRST.get(policy, ()), "-created_at", "-pk").select_related("remark")
    if wants_features:
        first_photo = PredictionImage.objects.filter(prediction=OuterRef("pk")).order_by("position")
        rows = rows.annotate(embedding=Subquery(first_photo.values("embedding")[:1]))
    if policy is PolicyName.RANDOM:
        rows = rows.order_by("?")
    found = list(rows[:MAX_CANDIDATES])
    disagreeing = contradicted(found) if policy in (PolicyName.PRIORITY, PolicyName.DISAGREEING) else set()
    candidates = [
        Candidate(
            prediction_id=row.pk,
            is_suspicious=row.suspicious,
            is_uncertain=row.status == Status.UNCERTAIN.value,
            disagrees=row.pk in disagreeing,
            malignant_probability=row.malignant_probability,
            probabilities=row.probabilities,
            model_digest=row.model_digest,
            embedding=_vector(getattr(row, "embedding", None)),
        )
        for row in found
    ]
    return Pool(candidates, _read_embeddings() if wants_features else {})


def contradicted(predictions: Sequence[Prediction]) -> set[UUID]:
    """Which of these answers something in the log contradicts.

    The person's remark names another class; the photos of one prediction show different ones; or another model
    answered the same photo otherwise.
    """
    said = {row.pk for row in predictions if (named := _named_class(row)) and named != row.label}
    images = PredictionImage.objects.filter(prediction__in=[row.pk for row in predictions]).select_related("prediction")
    tops: dict[UUID, set[str]] = defaultdict(set)
    by_photo: dict[str, list[Prediction]] = defaultdict(list)
    for image in images.defer("embedding", "activations"):
        if image.probabilities:
            tops[image.prediction_id].add(max(image.probabilities, key=image.probabilities.__getitem__))
        by_photo[image.content_sha256].append(image.prediction)
    differing = {prediction_id for prediction_id, labels in tops.items() if len(labels) > 1}
    return said | differing | _answered_otherwise(by_photo)


def _answered_otherwise(by_photo: dict[str, list[Prediction]]) -> set[UUID]:
    rows = PredictionImage.objects.filter(content_sha256__in=by_photo).values_list(
        "content_sha256", "prediction__model_digest", "prediction__label"
    )
    answers: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for photo, digest, label in rows:
        answers[photo].add((digest, label))
    return {
        prediction.pk
        for photo, predictions in by_photo.items()
        for prediction in predictions
        if any(digest != prediction.model_digest and label != prediction.label for digest, label in answers[photo])
    }


def _named_class(prediction: Prediction) -> str | None:
    remark = getattr(prediction, "remark", None)
    return label_of(remark.text) if remark else None


def _read_embeddings() -> dict[str, NDArray[np.float32]]:
    """Features of the photos that were read last, by model."""
    read = Review.objects.order_by().values("case").distinct()
    images = PredictionImage.objects.filter(Q(position=0), prediction__in=read, embedding__isnull=False)
    rows = images.order_by("-prediction__created_at").values_list("prediction__model_digest", "embedding")[:_MAX_READ]
    return _stacked(rows)


def _stacked(rows: Iterable[tuple[str, Any]]) -> dict[str, NDArray[np.float32]]:
    vectors: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    for digest, raw in rows:
        vector = _vector(raw)
        if vector is not None:
            vectors[digest].append(vector)
    return {digest: np.stack(found) for digest, found in vectors.items()}


def _vector(raw: Any) -> NDArray[np.float32] | None:
    return None if raw is None else np.frombuffer(bytes(raw), dtype="<f4")
