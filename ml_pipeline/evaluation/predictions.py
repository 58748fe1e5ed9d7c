"""`predictions.csv`: a model's answers to named photos, so that models can be compared without asking them again."""

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_pipeline.data.records import Record
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.files import write_table

PREDICTIONS, METRICS = "predictions.csv", "metrics.json"
_FIXED = ("image_id", "sha256", "group", "label", "modality", "split", "threshold", "answered")
_PROBABILITY = "p_"


@dataclass(frozen=True, slots=True)
class Predictions:
    """A model's answers to named photos; all arrays are [n]. `model` is its name and version."""

    model: str
    answers: Answers
    image_ids: NDArray[np.str_]
    digests: NDArray[np.str_]
    modalities: NDArray[np.str_]


def predictions(model: str, answers: Answers, records: Sequence[Record]) -> Predictions:
    """Answers with what the parallel records say of their photos."""
    return Predictions(
        model,
        answers,
        np.array([record.image_id for record in records]),
        np.array([record.sha256 for record in records]),
        np.array([str(record.modality) for record in records]),
    )


def write_predictions(folder: Path, answers: Answers, records: Sequence[Record]) -> None:
    """Write `predictions.csv`: a row a photo, probabilities with all their digits."""
    thresholds = answers.thresholds
    rows = (
        (
            record.image_id,
            record.sha256,
            record.group,
            record.label,
            record.modality,
            record.split or "",
            "" if thresholds is None else float(thresholds[row]),
            answers.codes[answers.predicted[row]],
            *answers.probabilities[row].tolist(),
        )
        for row, record in enumerate(records)
    )
    write_table(folder / PREDICTIONS, (*_FIXED, *(_PROBABILITY + code for code in answers.codes)), rows)


def read_predictions(folder: Path) -> Predictions:
    """Read what `evaluate --out` left. Raises PipelineError for a folder that is unfinished or altered."""
    try:
        document = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        data = (folder / PREDICTIONS).read_bytes()
        table = list(csv.DictReader(data.decode().splitlines()))
        seen, expected = hashlib.sha256(data).hexdigest(), document["predictions_sha256"]
        if seen != expected:
            raise PipelineError(f"{folder / PREDICTIONS} is not what {METRICS} was made from. Evaluate again.")
        return _parsed(document["model"], table)
    except (OSError, ValueError, KeyError) as error:
        raise PipelineError(
            f"{folder} is no finished folder of `evaluate --out` ({error!r}). Evaluate again."
        ) from error


def _parsed(model: Mapping[str, Any], table: Sequence[Mapping[str, str]]) -> Predictions:
    def column(name: str) -> NDArray[np.str_]:
        return np.array([row[name] for row in table])

    codes = tuple(str(label["code"]) for label in model["labels"])
    malignant = [label["malignant"] for label in model["labels"]]
    thresholds = column("threshold")
    answers = Answers(
        probabilities=np.array([[float(row[_PROBABILITY + code]) for code in codes] for row in table]),
        labels=np.array([codes.index(row["label"]) for row in table], dtype=np.int32),
        groups=column("group"),
        codes=codes,
        malignant=np.array([each is True for each in malignant]),
        thresholds=thresholds.astype(np.float64) if thresholds.all() else None,
        malignancy_known=None not in malignant,
    )
    name = f"{model['name']} {model['version']}"
    return Predictions(name, answers, column("image_id"), column("sha256"), column("modality"))
