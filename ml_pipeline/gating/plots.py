"""Plots of the gates as PNG; none shows a photo."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes

from ml_models.classification import Modality
from ml_pipeline.evaluation.plots import Drawing, png
from ml_pipeline.evaluation.served import Served
from ml_pipeline.gating.choose import GatingChoices
from ml_pipeline.gating.quality import GateChoice
from ml_pipeline.report_page.theme import Theme


def write_gate_plots(folder: Path, choices: GatingChoices, served: Mapping[Modality, Served]) -> None:
    """Accuracy and refusals over the grades of every degradation, and risk over coverage."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in zip(*choices.quality.values(), strict=True):
        name = row[0].degradation.replace(" ", "_")
        (folder / f"gate_{name}.png").write_bytes(png(grades(row)))
    (folder / "risk_coverage.png").write_bytes(png(risk_coverage(served)))


def grades(choices: tuple[GateChoice, ...]) -> Drawing:
    """One degradation, a colour a modality: balanced accuracy as a line, the share of photos refused dashed."""

    def draw(axes: Axes, theme: Theme) -> None:
        for choice, colour in zip(choices, (theme.first, theme.second), strict=False):
            positions = range(len(choice.grades) + 1)
            accuracies = [choice.balanced_accuracy, *(grade.balanced_accuracy for grade in choice.grades)]
            refused = [choice.good_refused, *(grade.refused for grade in choice.grades)]
            kind = choice.modality.value
            axes.plot(positions, accuracies, "o-", color=colour, label=f"{kind}: balanced accuracy")
            axes.plot(positions, refused, "s--", color=colour, label=f"{kind}: refused")
            harmful = [at + 1 for at, grade in enumerate(choice.grades) if grade.is_harmful]
            axes.plot(harmful, [accuracies[at] for at in harmful], "o", mfc="none", ms=11, color=colour)
        strengths = [f"{grade.strength:g}" for grade in choices[0].grades]
        axes.set_xticks(range(len(strengths) + 1), ["as is", *strengths])
        axes.set_xlabel(f"{choices[0].degradation}: {choices[0].unit}")
        axes.set_ylim(0, 1.02)
        axes.set_title("Where accuracy measurably falls (ringed), and what the gate refuses; validation", fontsize=9)
        axes.legend(frameon=False, fontsize=8)

    return draw


def risk_coverage(served: Mapping[Modality, Served]) -> Drawing:
    """Accuracy and missed malignancies against the share of photos answered, the most certain first."""

    def draw(axes: Axes, theme: Theme) -> None:
        for (modality, each), colour in zip(served.items(), (theme.first, theme.second), strict=False):
            shares = [point.coverage for point in each.risk]
            axes.plot(shares, [point.accuracy for point in each.risk], color=colour, label=f"{modality}: accuracy")
            missed = [point.malignant_missed for point in each.risk]
            axes.plot(shares, missed, "--", color=colour, label=f"{modality}: malignant photos called benign")
        axes.set_xlabel("share of photos answered, the most certain first; test")
        axes.set_ylim(0, 1.02)
        axes.legend(frameon=False, fontsize=8)

    return draw
