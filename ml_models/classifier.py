"""The whole way from pixels to a `Classification`: gates, preprocess, run, calibrate, decide, explain."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import LITERT_MODEL, Artefact, ModelDocument, load_artefact
from ml_models.classification import Classification, Modality, ModelIdentity, RankedLabel
from ml_models.decision import decide
from ml_models.errors import ArtefactError, InferenceError
from ml_models.explanation import class_activations
from ml_models.gates import failed_gates, measure
from ml_models.patient import NOBODY, PatientFacts
from ml_models.preprocess import preprocess
from ml_models.runtime import LiteRtRuntime

GOLDEN_TOLERANCE = 1e-4
_HEAD_TOLERANCE = 1e-3
_TOP = 3


class Classifier:
    """One loaded model; safe to call from several threads."""

    def __init__(self, artefact: Artefact, runtime: LiteRtRuntime) -> None:
        self._artefact, self._runtime = artefact, runtime
        self._codes = artefact.document.codes

    @property
    def document(self) -> ModelDocument:
        """What `model.json` says."""
        return self._artefact.document

    @property
    def identity(self) -> ModelIdentity:
        """Name, version and digest for the log."""
        return self._artefact.identity

    @property
    def litert_model(self) -> Path:
        """The network's file; its sha256 is in the document."""
        return self._artefact.folder / LITERT_MODEL

    def classify(
        self,
        rgb: NDArray[np.uint8],
        *,
        patient: PatientFacts = NOBODY,
        modality: Modality | None = None,
        explain: bool = False,
    ) -> Classification:
        """Classify one upright photo uint8 [h, w, 3] of a person of whom `patient` is known.

        `modality` is what a gate found the photo to be; unknown, it is answered most cautiously. `explain` adds the
        class activation of every label. Raises InferenceBusy and InferenceError.
        """
        document = self.document
        scores = measure(rgb)
        rejections = failed_gates(scores, document.gates)
        if rejections:
            decision = decide(None, document.rules, rejections=rejections, modality=modality)
            return Classification(
                decision=decision,
                probabilities=None,
                top=(),
                gate_scores=scores,
                embedding=None,
                activations=None,
                model=self.identity,
            )
        logits, feature_map = self._run(rgb)
        probabilities = document.probabilities(logits, modality=modality, patient=patient)
        by_code = dict(zip(self._codes, probabilities.tolist(), strict=True))
        decision = decide(by_code, document.rules, modality=modality)
        return Classification(
            decision=decision,
            probabilities=by_code,
            top=self._top(by_code),
            gate_scores=scores,
            embedding=self._embed(feature_map),
            activations=self._activations(feature_map) if explain else None,
            model=self.identity,
        )

    def logits(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Uncalibrated output float32 [classes] for one upright photo, no gates: for calibration and evaluation."""
        return self._run(rgb)[0]

    def verify_golden(self) -> None:
        """Run the golden photos: probabilities within 1e-4, and the head's weights give the network's own logits.

        Raises ArtefactError when either is off.
        """
        golden, statistics = self._artefact.golden, self._artefact.statistics
        for index, (photo, expected) in enumerate(zip(golden.photos, golden.probabilities, strict=True)):
            logits, feature_map = self._run(photo)
            seen = self.document.probabilities(logits, modality=golden.modality(index), patient=golden.patient(index))
            by_head = feature_map.mean(axis=(0, 1)) @ statistics.class_weights + statistics.class_bias
            differences = (float(np.abs(seen - expected).max()), float(np.abs(by_head - logits).max()))
            if not (differences[0] <= GOLDEN_TOLERANCE and differences[1] <= _HEAD_TOLERANCE):
                raise ArtefactError(
                    f"{self._artefact.folder}: golden probabilities are off by {differences[0]:.2g} (limit "
                    f"{GOLDEN_TOLERANCE:g}), logits of the head by {differences[1]:.2g} (limit {_HEAD_TOLERANCE:g}). "
                    "The model, its calibration or a library (OpenCV, LiteRT) is not the one it was made with."
                )

    def _run(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        outputs = self._runtime.run(preprocess(rgb, self.document.input)[np.newaxis])
        logits, feature_map = outputs["logits"][0], outputs["feature_map"][0]
        if logits.shape != (len(self._codes),):
            raise InferenceError(f"The model answers {logits.shape[0]} classes for {len(self._codes)} labels.")
        return logits, feature_map

    def _top(self, probabilities: Mapping[str, float]) -> tuple[RankedLabel, ...]:
        ranked = sorted(self.document.labels, key=lambda label: -probabilities[label.code])[:_TOP]
        return tuple(RankedLabel(label.code, label.name, probabilities[label.code]) for label in ranked)

    def _embed(self, feature_map: NDArray[np.float32]) -> NDArray[np.float32]:
        statistics = self._artefact.statistics
        pooled = feature_map.mean(axis=(0, 1))
        return np.asarray((pooled - statistics.embedding_mean) @ statistics.embedding_components, dtype=np.float32)

    def _activations(self, feature_map: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        grids = class_activations(feature_map, self._artefact.statistics.class_weights)
        return dict(zip(self._codes, grids, strict=True))


def load_classifier(folder: Path, *, pool_size: int = 1, timeout_s: float = 10.0) -> Classifier:
    """Load a model folder, verify its digests and its golden answers. Raises ArtefactError with the remedy."""
    artefact = load_artefact(folder)
    runtime = LiteRtRuntime(folder / LITERT_MODEL, pool_size=pool_size, timeout_s=timeout_s)
    classifier = Classifier(artefact, runtime)
    try:
        classifier.verify_golden()
    except InferenceError as error:
        raise ArtefactError(f"{folder}: {error} Restore the folder from git, or export it again.") from error
    return classifier
