"""What a model answered about labelled photos."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model said about n labelled photos.

    `probabilities` is float64 [n, classes], `labels` int [n] into `codes`, `groups` [n] the lesion group of each photo,
    `malignant` bool [classes]. `thresholds` float64 [n] are the warning thresholds on the summed malignant probability
    that serving would use for each photo; None for a model without any. `malignancy_known` is false for a label set
    with a class of unknown malignancy: nothing can then be said about malignant lesions.
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int32]
    groups: NDArray[np.str_]
    codes: tuple[str, ...]
    malignant: NDArray[np.bool_]
    thresholds: NDArray[np.float64] | None = None
    malignancy_known: bool = True

    @property
    def predicted(self) -> NDArray[np.intp]:
        """Index of the most probable class, [n]."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def malignant_probability(self) -> NDArray[np.float64]:
        """Summed probability of the malignant classes, [n]."""
        return np.asarray(self.probabilities[:, self.malignant].sum(axis=1))

    @property
    def is_malignant(self) -> NDArray[np.bool_]:
        """Whether the true class is malignant, [n]."""
        return np.asarray(self.malignant[self.labels])

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Whether the summed malignant probability is at or over the photo's threshold, [n]; without any, none is."""
        if self.thresholds is None:
            return np.zeros(len(self.labels), bool)
        return np.asarray(self.malignant_probability >= self.thresholds)

    @property
    def lesions(self) -> int:
        """How many groups there are."""
        return len(np.unique(self.groups))

    def take(self, rows: NDArray[np.intp]) -> "Answers":
        """The answers to some of the photos."""
        return Answers(
            self.probabilities[rows],
            self.labels[rows],
            self.groups[rows],
            self.codes,
            self.malignant,
            None if self.thresholds is None else self.thresholds[rows],
            self.malignancy_known,
        )
