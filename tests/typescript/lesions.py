"""Lesions for the comparison with the reference implementation: photos, and what a network gave for each."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import ModelDocument
from ml_models.classification import Modality, ReasonCode
from ml_models.classifier import FEATURE_MAP, Classifier
from ml_models.gates import Gate
from ml_models.heads import COVERAGE, KIND_ORDER, KINDS
from ml_models.preprocess import preprocess
from ml_models.runtime import LiteRtRuntime
from ml_pipeline.synthetic import Scene, draw

# Shrunk by odd, whole and equal factors; enlarged; one side enlarged; cut because wide or tall; halved for the gates.
SIZES = [
    (600, 450), (531, 397), (640, 480), (400, 400), (160, 160), (161, 240), (121, 97), (90, 300), (150, 400),
    (977, 201), (213, 1003), (1200, 900), (65, 64), (320, 320), (480, 160),
]  # fmt: skip
WORDS = [
    "", "left forearm", "LEFT FOREARM", "back of the hand", "back", "espalda", "dorso de la mano", "dedo del pie",
    "dedo de la mano", "Muñeca", "sole of the left foot", "palms", "arm and leg", "upper extremity", "nowhere",
    "scalp,", "(chest)", "backß", "ßback", "shoulderblade", "mentón", "PÁRPADO", "knee\u2013calf",
    "parte trasera del muslo", "\uff42\uff41\uff43\uff4b", "手 hand", "手hand", "toes", "noses", "torso_2",
]  # fmt: skip


GRID = 6
HEADS = {KINDS: (len(KIND_ORDER),), COVERAGE: (GRID, GRID, 1)}
LESIONS = 96  # with drawn outputs


GATES = (
    Gate("brightness", 60.0, ReasonCode.TOO_DARK),
    Gate("contrast", 2.0, ReasonCode.NO_DETAIL),
    Gate("sharpness", 20.0, ReasonCode.TOO_BLURRED, Modality.DERMATOSCOPIC),
    Gate("sharpness", 5.0, ReasonCode.TOO_BLURRED, Modality.CLINICAL),
    Gate("unclipped", 0.6, ReasonCode.WASHED_OUT),
    Gate("detail_px", 100.0, ReasonCode.NO_DETAIL, Modality.CLINICAL),
    Gate("lesion_photo", 0.05, ReasonCode.NOT_A_LESION),
    Gate("lesion_share", 0.2, ReasonCode.LESION_TOO_SMALL),
    Gate("lesion_inside", 0.4, ReasonCode.LESION_CUT_OFF, Modality.DERMATOSCOPIC),
    Gate("lesion_inside", 0.25, ReasonCode.LESION_CUT_OFF, Modality.CLINICAL),
    Gate("modality_certainty", 0.55, ReasonCode.NOT_A_LESION),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A model document, whether its network has heads, and the language of its texts."""

    document: ModelDocument
    has_heads: bool = True
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Lesion:
    """Photos of one lesion, what a network gave for each, of whom, and under which of the known documents."""

    known: int
    photos: list[NDArray[np.uint8]]
    outputs: list[dict[str, NDArray[np.float32]]]
    patient: dict[str, Any]


class GivenRuntime:
    """A network whose outputs are known, one photo after the other."""

    def __init__(self, outputs: list[dict[str, NDArray[np.float32]]]) -> None:
        self._waiting = deque(outputs)

    def run(self, _images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        return {name: value[np.newaxis] for name, value in self._waiting.popleft().items()}


def photographed(classifier: Classifier) -> list[Lesion]:
    """A photo of every size, and one that is rejected, with what the shipped network gives for them."""
    runtime, spec = LiteRtRuntime(classifier.litert_model), classifier.document.input
    photos = [
        draw(Scene(lesion="nv" if seed % 2 else "mel"), width_px=width, height_px=height, seed=seed)
        for seed, (width, height) in enumerate(SIZES)
    ]
    photos.append(np.full((300, 400, 3), 190, np.uint8))
    outputs = [runtime.run(preprocess(rgb, spec)[np.newaxis]) for rgb in photos]
    return [
        Lesion(0, [rgb], [{name: value[0] for name, value in given.items()}], {})
        for rgb, given in zip(photos, outputs, strict=True)
    ]


def small_photos() -> list[NDArray[np.uint8]]:
    """Good ones, and one for each way of taking a bad one."""
    good = [draw(Scene(lesion="nv"), width_px=160, height_px=120, seed=seed) for seed in range(8)]
    bad = [
        good[0] // 4,
        np.where(np.arange(120)[:, np.newaxis, np.newaxis] < 80, 255, good[1]),  # its upper part burnt out
        cv2.GaussianBlur(good[2], (0, 0), 6),
        np.ascontiguousarray(good[3][:80, :90]),
    ]
    return [*good, *(np.asarray(each, np.uint8) for each in bad), np.full((90, 120, 3), 190, np.uint8)]


def drawn_lesions(
    knowns: list[Known], photos: list[NDArray[np.uint8]], feature_map: NDArray[np.float32]
) -> list[Lesion]:
    """One to five photos each, with outputs as a network might give them."""
    rng = np.random.default_rng(8)
    lesions = []
    for index in range(LESIONS):
        known = index % len(knowns)
        count = 1 + index % 5
        classes = len(knowns[known].document.labels)
        towards = rng.normal(size=classes) * 2  # several photos of one lesion are alike
        outputs = []
        for _ in range(count):
            given = {"logits": towards + rng.normal(size=classes), FEATURE_MAP: feature_map}
            if knowns[known].has_heads:
                given |= {name: rng.normal(rng.uniform(-0.1, 0.5), 0.5, size=shape) for name, shape in HEADS.items()}
                given[KINDS] = (given[KINDS] + rng.permutation([4, 0, 0])).astype(np.float32)
            outputs.append({name: np.asarray(value, np.float32) for name, value in given.items()})
        chosen = [photos[each] for each in rng.integers(len(photos), size=count)]
        words = {"sex": "female", "site": WORDS[index % len(WORDS)], "ageYears": 10 + index % 70}
        lesions.append(Lesion(known, chosen, outputs, words))
    return lesions


def lesion_cases(folder: Path, lesions: list[Lesion]) -> list[dict[str, Any]]:
    """The lesions as JSON; the input of the model is written for the first photos, one of every size."""
    files: dict[int, Path] = {}
    cases = []
    for index, lesion in enumerate(lesions):
        rows = []
        for rgb, outputs in zip(lesion.photos, lesion.outputs, strict=True):
            file = files.setdefault(id(rgb), folder / f"{len(files)}.rgb")
            if not file.exists():
                file.write_bytes(rgb.tobytes())
            given = {name: value.ravel().tolist() for name, value in outputs.items() if name != FEATURE_MAP}
            tensor = str(folder / f"{index}.tensor") if index < len(SIZES) else None
            size = {"width": rgb.shape[1], "height": rgb.shape[0]}
            rows.append({"file": str(file), **size, "outputs": given, "tensor": tensor})
        cases.append({"description": lesion.known, "photos": rows, "patient": lesion.patient})
    return cases
