"""How much slower one model is than another: the same photos, asked in turns, in one run."""

import time
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from ml_models.classifier import Classifier

Clock = Callable[[], float]
_ROUNDS = 3


def latency_ratio(
    first: Classifier, second: Classifier, photos: Sequence[NDArray[np.uint8]], *, clock: Clock = time.perf_counter
) -> float:
    """Median time of the second's answers over that of the first's; turns are taken, so a busy machine slows both."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for photo in photos:
            for classifier, taken in zip((first, second), seconds, strict=True):
                began = clock()
                classifier.classify(photo)
                taken.append(clock() - began)
    return median(seconds[1]) / median(seconds[0])
