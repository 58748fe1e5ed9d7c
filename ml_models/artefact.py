"""The model folder: what `model.json` says, and the proof that the files beside it are the ones it speaks of.

A folder is complete: nothing outside it is needed to serve. `statistics.npz` holds the head's weights and the embedding
projection, `golden.npz` generator photos with the probabilities that they must give.
"""

import dataclasses
import hashlib
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_models.calibration import Calibration, softmax
from ml_models.classification import Modality, ModelIdentity, ReasonCode, Severity
from ml_models.decision import DecisionRules
from ml_models.errors import ArtefactError
from ml_models.gates import SCORES, TIERS, Gate
from ml_models.labels import Label, problem_with
from ml_models.patient import NOBODY, AgeBand, PatientEffects, PatientFacts, Sex, Site
from ml_models.preprocess import VERSION, InputSpec

FORMAT = 3
DOCUMENT = "model.json"
LITERT_MODEL = "model.tflite"
KERAS_MODEL = "model.keras"
STATISTICS = "statistics.npz"
GOLDEN = "golden.npz"
HASHED_FILES = (LITERT_MODEL, KERAS_MODEL, STATISTICS, GOLDEN)

_REMEDY = "Restore the folder from git, or export it again: python -m ml_pipeline export."


@dataclass(frozen=True, slots=True)
class ModelDocument:
    """`model.json`, typed. `metrics` and `provenance` are reported, never decided on; `files` maps name to sha256.

    `prediction_sets` holds the probability from which on a class cannot be ruled out, `modality_certainty` the share
    that a modality must have to be believed, `gated` the modalities for which gates of quality and domain were chosen.
    """

    name: str
    version: str
    created_at: str
    intended_use: str
    labels: tuple[Label, ...]
    input: InputSpec
    calibrations: Mapping[Modality, Calibration]
    patient_effects: PatientEffects
    malignancy_thresholds: Mapping[Modality, float]
    prediction_sets: Mapping[Modality, float]
    modality_certainty: float
    gates: tuple[Gate, ...]
    gated: tuple[Modality, ...]
    metrics: Mapping[str, Any]
    provenance: Mapping[str, Any]
    files: Mapping[str, str]

    @property
    def codes(self) -> tuple[str, ...]:
        """The label codes in output order."""
        return tuple(label.code for label in self.labels)

    @property
    def rules(self) -> DecisionRules:
        """The part of the document that decisions are made by."""
        return DecisionRules(self.labels, self.malignancy_thresholds, self.prediction_sets, self.gated)

    def calibration_for(self, modality: Modality | None) -> Calibration:
        """The modality's own; for an unknown or unmeasured one the highest temperature of all, and no bias.

        A bias was chosen on the photos of one domain, and can wreck the answers to another's.
        """
        own = self.calibrations.get(modality) if modality else None
        return own or Calibration(max(each.temperature for each in self.calibrations.values()))

    def probabilities(
        self, logits: NDArray[np.floating], *, modality: Modality | None = None, patient: PatientFacts = NOBODY
    ) -> NDArray[np.float64]:
        """Calibrated probabilities float64 of logits [..., classes], summing to 1 over the last axis.

        Raises InferenceError when a logit is not finite.
        """
        return softmax(self.scores(logits, modality=modality, patient=patient))

    def scores(
        self, logits: NDArray[np.floating], *, modality: Modality | None = None, patient: PatientFacts = NOBODY
    ) -> NDArray[np.float64]:
        """Calibrated logits float64 [..., classes], with what is known of the person added."""
        scaled = self.calibration_for(modality).scaled(logits, self.codes)
        return scaled + self.patient_effects.offsets(patient, self.codes)

    def to_json(self) -> str:
        """The text of `model.json`; the same document gives the same bytes."""
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Statistics:
    """Float32 arrays beside the network.

    Head weights [channels, classes] and bias [classes]; embedding mean [channels] and components
    [channels, dimensions], a principal component projection of the pooled features.
    """

    class_weights: NDArray[np.float32]
    class_bias: NDArray[np.float32]
    embedding_mean: NDArray[np.float32]
    embedding_components: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Golden:
    """Answers that a loaded model must give: n photos uint8 [n, h, w, 3], what was known beside each, probabilities.

    `codes` are the labels in output order, `probabilities` float64 [n, classes]. `modalities`, `sexes` and `sites`
    are texts [n], empty where unknown; `ages_years` float64 [n], NaN where unknown.
    """

    photos: NDArray[np.uint8]
    codes: NDArray[np.str_]
    modalities: NDArray[np.str_]
    ages_years: NDArray[np.float64]
    sexes: NDArray[np.str_]
    sites: NDArray[np.str_]
    probabilities: NDArray[np.float64]

    def modality(self, index: int) -> Modality | None:
        """What the photo is known to be."""
        return Modality(self.modalities[index]) if self.modalities[index] else None

    def patient(self, index: int) -> PatientFacts:
        """What is known of the photo's person."""
        sex, site = str(self.sexes[index]), str(self.sites[index])
        age_years = None if np.isnan(self.ages_years[index]) else float(self.ages_years[index])
        return PatientFacts(age_years, Sex(sex) if sex else None, Site(site) if site else None)


@dataclass(frozen=True, slots=True)
class Artefact:
    """A verified folder."""

    folder: Path
    document: ModelDocument
    identity: ModelIdentity
    statistics: Statistics
    golden: Golden


def load_artefact(folder: Path) -> Artefact:
    """Read and verify a model folder: complete, unaltered, of our preprocessing, labels consistent.

    Raises ArtefactError whose text says what is wrong and how to mend it. The golden pairs are run by `classifier.py`.
    """
    path = folder / DOCUMENT
    if not path.is_file():
        raise ArtefactError(f"No model at {folder}: {DOCUMENT} is missing. Set MODEL_ARTEFACT to a model folder.")
    text = path.read_bytes()
    document = parse_document(text, where=str(path))
    for name in HASHED_FILES:
        _verify_file(folder / name, document.files.get(name))
    statistics, golden = _load_statistics(folder / STATISTICS), _load_golden(folder / GOLDEN)
    codes = document.codes
    trained_for = tuple(golden.codes.tolist())
    if trained_for != codes or statistics.class_weights.shape[1] != len(codes):
        raise ArtefactError(
            f"{path}: labels {codes} are not those the model was trained with, {trained_for}. {_REMEDY}"
        )
    identity = ModelIdentity(
        name=document.name,
        version=document.version,
        digest=hashlib.sha256(text).hexdigest(),
        preprocess_version=document.input.preprocess_version,
    )
    return Artefact(folder, document, identity, statistics, golden)


def parse_document(text: bytes, *, where: str) -> ModelDocument:
    """Parse `model.json`. Raises ArtefactError naming the key that is missing or wrong."""
    try:
        raw = json.loads(text)
        if raw["format"] != FORMAT:
            raise ArtefactError(f"{where}: format {raw['format']} is not {FORMAT}. {_REMEDY}")
        document = ModelDocument(
            name=str(raw["name"]),
            version=str(raw["version"]),
            created_at=str(raw["created_at"]),
            intended_use=str(raw["intended_use"]),
            labels=tuple(_label(row) for row in raw["labels"]),
            input=_input(raw["input"]),
            calibrations={Modality(k): _calibration(row) for k, row in raw["calibrations"].items()},
            patient_effects=_effects(raw["patient_effects"]),
            malignancy_thresholds={Modality(k): float(v) for k, v in raw["malignancy_thresholds"].items()},
            prediction_sets={Modality(k): float(v) for k, v in raw["prediction_sets"].items()},
            modality_certainty=float(raw["modality_certainty"]),
            gates=tuple(_gate(row) for row in raw["gates"]),
            gated=tuple(Modality(each) for each in raw["gated"]),
            metrics=dict(raw["metrics"]),
            provenance=dict(raw["provenance"]),
            files=dict(raw["files"]),
        )
    except KeyError as error:
        raise ArtefactError(f"{where}: key {error} is missing. {_REMEDY}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ArtefactError(f"{where} cannot be read: {error}. {_REMEDY}") from error
    _check_document(document, where)
    return document


def file_digest(path: Path) -> str:
    """Sha256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_document(document: ModelDocument, where: str) -> None:
    codes = document.codes
    if not codes or len(set(codes)) != len(codes):
        raise ArtefactError(f"{where}: labels {codes} must be there and distinct. {_REMEDY}")
    if document.input.preprocess_version != VERSION:
        raise ArtefactError(
            f"{where}: made for preprocessing {document.input.preprocess_version}, this code has {VERSION}. "
            "Export the model again with this code, or serve it with the code it was made by."
        )
    if not document.calibrations:
        raise ArtefactError(f"{where}: calibrations must name at least one of {', '.join(Modality)}. {_REMEDY}")
    for modality, calibration in document.calibrations.items():
        _check_calibration(calibration, codes, f"{where}: calibration of {modality} photos")
    problem = document.patient_effects.problem(codes)
    if problem:
        raise ArtefactError(f"{where}: patient effects: {problem}. {_REMEDY}")
    thresholds, sets = document.malignancy_thresholds.values(), document.prediction_sets.values()
    shares = (*thresholds, *sets, document.modality_certainty)
    if not all(0 <= share <= 1 for share in shares):
        raise ArtefactError(f"{where}: thresholds {shares} must lie between 0 and 1. {_REMEDY}")


def _check_calibration(calibration: Calibration, codes: Sequence[str], where: str) -> None:
    if not 0 < calibration.temperature < math.inf:
        raise ArtefactError(f"{where}: temperature {calibration.temperature} must be positive and finite. {_REMEDY}")
    if calibration.bias and set(calibration.bias) != set(codes):
        raise ArtefactError(f"{where}: bias is for {sorted(calibration.bias)}, not for {sorted(codes)}. {_REMEDY}")
    if not all(math.isfinite(bias) for bias in calibration.bias.values()):
        raise ArtefactError(f"{where}: bias {dict(calibration.bias)} must be finite. {_REMEDY}")


def _label(row: Mapping[str, Any]) -> Label:
    """One row of the label list."""
    malignant = row["malignant"]
    if not (malignant is None or isinstance(malignant, bool)):
        raise ValueError(f"malignant of {row['code']} is {malignant!r}, not true, false or null")
    label = Label(
        code=str(row["code"]),
        name=str(row["name"]),
        malignant=malignant,
        severity=Severity(row["severity"]),
        advice=str(row["advice"]),
        aliases=tuple(row["aliases"]),
    )
    if problem := problem_with(label):
        raise ValueError(problem)
    return label


def _calibration(row: Mapping[str, Any]) -> Calibration:
    return Calibration(float(row["temperature"]), _numbers(row["bias"]))


def _effects(raw: Mapping[str, Any]) -> PatientEffects:
    return PatientEffects(
        age={AgeBand(value): _numbers(row) for value, row in raw["age"].items()},
        sex={Sex(value): _numbers(row) for value, row in raw["sex"].items()},
        site={Site(value): _numbers(row) for value, row in raw["site"].items()},
    )


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    return {str(code): float(number) for code, number in row.items()}


def _input(row: Mapping[str, Any]) -> InputSpec:
    spec = InputSpec(**row)
    if not isinstance(spec.size_px, int) or spec.size_px < 1:
        raise ValueError(f"input size {spec.size_px!r} is no number of pixels")
    return spec


def _gate(row: Mapping[str, Any]) -> Gate:
    modality = None if row["modality"] is None else Modality(row["modality"])
    gate = Gate(row["score"], float(row["minimum"]), ReasonCode(row["reason"]), modality)
    if gate.score not in SCORES or gate.reason not in TIERS or not math.isfinite(gate.minimum):
        raise ValueError(
            f"gate {row} must have a finite minimum, one of the scores {SCORES} and a reason of {[*TIERS]}"
        )
    return gate


def _verify_file(path: Path, expected: str | None) -> None:
    if expected is None:
        raise ArtefactError(f"{path.parent / DOCUMENT} lists no sha256 for {path.name}. {_REMEDY}")
    if not path.is_file():
        raise ArtefactError(f"{path} is missing. {_REMEDY}")
    seen = file_digest(path)
    if seen != expected:
        raise ArtefactError(f"{path}: sha256 {seen[:12]}... is not {expected[:12]}...; the file is altered. {_REMEDY}")


def _load_statistics(path: Path) -> Statistics:
    statistics = Statistics(**_arrays(path, dataclasses.fields(Statistics)))
    channels, classes = statistics.class_weights.shape
    shapes = (statistics.class_bias.shape, statistics.embedding_mean.shape, statistics.embedding_components.shape[:1])
    if shapes != ((classes,), (channels,), (channels,)):
        raise ArtefactError(f"{path}: shapes {shapes} do not fit {channels} channels and {classes} classes. {_REMEDY}")
    return statistics


def _load_golden(path: Path) -> Golden:
    golden = Golden(**_arrays(path, dataclasses.fields(Golden)))
    count = len(golden.photos)
    known = (golden.modalities, golden.ages_years, golden.sexes, golden.sites)
    if (
        not count
        or golden.probabilities.shape != (count, len(golden.codes))
        or any(len(each) != count for each in known)
    ):
        raise ArtefactError(f"{path} holds no golden pairs that fit its labels. {_REMEDY}")
    return golden


def _arrays(path: Path, fields: Sequence[dataclasses.Field[Any]]) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {field.name: arrays[field.name] for field in fields}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"{path} cannot be read: {error}. {_REMEDY}") from error
