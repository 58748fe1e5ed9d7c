"""The network's own answers about the photo: what kind it is, and where in it the lesion lies.

They are linear heads on the features that also classify, part of the LiteRT file: a phone gets them with the logits.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_models.calibration import softmax
from ml_models.classification import Modality
from ml_models.errors import InferenceError

KINDS, COVERAGE = "kinds", "coverage"  # outputs: [3], [grid, grid, 1]
KIND_ORDER: tuple[Modality | None, ...] = (Modality.DERMATOSCOPIC, Modality.CLINICAL, None)  # None: no lesion photo


@dataclass(frozen=True, slots=True)
class Heads:
    """What the heads say of one photo: scores for the gates, and the likelier modality, None of a network without."""

    scores: Mapping[str, float]
    likelier: Modality | None

    def modality(self, *, certainty: float) -> Modality | None:
        """The likelier modality where it is at least that likely."""
        return self.likelier if self.likelier and self.scores["modality_certainty"] >= certainty else None


NO_HEADS = Heads({}, None)


def read_heads(outputs: Mapping[str, NDArray[np.float32]]) -> Heads:
    """The heads of one photo from the network's outputs without their batch axis; `NO_HEADS` of a network without.

    `lesion_photo` is the probability of being a photo of a lesion, `lesion_share` the share of the frame that the
    lesion covers, `lesion_inside` one less the share that it covers of that side of the frame where it covers most,
    `modality_certainty` the probability of the likelier modality, if it is a lesion. Raises InferenceError when a value
    is not finite.
    """
    if KINDS not in outputs:
        return NO_HEADS
    kinds = dict(zip(KIND_ORDER, softmax(outputs[KINDS]).tolist(), strict=True))
    coverage = np.clip(outputs[COVERAGE][..., 0], 0, 1)
    sides = (coverage[0], coverage[-1], coverage[:, 0], coverage[:, -1])
    likelier = max(Modality, key=lambda each: kinds[each])
    known = sum(kinds[each] for each in Modality)
    scores = {
        "lesion_photo": 1 - kinds[None],
        "lesion_share": float(coverage.mean()),
        "lesion_inside": 1 - max(float(side.mean()) for side in sides),
        "modality_certainty": kinds[likelier] / known if known > 0 else 0.0,
    }
    if not np.isfinite(list(scores.values())).all():
        raise InferenceError("The model returned a value that is not finite. Check the artefact with its golden pairs.")
    return Heads(scores, likelier)
