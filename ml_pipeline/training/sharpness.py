"""Sharpness must not tell the class.

In the union of HAM10000 and ISIC 2019 as many people have it, rare classes have a sharp copy more often, and basal cell
carcinoma and melanoma mostly a soft one. A network learns that; then it calls sharp photos something rare.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_pipeline.data.records import Record

_SHARP_FROM_PX = 200  # between the small copies that go round (200 x 150) and the larger (from 224 px)
_FEWEST_PHOTOS = 20  # of a class whose share of sharp photos says anything
_SOFT_SIDES_PX = (110, 160)
_QUALITIES = (60, 90)


def softening(records: Sequence[Record]) -> NDArray[np.float64]:
    """How likely each photo is to be softened, [n], so that sharp photos are equally rare in every class.

    A photo is sharp when its short side has at least 200 px. Within a modality the share of sharp photos of each class
    is brought down to that of the class with the fewest; classes of fewer than 20 photos do not set the mark.
    """
    sharp = np.array([min(record.width_px, record.height_px) >= _SHARP_FROM_PX for record in records])
    modalities = np.array([record.modality for record in records])
    labels = np.array([record.label for record in records])
    chances = np.zeros(len(records))
    for modality in np.unique(modalities):
        classes = [(modalities == modality) & (labels == label) for label in np.unique(labels[modalities == modality])]
        fewest = min((sharp[rows].mean() for rows in classes if rows.sum() >= _FEWEST_PHOTOS), default=1.0)
        for rows in classes:
            if sharp[rows].any():
                chances[rows & sharp] = max(0.0, 1 - fewest / sharp[rows].mean())
    return chances


def soften(frame: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A frame uint8 [h, w, 3] as if it had been kept as a small JPEG: the same size, detail gone."""
    height, width = frame.shape[:2]
    factor = min(1.0, rng.uniform(*_SOFT_SIDES_PX) / min(height, width))
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    small = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    small = recompress(small, int(rng.integers(*_QUALITIES)))
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def recompress(frame: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """One JPEG round trip of a frame uint8 [h, w, 3]."""
    _, encoded = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), dtype=np.uint8)
