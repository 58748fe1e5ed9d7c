"""Fitting the network's heads on its finished features: which kind of photo it is, and where in it the lesion lies.

Nothing of the classifier changes. The heads become part of the exported network, so that a phone has them too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from ml_models.classification import Modality
from ml_models.heads import COVERAGE, KIND_ORDER, KINDS
from ml_models.preprocess import InputSpec, crop_to_frame, preprocess
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record, Split
from ml_pipeline.evaluation.saliency import masked_photos
from ml_pipeline.gating.degradations import DEGRADATIONS, Photo, cut_off, from_afar
from ml_pipeline.gating.negatives import (
    Negatives,
    drawn_lesions,
    drawn_negatives,
    read_negative,
    skin_beside,
    views,
)
from ml_pipeline.progress import Progress, silence
from ml_pipeline.training.backbones import FEATURE_MAP, POOLED, with_feature_map

_BATCH = 64
_DRAWN, _MASKED, _DEGRADED, _VIEWS = 400, 1500, 1500, 8
_REGULARISATION = 0.01  # C of the logistic regression on standardised features
_RIDGE = 100.0
_MILD_GRADES = 3
_HALF = 127
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """Float32 weights over channels features.

    `kinds` [channels, 3] and its bias [3], `coverage` [channels, 1] and its bias [1].
    """

    kinds: NDArray[np.float32]
    kinds_bias: NDArray[np.float32]
    coverage: NDArray[np.float32]
    coverage_bias: NDArray[np.float32]


def with_heads(model: keras.Model, weights: HeadWeights) -> keras.Model:
    """The classifier with the outputs of `with_feature_map` and those of the heads."""
    features, pooled = model.get_layer(FEATURE_MAP).output, model.get_layer(POOLED).output
    kinds = keras.layers.Dense(len(KIND_ORDER), name=KINDS)
    coverage = keras.layers.Conv2D(1, 1, name=COVERAGE)
    outputs = {**with_feature_map(model).output, KINDS: kinds(pooled), COVERAGE: coverage(features)}
    extended = keras.Model(model.inputs[0], outputs)
    kinds.set_weights([weights.kinds, weights.kinds_bias])
    coverage.set_weights([weights.coverage[np.newaxis, np.newaxis], weights.coverage_bias])
    return extended


@dataclass(frozen=True, slots=True)
class HeadPhotos:
    """What heads are fitted on: training records, sources of photos without a lesion, outlines of the records'."""

    training: Sequence[Record]
    negatives: Sequence[Negatives]
    masks: Path
    size_px: int


def fit_heads(
    model: keras.Model, photos: HeadPhotos, pooled: NDArray[np.float32], *, seed: int, progress: Progress = silence
) -> HeadWeights:
    """Fit the heads on training photos; `pooled` are the features [n, channels] of the training records.

    Kinds: logistic regression, each kind with the same weight. Coverage: ridge regression of the share of each cell
    that the outlined lesion covers.
    """
    spec = InputSpec(photos.size_px)
    extractor = keras.Model(model.inputs[0], [model.get_layer(POOLED).output, model.get_layer(FEATURE_MAP).output])

    def features(made: Iterable[Photo]) -> NDArray[np.float32]:
        parts = [np.asarray(extractor(inputs, training=False)[0]) for inputs in _inputs(made, spec)]
        return np.concatenate([pooled[:0], *parts])

    lesions, outlined = _drawn_from(photos.training, _DEGRADED, seed), _outlined(photos, seed)
    parts: tuple[tuple[Iterator[Photo], Sequence[Modality | None]], ...] = (
        (_taken_badly(lesions, spec, seed), [record.modality for record in lesions]),
        (drawn_lesions(count=_DRAWN, seed=seed), [Modality.DERMATOSCOPIC] * _DRAWN),
        (_without_lesion(photos.negatives, spec, seed), ()),
        (drawn_negatives(count=_DRAWN, seed=seed), ()),
        (_skin_beside(outlined, seed), ()),
    )
    known, kinds = [pooled], [np.array([KIND_ORDER.index(record.modality) for record in photos.training])]
    for made, modalities in progress(parts, what="reading photos for the heads", total=len(parts), unit="kinds"):
        found = features(made)
        known.append(found)
        kinds.append(np.array([KIND_ORDER.index(each) for each in modalities or [None] * len(found)], dtype=int))
    arrays = (
        *_fit_kinds(np.concatenate(known), np.concatenate(kinds)),
        *_fit_coverage(extractor, outlined, spec),
    )
    return HeadWeights(*(np.asarray(each, np.float32) for each in arrays))


@dataclass(frozen=True, slots=True)
class _Outlined:
    """A photo uint8 [h, w, 3] within the frame that the model sees, and its lesion bool [h, w]."""

    photo: Photo
    lesion: NDArray[np.bool_]


def _fit_kinds(features: NDArray[np.float32], kinds: NDArray[np.int_]) -> tuple[NDArray[np.float64], ...]:
    """Weights [channels, 3] and bias [3] on features as they are."""
    scaler = StandardScaler().fit(features)
    head = LogisticRegression(C=_REGULARISATION, class_weight="balanced", max_iter=2000)
    head.fit(scaler.transform(features), kinds)
    weights = head.coef_.T / scaler.scale_[:, np.newaxis]
    return weights, head.intercept_ - scaler.mean_ @ weights


def _fit_coverage(
    extractor: keras.Model, outlined: Sequence[_Outlined], spec: InputSpec
) -> tuple[NDArray[np.float64], ...]:
    """Weights [channels, 1] and bias [1] of the share of each cell that the lesion covers."""
    made = [variant for photo in outlined for variant in _moved(photo)]
    cells, shares = [], []
    for part in _parts(made):
        inputs = np.stack([preprocess(photo, spec) for photo, _ in part])
        maps = np.asarray(extractor(inputs, training=False)[1])
        size = maps.shape[2], maps.shape[1]
        cells.append(maps.reshape(-1, maps.shape[-1]))
        shares += [cv2.resize(mask, size, interpolation=cv2.INTER_AREA).ravel() for _, mask in part]
    head = Ridge(alpha=_RIDGE, copy_X=False).fit(np.concatenate(cells), np.concatenate(shares))
    return head.coef_[:, np.newaxis], np.atleast_1d(head.intercept_)


def _inputs(photos: Iterable[Photo], spec: InputSpec) -> Iterator[NDArray[np.float32]]:
    for part in _parts(photos):
        yield np.stack([preprocess(photo, spec) for photo in part])


def _parts(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    iterator = iter(items)
    while part := tuple(islice(iterator, _BATCH)):
        yield part


def _drawn_from(records: Sequence[Record], count: int, seed: int) -> list[Record]:
    """At most so many records, half of them clinical where there are enough."""
    rng = np.random.default_rng(seed)
    chosen: list[Record] = []
    for modality in Modality:
        own = [record for record in records if record.modality is modality]
        rows = rng.permutation(len(own))[: count // 2]
        chosen += [own[row] for row in sorted(rows)]
    return chosen


def _taken_badly(records: Sequence[Record], spec: InputSpec, seed: int) -> Iterator[Photo]:
    """Each photo with one of its mild degradations: a bad photo of a lesion still is one."""
    rng = np.random.default_rng(seed)
    for record in records:
        degradation = DEGRADATIONS[rng.integers(len(DEGRADATIONS))]
        strength = degradation.strengths[rng.integers(_MILD_GRADES)]
        yield degradation.apply(read_rgb(record, model_input_px=spec.size_px), strength)


def _without_lesion(sources: Sequence[Negatives], spec: InputSpec, seed: int) -> Iterator[Photo]:
    rng = np.random.default_rng(seed)
    for source in sources:
        for path in source.of_split(Split.TRAIN):
            photo = read_negative(path, model_input_px=spec.size_px)
            yield photo
            yield from views(photo, count=_VIEWS, rng=rng)


def _outlined(photos: HeadPhotos, seed: int) -> list[_Outlined]:
    """Training photos that have an outline."""
    found = masked_photos(photos.training, photos.masks, limit=_MASKED, seed=seed).photos
    outlined = []
    for each in found:
        frame = crop_to_frame(read_rgb(each.record, model_input_px=photos.size_px))
        size = frame.shape[1], frame.shape[0]
        mask = cv2.resize(each.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        outlined.append(_Outlined(frame, mask))
    return outlined


def _skin_beside(outlined: Sequence[_Outlined], seed: int) -> Iterator[Photo]:
    rng = np.random.default_rng(seed)
    for each in outlined:
        patch = skin_beside(each.photo, each.lesion, rng=rng)
        if patch is not None:
            yield patch


def _moved(each: _Outlined) -> Iterator[tuple[Photo, NDArray[np.float32]]]:
    """The photo, from afar and cut off, each with the lesion's share 0-1 of every pixel."""
    mask = np.repeat(each.lesion.astype(np.uint8)[..., np.newaxis] * 255, 3, axis=2)
    for change in (lambda photo: photo, partial(from_afar, scale=0.5), partial(cut_off, share=0.3)):
        yield change(each.photo), np.asarray(change(mask)[..., 0] > _HALF, np.float32)
