"""What an evaluation says, typed: the content of `metrics.json`. Equal answers give equal bytes."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_models.artefact import ModelDocument
from ml_models.classification import Modality, ModelIdentity
from ml_pipeline.data.records import Record, Split, records_digest
from ml_pipeline.evaluation.bootstrap import DRAWS
from ml_pipeline.evaluation.labelled_folder import LabelledFolder
from ml_pipeline.evaluation.measure import Domain, Rival
from ml_pipeline.evaluation.negatives import JudgedNegatives
from ml_pipeline.evaluation.served import Served

FORMAT = 1


@dataclass(frozen=True, slots=True)
class EvaluatedLabel:
    """One class of the model; `malignant` is None where that is not known."""

    code: str
    malignant: bool | None


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """Which model was asked; `digest` is that of its `model.json`."""

    name: str
    version: str
    digest: str
    labels: tuple[EvaluatedLabel, ...]
    malignancy_thresholds: Mapping[str, float]

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class EvaluatedData:
    """Which photos it was asked about.

    `held_out` says what is known of them and the model's training; `missing` rows had no file, `unknown_labels` counts
    rows whose label the model does not have. `sha256` covers ids, labels, groups and files.
    """

    name: str
    held_out: str
    photos: int
    missing: int
    unknown_labels: Mapping[str, int]
    modality_assumed: bool
    sha256: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Model, data, the figures of every domain, what was served, photos of other things, other answers."""

    model: EvaluatedModel
    data: EvaluatedData
    domains: tuple[Domain, ...]
    served: Mapping[Modality, Served]
    negatives: tuple[JudgedNegatives, ...]
    rivals: tuple[Rival, ...]

    def as_json(self, *, predictions_sha256: str) -> dict[str, Any]:
        """The content of `metrics.json`."""
        return {
            "format": FORMAT,
            "intervals": f"95 % bootstrap by lesion, {DRAWS} draws",
            "predictions_sha256": predictions_sha256,
            **dataclasses.asdict(self),
        }


def evaluated_model(document: ModelDocument, identity: ModelIdentity) -> EvaluatedModel:
    """The model as an evaluation names it."""
    return EvaluatedModel(
        document.name,
        document.version,
        identity.digest,
        tuple(EvaluatedLabel(label.code, label.malignant) for label in document.labels),
        {str(modality): threshold for modality, threshold in sorted(document.malignancy_thresholds.items())},
    )


def of_table(name: str, split: Split, records: Sequence[Record], *, unknown_labels: Mapping[str, int]) -> EvaluatedData:
    """A split of the table that the model was trained on."""
    held_out = {
        Split.TRAIN: "training split: the model was fitted to these photos, so this says nothing of new ones",
        Split.VALIDATION: "validation split: not trained on, but choices were made on these photos",
        Split.TEST: "test split: lesions held out of training and of all choices",
    }
    return EvaluatedData(name, held_out[split], len(records), 0, unknown_labels, False, records_digest(records))


def of_folder(name: str, folder: LabelledFolder) -> EvaluatedData:
    """Photos from elsewhere."""
    return EvaluatedData(
        name,
        "photos from elsewhere: whether the model was trained on some of them is not checked",
        len(folder.records),
        len(folder.missing),
        folder.unknown_labels,
        folder.modality_assumed,
        records_digest(folder.records),
    )


def json_text(document: Mapping[str, Any]) -> str:
    """JSON as the outputs hold it."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
