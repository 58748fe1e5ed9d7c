"""What a phone needs to give the server's own answers: the live model's file, and every rule around it as data.

The rules are those of `ml_models`, read from its constants and from `model.json`; nothing is decided here.
`on_device/` is the reference implementation that reads the description.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from ai_edge_litert.interpreter import Interpreter

from api import ml_state
from api.i18n import translated
from ml_models import decision, runtime
from ml_models.artefact import LITERT_MODEL, ModelDocument
from ml_models.classification import ModelIdentity, ReasonCode
from ml_models.classifier import LOGITS, Classifier
from ml_models.errors import ArtefactError
from ml_models.gates import CLIPPED_FROM, MEASURED_SIDE_PX, NETWORK_SCORES, PHOTO_SCORES, TIERS
from ml_models.heads import COVERAGE, KIND_ORDER, KINDS
from ml_models.image_io import SHORT_SIDE_MARGIN
from ml_models.patient import OLDEST_YEARS, SIDE_OF, SITE_PATTERNS, AgeBand, PatientFacts, Sex
from ml_models.preprocess import MAX_ASPECT

FORMAT = 2  # of the description; a reader of another format must update itself


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The live LiteRT file, open at its beginning; whoever takes it closes it."""

    file: BinaryIO
    size_bytes: int
    sha256: str
    download_name: str


def live_description() -> dict[str, Any]:
    """The live model as `/api/model/on-device/` tells it, without the file's address.

    Raises ArtefactError while no model is live, or when its file is gone or altered.
    """
    classifier = ml_state.classifier()  # one reference: description and digest are of one model, whatever goes live
    model = _opened(classifier)
    model.file.close()
    has_heads = _has_heads(classifier.litert_model, model.sha256)
    return describe(classifier.document, classifier.identity, size_bytes=model.size_bytes, has_heads=has_heads)


def describe(document: ModelDocument, identity: ModelIdentity, *, size_bytes: int, has_heads: bool) -> dict[str, Any]:
    """Everything that decides about an answer besides the network, whose file has `size_bytes`, and heads or not.

    Texts are in the active language; those that belong together are translated piece by piece, as a phone joins them.
    """
    return {
        "format": FORMAT,
        "model": {"name": identity.name, "version": identity.version, "digest": identity.digest},
        "intended_use": document.intended_use,
        "file": {
            "size_bytes": size_bytes,
            "sha256": document.files[LITERT_MODEL],
            "signature": runtime.SIGNATURE,
            "input": runtime.IMAGE,
            "outputs": {name: name for name in ((LOGITS, KINDS, COVERAGE) if has_heads else (LOGITS,))},
        },
        "input": {
            "size_px": document.input.size_px,
            "preprocess_version": document.input.preprocess_version,
            "max_aspect": MAX_ASPECT,
            "shrink": "area",
            "enlarge": "bilinear",
            "decoded_short_side_px": round(SHORT_SIDE_MARGIN * document.input.size_px),
        },
        "labels": [
            {
                "code": label.code,
                "name": translated(label.name),
                "malignant": label.malignant,
                "severity": label.severity.value,
                "advice": translated(label.advice),
            }
            for label in document.labels
        ],
        "calibrations": {kind.value: asdict(calibration) for kind, calibration in document.calibrations.items()},
        "patient": _patient(document),
        "heads": {"kind_order": list(KIND_ORDER), "modality_certainty": document.modality_certainty},
        "gates": {
            "measured_side_px": MEASURED_SIDE_PX,
            "clipped_from": CLIPPED_FROM,
            "photo_scores": list(PHOTO_SCORES),
            "network_scores": list(NETWORK_SCORES),
            "rules": [{**asdict(gate), "tier": TIERS[gate.reason]} for gate in document.gates],
        },
        "decision": {
            "malignancy_thresholds": {kind.value: value for kind, value in document.malignancy_thresholds.items()},
            "prediction_sets": {kind.value: value for kind, value in document.prediction_sets.items()},
            "gated": [kind.value for kind in document.gated],
            "reasons": {code.value: translated(decision.REASON_TEXTS[code]) for code in ReasonCode},
            "texts": {name: translated(text) for name, text in _texts().items()},
        },
    }


def open_live_file(digest: str) -> ModelFile | None:
    """The live model's LiteRT file if that is its sha256; None for any other digest.

    A description may come from a worker that has switched a moment before this one: an unknown digest makes it look.
    Raises ArtefactError while no model is live, or when its file is gone or altered.
    """
    classifier = ml_state.classifier()
    if digest != classifier.document.files[LITERT_MODEL] and ml_state.refresh():
        classifier = ml_state.classifier()
    return _opened(classifier) if digest == classifier.document.files[LITERT_MODEL] else None


def _opened(classifier: Classifier) -> ModelFile:
    """The file, hashed whenever it has changed: somebody may have written over it since the model was loaded."""
    path, expected = classifier.litert_model, classifier.document.files[LITERT_MODEL]
    try:
        file = path.open("rb")
    except OSError as error:
        raise ArtefactError(f"{path} cannot be read: {error}. Restore the folder.") from error
    state = os.fstat(file.fileno())
    seen = _digest(path, state.st_size, state.st_mtime_ns, state.st_ino)
    if seen != expected:
        file.close()
        raise ArtefactError(
            f"{path}: sha256 {seen[:12]}... is not {expected[:12]}...; the file was altered after the model was "
            "loaded. Restore the folder."
        )
    identity = classifier.identity
    return ModelFile(file, state.st_size, expected, f"{identity.name}-{identity.version}.tflite")


@lru_cache(maxsize=4)
def _digest(path: Path, _size_bytes: int, _changed_ns: int, _inode: int) -> str:
    """Sha256 of the file as long as it has not changed; 9 MB cost 10 ms."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=4)
def _has_heads(path: Path, _sha256: str) -> bool:
    """Whether the file's own signature names the outputs of the heads; read without running the network."""
    outputs = Interpreter(model_path=str(path)).get_signature_list()[runtime.SIGNATURE]["outputs"]
    return {KINDS, COVERAGE} <= set(outputs)


def _patient(document: ModelDocument) -> dict[str, Any]:
    """The effects of facts, and how an age and words become facts. Patterns are over folded text."""
    return {
        "effects": asdict(document.patient_effects),
        "age_bands": [
            {"band": band.value, "from_years": min(years), "to_years": max(years)}
            for band, years in _years_of_bands().items()
        ],
        "sexes": [sex.value for sex in Sex],
        "left_out_of_site": SIDE_OF.pattern,
        "sites": [{"site": site.value, "pattern": pattern.pattern} for site, pattern in SITE_PATTERNS.items()],
    }


def _years_of_bands() -> Mapping[AgeBand, list[int]]:
    bands: dict[AgeBand, list[int]] = {}
    for years in range(OLDEST_YEARS + 1):
        band = PatientFacts(age_years=years).age_band
        if band is not None:
            bands.setdefault(band, []).append(years)
    return bands


def _texts() -> Mapping[str, str]:
    return {
        "rejected_diagnosis": decision.REJECTED_DIAGNOSIS,
        "retake": decision.RETAKE,
        "suspicious_advice": decision.SUSPICIOUS_ADVICE,
        "disagreeing_advice": decision.DISAGREEING_ADVICE,
        "uncertain_advice": decision.UNCERTAIN_ADVICE,
        "unvalidated_advice": decision.UNVALIDATED_ADVICE,
        "unsure": decision.UNSURE,
        "possibly_malignant": decision.POSSIBLY_MALIGNANT,
    }
