"""Plots of answers as PNG: confusion matrix, ROC curves, reliability. None shows a photo.

Class codes outside ASCII are numbered, since the plotting font lacks most scripts.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.metrics import calibration_error
from ml_pipeline.report_page.theme import DARK, LIGHT, Theme, style

Drawing = Callable[[Axes, Theme], None]

_DPI = 110
_SIZE_INCH = (6.2, 5.2)
_BINS = 10
_FEWEST_IN_BIN = 5  # fewer say nothing of an accuracy
_DARK_HALF = 0.5  # of the colour scale: numbers on it are light
_FACES = {LIGHT: "#ffffff", DARK: "#15181d"}
# Okabe and Ito (2008), whose black would vanish on dark pages; beyond seven classes lines are dashed
_COLOURS = ("#0072b2", "#d98200", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#9a8c00")


def png(draw: Drawing, theme: Theme = LIGHT) -> bytes:
    """The drawing as PNG; equal answers give equal bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context(style(theme)):
        figure = Figure(figsize=_SIZE_INCH, layout="constrained", facecolor=_FACES[theme])
        axes = figure.subplots()
        axes.set_facecolor(_FACES[theme])
        draw(axes, theme)
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def confusion(answers: Answers) -> Drawing:
    """Counts of true against answered classes, shaded by the share of the true class."""

    def draw(axes: Axes, theme: Theme) -> None:
        names = shown(answers.codes)
        counts = confusion_matrix(answers.labels, answers.predicted, labels=range(len(names)))
        shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
        scale = LinearSegmentedColormap.from_list("shares", [_FACES[theme], theme.first])
        axes.imshow(shares, cmap=scale, vmin=0, vmax=1, aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = _FACES[theme] if shares[row, column] > _DARK_HALF else theme.ink
                text = f"{count}\n{shares[row, column]:.0%}"
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8, linespacing=1.1)
        axes.set_xticks(range(len(names)), names, rotation=0 if max(map(len, names)) < 7 else 45)  # noqa: PLR2004 - what fits
        axes.set_yticks(range(len(names)), names)
        axes.grid(visible=False)
        axes.set(xlabel="answered", ylabel="true", title=f"{len(answers.labels)} photos, shares of each true class")

    return draw


def roc(answers: Answers) -> Drawing:
    """ROC curve of every class that the truth has against the rest, and of malignant against benign."""

    def draw(axes: Axes, theme: Theme) -> None:
        _diagonal(axes, theme)
        for index, name in enumerate(shown(answers.codes)):
            true = answers.labels == index
            if true.any() and not true.all():
                dashes = "-" if index < len(_COLOURS) else "--"
                colour = _COLOURS[index % len(_COLOURS)]
                _curve(axes, true, answers.probabilities[:, index], name, color=colour, lw=1.2, linestyle=dashes)
        malignant = answers.is_malignant
        if answers.malignancy_known and malignant.any() and not malignant.all():
            _curve(axes, malignant, answers.malignant_probability, "malignant", color=theme.ink, lw=2.6)
        axes.grid(visible=True, axis="both")
        axes.set(xlabel="1 - specificity", ylabel="sensitivity", title="Each class against the rest (area under it)")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower right", frameon=False)

    return draw


def malignant_roc(answers: Answers) -> Drawing:
    """ROC curve of the summed malignant probability."""

    def draw(axes: Axes, theme: Theme) -> None:
        _diagonal(axes, theme)
        codes = [name for name, is_one in zip(shown(answers.codes), answers.malignant, strict=True) if is_one]
        malignant = answers.is_malignant
        if malignant.any() and not malignant.all():
            _curve(axes, malignant, answers.malignant_probability, "malignant", color=theme.first, lw=1.8)
            axes.legend(loc="lower right", frameon=False)
        title = f"Malignant ({', '.join(codes) or 'none known'}) against benign"
        axes.grid(visible=True, axis="both")
        axes.set(xlabel="1 - specificity", ylabel="sensitivity", title=title)

    return draw


def reliability(answers: Answers, before: Answers | None = None) -> Drawing:
    """Accuracy against top probability in ten bins; `before` are the answers without calibration."""

    def draw(axes: Axes, theme: Theme) -> None:
        axes.plot([0, 1], [0, 1], color=theme.faint, linestyle="--", lw=1)
        if before is not None:
            _bins(axes, before, "before calibration", color=theme.second, marker="s", lw=1.2)
        name = "as answered" if before is None else "calibrated"
        places = _bins(axes, answers, name, color=theme.first, marker="o", lw=1.8)
        for x, y, count in places:
            axes.annotate(f"{count:.0f}", (x, y), textcoords="offset points", xytext=(6, -11), fontsize=8)
        axes.grid(visible=True, axis="both")
        axes.set(
            xlabel="top probability",
            ylabel="accuracy",
            title="Accuracy by top probability (numbers: photos)",
            xlim=(0, 1),
            ylim=(0, 1),
        )
        axes.set(xlim=(0, 1), ylim=(0, 1))
        axes.legend(loc="upper left", frameon=False)

    return draw


def shown(codes: Sequence[str]) -> list[str]:
    """Class codes as plots can write them."""
    return [code if code.isascii() else f"class {number}" for number, code in enumerate(codes, start=1)]


def _diagonal(axes: Axes, theme: Theme) -> None:
    axes.plot([0, 1], [0, 1], color=theme.faint, linestyle="--", lw=1)


def _curve(axes: Axes, true: NDArray[np.bool_], score: NDArray[np.float64], name: str, **line: Any) -> None:
    false_positive, true_positive, _ = roc_curve(true, score)
    axes.plot(false_positive, true_positive, label=f"{name} ({roc_auc_score(true, score):.3f})", **line)


def _bins(axes: Axes, answers: Answers, name: str, **line: Any) -> NDArray[np.float64]:
    """Draw the bins that hold enough photos; their top probability, accuracy and number of photos, [bins, 3]."""
    confidence = answers.probabilities.max(axis=1)
    index = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    counts = np.bincount(index, minlength=_BINS)
    seen = counts >= _FEWEST_IN_BIN
    means = [
        np.bincount(index, weights=values, minlength=_BINS)[seen] / counts[seen]
        for values in (confidence, answers.predicted == answers.labels)
    ]
    error = calibration_error(answers.probabilities, answers.labels)
    axes.plot(*means, label=f"{name} (expected calibration error {error:.3f})", **line)
    return np.column_stack([*means, counts[seen]])
