"""Whether class activation maps lie on the lesion: measured against outlines that the model never saw.

Beside the maps stand two that know nothing of it: a blob in the centre, where lesions mostly lie, and the maps of the
same network with random weights, which must have nothing in common with the real ones (Adebayo 2018, Sanity Checks
for Saliency Maps). It reads maps and masks, and knows no model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import spearmanr

from ml_models.explanation import spread
from ml_models.preprocess import frame_box
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.source import canonical_id, photos_below
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.bootstrap import DRAWS, Estimate, estimate_mean

MODEL, CENTRE, RANDOM = "model", "blob in the centre", "random weights"
_BLOB_SD = 0.25  # of each side; about the extent of a lesion that fills the middle of the frame
_ASPECT_TOLERANCE = 0.02


class Figure(StrEnum):
    """What is measured of a map."""

    POINTING = "peak inside the lesion"  # Zhang 2018, without their tolerance of 15 pixels
    ENERGY = "energy inside the lesion"  # Wang 2020
    CORRELATION = "rank correlation with the model's map"  # Spearman, over the cells


@dataclass(frozen=True, slots=True)
class MaskedPhoto:
    """A record and its lesion, bool [h, w], within the frame that the model sees."""

    record: Record
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MaskedPhotos:
    """Photos with an outline, and how many have none or one that does not fit."""

    photos: tuple[MaskedPhoto, ...]
    without_mask: int
    misfits: int


@dataclass(frozen=True, slots=True)
class Saliency:
    """Figures of each kind of map; `gains` are the model's over the others, paired.

    Random weights are judged by the mean over their networks; `network_correlations` are those of each.
    """

    photos: int
    lesions: int
    lesion_share: Estimate
    figures: Mapping[str, Mapping[Figure, Estimate]]
    gains: Mapping[str, Mapping[Figure, Estimate]]
    network_correlations: tuple[float, ...]


def masked_photos(records: Sequence[Record], folder: Path, *, limit: int | None = None, seed: int = 0) -> MaskedPhotos:
    """The records with a mask of the whole photo below a folder; at most `limit`, drawn with `seed`, in their order.

    Masks are named after the photos. A photo that is framed otherwise than its mask, such as a crop, is left out: the
    lesion lies elsewhere in it. Raises PipelineError when none is left.
    """
    if not folder.is_dir():
        raise PipelineError(f"No folder {folder}. Give one with lesion masks named after the photos, as PNG.")
    masks = {canonical_id(path.stem): path for path in photos_below(folder)}
    known = [record for record in records if record.image_id in masks]
    without_mask = len(records) - len(known)
    if limit is not None and limit < len(known):
        rows = np.random.default_rng(seed).choice(len(known), limit, replace=False)
        known = [known[row] for row in sorted(rows)]
    found = [(record, _mask(masks[record.image_id])) for record in known]
    photos = tuple(
        MaskedPhoto(record, mask[frame_box(*mask.shape)] > 0) for record, mask in found if _fits(mask, record)
    )
    if not photos:
        raise PipelineError(
            f"None of {len(records)} photos can be judged by {folder}: {without_mask} have no mask there, {len(known)} "
            "one that is empty or of other proportions. Give masks of whole photos, named after them."
        )
    return MaskedPhotos(photos, without_mask, len(known) - len(photos))


def measure_saliency(
    photos: Sequence[MaskedPhoto], maps: NDArray[np.float32], random_maps: NDArray[np.float32]
) -> Saliency:
    """Judge maps in 0-1 [n, grid, grid] and those of networks with random weights [networks, n, grid, grid]."""
    groups = np.array([photo.record.group for photo in photos])
    blob = np.broadcast_to(centre_blob(maps.shape[1]), maps.shape)
    networks = np.array([_values(photos, each, maps) for each in random_maps])
    values = {
        MODEL: _values(photos, maps, maps),
        CENTRE: _values(photos, blob, maps),
        RANDOM: networks.mean(axis=0),
    }
    shares = np.array([photo.mask.mean() for photo in photos])
    return Saliency(
        photos=len(photos),
        lesions=len(np.unique(groups)),
        lesion_share=estimate_mean(shares, groups),
        figures={MODEL: _estimates(values[MODEL][:-1], groups)}  # its correlation with itself says nothing
        | {kind: _estimates(values[kind], groups) for kind in (CENTRE, RANDOM)},
        gains={kind: _estimates((values[MODEL] - values[kind])[:-1], groups) for kind in (CENTRE, RANDOM)},
        network_correlations=tuple(networks[:, -1].mean(axis=1).tolist()),
    )


def centre_blob(grid: int) -> NDArray[np.float32]:
    """A Gaussian of a quarter of the side around the centre, its peak 1; float32 [grid, grid]."""
    positions = (np.arange(grid) + 0.5) / grid - 0.5
    bell = np.exp(-(positions**2) / (2 * _BLOB_SD**2))
    blob = np.outer(bell, bell)
    return np.asarray(blob / blob.max(), dtype=np.float32)


def peak_is_inside(grid: NDArray[np.float32], mask: NDArray[np.bool_]) -> bool:
    """Whether the highest point of the map, drawn over the frame, lies on the lesion; False for a map of zeros."""
    shown = spread(grid, height=mask.shape[0], width=mask.shape[1])
    return bool(shown.any() and mask.ravel()[shown.argmax()])


def energy_inside(grid: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The share of the drawn map that lies on the lesion; 0 for a map of zeros, the lesion's share for an even one."""
    shown = spread(grid, height=mask.shape[0], width=mask.shape[1])
    total = float(shown.sum())
    return float(shown[mask].sum()) / total if total > 0 else 0.0


def rank_correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Spearman's, over the cells; 0 where one of the two is the same everywhere."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first.ravel(), second.ravel()).statistic)


def printed_saliency(saliency: Saliency) -> str:
    """A markdown table for a terminal or a document."""
    lines = [
        f"{saliency.photos} photos of {saliency.lesions} lesions; 95 % bootstrap by lesion, {DRAWS} draws",
        f"the lesion's share of the frame: {saliency.lesion_share}",
        "",
        f"| | {' | '.join(Figure)} |",
        f"| :-- |{' --: |' * len(Figure)}",
    ]
    lines += [_row(kind, figures) for kind, figures in saliency.figures.items()]
    lines += [_row(f"model less {kind}", figures) for kind, figures in saliency.gains.items()]
    each = ", ".join(f"{correlation:+.3f}" for correlation in saliency.network_correlations)
    return "\n".join([*lines, "", f"rank correlation of each network with random weights: {each}"])


def _row(name: str, figures: Mapping[Figure, Estimate]) -> str:
    return f"| {name} | {' | '.join(str(figures.get(figure, '')) for figure in Figure)} |"


def _values(photos: Sequence[MaskedPhoto], maps: NDArray[np.float32], real: NDArray[np.float32]) -> NDArray[np.float64]:
    """Every figure of every photo, [figures, n]."""
    return np.array(
        [
            [peak_is_inside(grid, photo.mask) for photo, grid in zip(photos, maps, strict=True)],
            [energy_inside(grid, photo.mask) for photo, grid in zip(photos, maps, strict=True)],
            [rank_correlation(grid, other) for grid, other in zip(maps, real, strict=True)],
        ],
        dtype=np.float64,
    )


def _estimates(values: NDArray[np.float64], groups: NDArray[np.str_]) -> dict[Figure, Estimate]:
    return {figure: estimate_mean(row, groups) for figure, row in zip(Figure, values, strict=False)}


def _mask(path: Path) -> NDArray[np.uint8]:
    """Uint8 [h, w]: 0 beside the lesion."""
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise PipelineError(f"{path} is not a PNG that can be read. Restore it, or take it away.")
    return np.asarray(mask, np.uint8)


def _fits(mask: NDArray[np.uint8], record: Record) -> bool:
    height, width = mask.shape
    with Image.open(record.path) as photo:  # a copy of a record's photo may have another size than the record says
        ratio = width / height * photo.height / photo.width
    return bool(mask.any()) and abs(ratio - 1) <= _ASPECT_TOLERANCE
