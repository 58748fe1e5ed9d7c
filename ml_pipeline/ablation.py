"""The ablation protocol run: every change of `recipes/ablation.py` trained and compared with the base on validation."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_pipeline.errors import TrainingError
from ml_pipeline.training.history import EpochResult, best_of, read_history
from ml_pipeline.training.recipes import CHANGES
from ml_pipeline.training.run_folder import is_finished


@dataclass(frozen=True, slots=True)
class AblationRow:
    """A change, its best epoch, and the minutes that it took."""

    what: str
    best: EpochResult
    minutes: float


def ablate(records: Path, *, starts: Mapping[str, str], only: Sequence[str], out: Path) -> tuple[AblationRow, ...]:
    """Train what is not trained yet, each in a process of its own, and read all finished runs; the base comes first.

    `starts` maps the starts that the changes name to weight files. Raises TrainingError for an unknown name, when a
    training fails, and while the base is not trained.
    """
    if unknown := set(only) - {change.recipe.name for change in CHANGES}:
        raise TrainingError(f"No change {sorted(unknown)}. Known: {', '.join(each.recipe.name for each in CHANGES)}.")
    rows = []
    for change in CHANGES:
        run = out / change.recipe.name
        if not only or change.recipe.name in only:
            _train(records, change.recipe.name, starts[change.weights], run)
        history = read_history(run)
        if is_finished(history, change.recipe):
            minutes = sum(row.seconds for row in history) / 60
            rows.append(AblationRow(change.what, best_of(history), minutes))
    if not rows or rows[0].what != CHANGES[0].what:
        raise TrainingError(f"{out} has no finished base to compare with. Add --only {CHANGES[0].recipe.name}.")
    return tuple(rows)


def table(rows: Sequence[AblationRow]) -> str:
    """The rows as a Markdown table, with each difference to the first."""
    lines = [
        "| change | balanced accuracy | difference | dermatoscopic | clinical | accuracy | minutes |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        best, base = row.best, rows[0].best
        lines.append(
            f"| {row.what} | {best.validation_balanced_accuracy:.3f} "
            f"| {best.validation_balanced_accuracy - base.validation_balanced_accuracy:+.3f} "
            f"| {_share(best.validation_dermatoscopic)} | {_share(best.validation_clinical)} "
            f"| {best.validation_accuracy:.3f} | {row.minutes:.0f} |"
        )
    return "\n".join(lines) + "\n"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _train(records: Path, recipe: str, start: str, run: Path) -> None:
    command = [sys.executable, "-m", "ml_pipeline", "train", "--records", str(records), "--recipe", recipe]
    done = subprocess.run([*command, "--backbone-weights", start, "--out", str(run)], check=False)  # noqa: S603
    if done.returncode:
        raise TrainingError(f"{recipe} ended with status {done.returncode}; see above. Run again to go on.")
