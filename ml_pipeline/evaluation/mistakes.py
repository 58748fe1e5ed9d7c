"""The worst mistakes as pictures. They show licensed photos: for a folder outside git only."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.plots import shown
from ml_pipeline.report_page.pictures import shrunk
from ml_pipeline.report_page.theme import LIGHT, style
from ml_pipeline.report_page.words import percent

_COLUMNS, _DPI, _TILE_INCH = 6, 100, (1.9, 2.05)
_LONG_SIDE_PX = 180
_MOST = 12
MISSED, SURE = "Malignant, not flagged", "Wrong, and most sure of it"
DOUBTED = "Malignant, most probably benign"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One photo with its truth, the answer, and the probability of each; codes as plots can write them."""

    image_id: str
    picture: NDArray[np.uint8]
    truth: str
    answer: str
    probability: float
    probability_of_truth: float
    malignant_probability: float | None


def worst_mistakes(answers: Answers, records: Sequence[Record], *, size_px: int) -> dict[str, tuple[Mistake, ...]]:
    """Under their headings, the malignant photos least suspected, and the wrong answers most sure of; one a lesion.

    Raises SourceError where a photo cannot be read any more.
    """
    chosen: dict[str, list[int]] = {}
    if answers.malignancy_known:
        without = answers.thresholds is None
        suspected = answers.malignant[answers.predicted] if without else answers.flagged
        heading = DOUBTED if without else MISSED
        chosen[heading] = _worst(
            1 - answers.malignant_probability, answers.is_malignant & ~suspected, answers.groups, shown=[]
        )
    wrong = answers.predicted != answers.labels
    chosen[SURE] = _worst(answers.probabilities.max(axis=1), wrong, answers.groups, shown=[*chosen.values()])
    return {
        heading: tuple(_mistake(answers, records[row], row, size_px) for row in rows)
        for heading, rows in chosen.items()
        if rows
    }


def montage(title: str, mistakes: dict[str, tuple[Mistake, ...]]) -> bytes:
    """All of them in one PNG, under their headings."""
    lines = {heading: -(-len(each) // _COLUMNS) for heading, each in mistakes.items()}
    height_inch = 0.45 + sum(0.35 + count * _TILE_INCH[1] for count in lines.values())
    buffer = io.BytesIO()
    with mpl.rc_context(style(LIGHT)):
        figure = Figure(figsize=(_COLUMNS * _TILE_INCH[0], height_inch), layout="constrained")
        figure.suptitle(title, fontsize=12)
        parts = figure.subfigures(max(1, len(lines)), 1, height_ratios=list(lines.values()) or None, squeeze=False)
        for part, (heading, each) in zip(parts[:, 0], mistakes.items(), strict=False):
            part.suptitle(heading, fontsize=10, x=0.01, ha="left", weight="bold")
            for axes, mistake in zip(_tiles(part, lines[heading]), each, strict=False):
                axes.imshow(mistake.picture)
                axes.set_title("\n".join(captions(mistake)), fontsize=7.5)
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def captions(mistake: Mistake) -> tuple[str, ...]:
    """Truth and answer, each with its probability, and that of malignancy."""
    lines = (
        f"true {mistake.truth} ({percent(mistake.probability_of_truth, 1)})",
        f"answered {mistake.answer} ({percent(mistake.probability, 1)})",
    )
    if mistake.malignant_probability is None:
        return lines
    return (*lines, f"malignant {percent(mistake.malignant_probability, 1)}")


def _tiles(part: SubFigure, lines: int) -> list[Axes]:
    tiles: list[Axes] = part.subplots(lines, _COLUMNS, squeeze=False).ravel().tolist()
    for axes in tiles:
        axes.axis("off")
    return tiles


def _worst(
    badness: NDArray[np.float64], mistaken: NDArray[np.bool_], groups: NDArray[np.str_], *, shown: Sequence[list[int]]
) -> list[int]:
    """Rows of the worst mistakes, the worst first, one of each lesion, without the lesions of rows already shown."""
    lesions = {str(groups[row]) for rows in shown for row in rows}
    found: list[int] = []
    for row in np.argsort(-badness, kind="stable").tolist():
        if len(found) < _MOST and mistaken[row] and str(groups[row]) not in lesions:
            lesions.add(str(groups[row]))
            found.append(row)
    return found


def _mistake(answers: Answers, record: Record, row: int, size_px: int) -> Mistake:
    names, truth, answer = shown(answers.codes), answers.labels[row], answers.predicted[row]
    return Mistake(
        record.image_id,
        shrunk(read_rgb(record, model_input_px=size_px), long_side_px=_LONG_SIDE_PX),
        names[truth],
        names[answer],
        float(answers.probabilities[row, answer]),
        float(answers.probabilities[row, truth]),
        float(answers.malignant_probability[row]) if answers.malignancy_known else None,
    )
