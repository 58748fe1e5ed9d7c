"""The folder that an evaluation leaves. `metrics.json` comes last: a folder without it is unfinished."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.evaluation import Evaluation, json_text
from ml_pipeline.evaluation.measure import ALL, domain_rows
from ml_pipeline.evaluation.mistakes import Mistake, montage, worst_mistakes
from ml_pipeline.evaluation.plots import confusion, png, reliability, roc
from ml_pipeline.evaluation.predictions import METRICS, PREDICTIONS, write_predictions
from ml_pipeline.evaluation.report_html import Drawn, write_report
from ml_pipeline.files import replacing
from ml_pipeline.report_page.theme import DARK

REPORT = "report.html"


def write_evaluation(
    out: Path,
    evaluation: Evaluation,
    answers: Answers,
    uncalibrated: Answers,
    records: Sequence[Record],
    *,
    size_px: int,
) -> None:
    """Write all files; plots of one domain carry its name where there are several. `size_px` is the model's input."""
    out.mkdir(parents=True, exist_ok=True)
    (out / METRICS).unlink(missing_ok=True)
    write_predictions(out, answers, records)
    plots: dict[str, list[Drawn]] = {}
    mistakes: dict[str, Mapping[str, tuple[Mistake, ...]]] = {}
    modalities = np.array([str(record.modality) for record in records])
    domains = domain_rows(modalities)
    for name, rows in domains.items():
        suffix = "" if name == ALL or len(domains) == 1 else f"-{name}"
        part = answers.take(rows)
        plots[name] = _write_plots(out, suffix, part, uncalibrated.take(rows))
        worst = worst_mistakes(part, [records[row] for row in rows], size_px=size_px)
        title = f"{evaluation.model.title}, {name} photos: worst mistakes"
        (out / f"errors{suffix}.png").write_bytes(montage(title, worst))
        if suffix or len(domains) == 1:
            mistakes[name] = worst
    write_report(out / REPORT, evaluation, plots, mistakes)
    digest = hashlib.sha256((out / PREDICTIONS).read_bytes()).hexdigest()
    with replacing(out / METRICS) as file:
        file.write(json_text(evaluation.as_json(predictions_sha256=digest)))


def _write_plots(out: Path, suffix: str, answers: Answers, uncalibrated: Answers) -> list[Drawn]:
    drawn = []
    for title, name, draw in (
        ("Confusion matrix", "confusion", confusion(answers)),
        ("ROC curves", "roc", roc(answers)),
        ("Reliability", "reliability", reliability(answers, uncalibrated)),
    ):
        drawn.append(Drawn(title, png(draw), png(draw, DARK)))
        (out / f"{name}{suffix}.png").write_bytes(drawn[-1].light)
    return drawn
