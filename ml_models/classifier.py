"""The whole way from pixels to a `Classification`: gates, preprocess, run, calibrate, decide, explain."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import LITERT_MODEL, Artefact, ModelDocument, load_artefact
from ml_models.calibration import softmax
from ml_models.classification import Classification, ModelIdentity, RankedLabel, SeenPhoto
from ml_models.decision import decide
from ml_models.errors import ArtefactError, InferenceError
from ml_models.explanation import class_activations
from ml_models.gates import failed_gates, measure
from ml_models.heads import read_heads
from ml_models.patient import NOBODY, PatientFacts
from ml_models.preprocess import preprocess
from ml_models.runtime import LiteRtRuntime

GOLDEN_TOLERANCE = 1e-4
LOGITS, FEATURE_MAP = "logits", "feature_map"  # outputs: [classes], [grid, grid, channels]
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
        self, *photos: NDArray[np.uint8], patient: PatientFacts = NOBODY, explain: bool = False
    ) -> Classification:
        """Classify one lesion by one upright photo uint8 [h, w, 3] or several, of a person of whom `patient` is known.

        Several photos are fused by the mean of their calibrated logits, so the odds between two classes are the
        geometric mean of what each photo gives; those that gates reject do not count while another is usable, but one
        of them that looks suspicious still forbids to call the lesion safe.
        `explain` adds the class activation of every label to each photo. Raises InferenceBusy and InferenceError.
        """
        if not photos:
            raise InferenceError("No photo to classify: the caller must give at least one.")
        looks = [self._look(rgb, patient, explain=explain) for rgb in photos]
        usable = [look for look in looks if not look.photo.rejections]
        modalities = {look.photo.modality for look in usable or looks}
        modality = modalities.pop() if len(modalities) == 1 else None
        rejections = () if usable else tuple(dict.fromkeys(each for look in looks for each in look.photo.rejections))
        by_code = None if rejections else self._by_code(softmax(np.mean([look.scores for look in usable], axis=0)))
        alone = [self._by_code(softmax(look.scores)) for look in looks] if len(looks) > 1 else []
        return Classification(
            decision=decide(
                by_code, self.document.rules, rejections=rejections, modality=modality, photos=tuple(alone)
            ),
            probabilities=by_code,
            top=() if by_code is None else self._top(by_code),
            modality=modality,
            photos=tuple(look.photo for look in looks),
            model=self.identity,
        )

    def verify_golden(self) -> None:
        """Run the golden photos: probabilities within 1e-4, the head's weights give the network's own logits.

        And the network gives all that the gates need.

        Raises ArtefactError when either is off.
        """
        golden, statistics = self._artefact.golden, self._artefact.statistics
        needed = {gate.score for gate in self.document.gates}
        if missing := needed - set(measure(golden.photos[0])) - set(read_heads(self._run(golden.photos[0])).scores):
            raise ArtefactError(
                f"{self._artefact.folder}: gates need {', '.join(sorted(missing))}, which this network does not give. "
                "Export the model again."
            )
        for index, (photo, expected) in enumerate(zip(golden.photos, golden.probabilities, strict=True)):
            outputs = self._run(photo)
            logits, feature_map = outputs[LOGITS], outputs[FEATURE_MAP]
            seen = self.document.probabilities(logits, modality=golden.modality(index), patient=golden.patient(index))
            by_head = feature_map.mean(axis=(0, 1)) @ statistics.class_weights + statistics.class_bias
            differences = (float(np.abs(seen - expected).max()), float(np.abs(by_head - logits).max()))
            if not (differences[0] <= GOLDEN_TOLERANCE and differences[1] <= _HEAD_TOLERANCE):
                raise ArtefactError(
                    f"{self._artefact.folder}: golden probabilities are off by {differences[0]:.2g} (limit "
                    f"{GOLDEN_TOLERANCE:g}), logits of the head by {differences[1]:.2g} (limit {_HEAD_TOLERANCE:g}). "
                    "The model, its calibration or a library (OpenCV, LiteRT) is not the one it was made with."
                )

    def _run(self, rgb: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Every output of the network for one photo, without the batch axis."""
        outputs = self._runtime.run(preprocess(rgb, self.document.input)[np.newaxis])
        if outputs[LOGITS].shape != (1, len(self._codes)):
            seen = outputs[LOGITS].shape[-1]
            raise InferenceError(f"The model answers {seen} classes for {len(self._codes)} labels.")
        return {name: output[0] for name, output in outputs.items()}

    def _look(self, rgb: NDArray[np.uint8], patient: PatientFacts, *, explain: bool) -> "_Look":
        document = self.document
        outputs = self._run(rgb)
        heads = read_heads(outputs)
        gate_scores = {**measure(rgb), **heads.scores}
        modality = heads.modality(certainty=document.modality_certainty)
        rejections = failed_gates(gate_scores, document.gates, modality=modality)
        scores = document.scores(outputs[LOGITS], modality=modality, patient=patient)
        usable = not rejections
        photo = SeenPhoto(
            logits=outputs[LOGITS],
            gate_scores=gate_scores,
            rejections=rejections,
            modality=modality,
            probabilities=self._by_code(softmax(scores)) if usable else None,
            embedding=self._embed(outputs[FEATURE_MAP]),
            activations=self._activations(outputs[FEATURE_MAP]) if explain and usable else None,
        )
        return _Look(photo, scores)

    def _by_code(self, probabilities: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(self._codes, probabilities.tolist(), strict=True))

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


@dataclass(frozen=True, slots=True)
class _Look:
    """A photo, and its calibrated logits float64 [classes]."""

    photo: SeenPhoto
    scores: NDArray[np.float64]


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
