"""Whether several photos of one lesion are answered better together than each alone: a paired test by lesion."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_models.classification import Modality, Status
from ml_models.classifier import Classifier
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.bootstrap import DRAWS, Estimate, estimate_mean, estimate_share
from ml_pipeline.progress import Progress, silence

MOST_PHOTOS = 5  # in one request


@dataclass(frozen=True, slots=True)
class FusionFigure:
    """One figure: the mean over the lesion's photos alone, all together, and the paired difference."""

    name: str
    lesions: int
    alone: Estimate
    together: Estimate
    gain: Estimate


@dataclass(frozen=True, slots=True)
class Fusion:
    """Lesions of one modality with several photos; `photos` of them were asked."""

    modality: Modality
    lesions: int
    photos: int
    figures: tuple[FusionFigure, ...]


def lesions_with_several_photos(records: Sequence[Record], modality: Modality) -> list[tuple[Record, ...]]:
    """Different photos of one lesion, by its id, of one label and modality; of more than five the first five.

    Copies of one picture count once. A photo whose lesion is not known is left out.
    """
    lesions: dict[tuple[str, str], dict[str, Record]] = defaultdict(dict)
    for record in records:
        if record.modality is modality and record.lesion_id:
            lesions[record.lesion_id, record.label].setdefault(record.cluster or record.image_id, record)
    return [tuple(photos.values())[:MOST_PHOTOS] for photos in lesions.values() if len(photos) > 1]


def measure_fusion(
    classifier: Classifier, lesions: Sequence[Sequence[Record]], *, progress: Progress = silence
) -> Fusion:
    """Ask about every lesion's photos together, and about each alone. Raises PipelineError for no lesions."""
    if not lesions:
        raise PipelineError("No lesion has several photos there. Choose another split or modality.")
    size_px, codes = classifier.document.input.size_px, classifier.document.codes
    malignant = {label.code for label in classifier.document.labels if label.malignant}
    rows = []
    for photos in progress(lesions, what="lesions", total=len(lesions), unit="lesions"):
        rgbs = [read_rgb(record, model_input_px=size_px) for record in photos]
        alone, together = [classifier.classify(rgb) for rgb in rgbs], classifier.classify(*rgbs)
        label = photos[0].label
        rows.append(
            [
                np.mean([each.decision.label == label for each in alone]),
                together.decision.label == label,
                np.mean([each.decision.malignancy.suspicious for each in alone]),
                together.decision.malignancy.suspicious,
                np.mean([each.decision.status is Status.OK for each in alone]),
                together.decision.status is Status.OK,
                np.mean([each.decision.status is Status.REJECTED for each in alone]),
                together.decision.status is Status.REJECTED,
                np.mean([each.decision.is_safe for each in alone]),
                together.decision.is_safe,
            ]
        )
    values = np.array(rows, dtype=float)
    labels = np.array([photos[0].label for photos in lesions])
    is_malignant = np.array([label in malignant for label in labels])
    groups = np.array([photos[0].group for photos in lesions])
    everything = np.ones(len(lesions), bool)
    balanced = np.zeros(len(lesions))
    for code in codes:
        own = labels == code
        balanced[own] = 1 / max(1, own.sum())
    figures = [
        _figure("accuracy", values[:, :2], groups, everything),
        _figure("balanced accuracy", values[:, :2], groups, everything, balanced / balanced.mean()),
        _figure("malignant lesions flagged", values[:, 2:4], groups, is_malignant),
        _figure("benign lesions flagged", values[:, 2:4], groups, ~is_malignant),
        _figure("status ok", values[:, 4:6], groups, everything),
        _figure("rejected", values[:, 6:8], groups, everything),
        _figure("malignant lesions called safe", values[:, 8:], groups, is_malignant),
    ]
    return Fusion(
        lesions[0][0].modality,
        len(lesions),
        sum(map(len, lesions)),
        tuple(each for each in figures if each is not None),
    )


def printed_fusion(fusion: Fusion) -> str:
    """A markdown table."""
    lines = [
        (
            f"{fusion.modality}: {fusion.lesions} lesions with {fusion.photos} photos; 95 % bootstrap by lesion, "
            f"{DRAWS} draws"
        ),
        "",
        "| | lesions | one photo | all photos | gain, paired |",
        "|---|---|---|---|---|",
    ]
    rows = (f"| {row.name} | {row.lesions} | {row.alone} | {row.together} | {row.gain} |" for row in fusion.figures)
    return "\n".join([*lines, *rows])


def _figure(
    name: str,
    values: NDArray[np.float64],
    groups: NDArray[np.str_],
    rows: NDArray[np.bool_],
    weights: NDArray[np.float64] | None = None,
) -> FusionFigure | None:
    """Of values [n, 2], alone and together; None where no lesion counts."""
    if not rows.any():
        return None
    weighed = values[rows] * (1 if weights is None else weights[rows, np.newaxis])
    estimated = estimate_share if weights is None else estimate_mean
    alone, together = (estimated(each, groups[rows]) for each in weighed.T)
    gain = estimate_mean(weighed[:, 1] - weighed[:, 0], groups[rows])
    return FusionFigure(name, int(rows.sum()), alone, together, gain)
