"""Figures with 95 % intervals: whole lesions are drawn with replacement (Efron 1979), all draws at once.

A figure is a function of the answers and of how often each photo counts, so that a thousand draws are a few matrix
products instead of a thousand evaluations. A draw may lack a class: means over classes are then of the classes drawn,
and a figure of that class alone leaves the draw out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_pipeline.evaluation.answers import Answers

DRAWS = 1000
_BLOCK = 100  # draws at a time: 100 x 13,000 photos are 10 MB
_TAILS = (2.5, 97.5)
_TAIL = _TAILS[0] / 100

Weights = NDArray[np.float64]
"""How often each photo counts in each draw, [draws, n]."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure; called with answers it gives its value, NaN where they lack what it `needs`.

    `of_draws` gives its value in every draw, [draws]. `share_of` are the photos [n] that it is a share of, for figures
    that are one.
    """

    of_draws: Callable[[Answers, Weights], NDArray[np.float64]]
    needs: str = "at least one photo"
    share_of: Callable[[Answers], NDArray[np.bool_]] | None = None
    lower_is_better: bool = False

    def __call__(self, answers: Answers) -> float:
        return float(self.of_draws(answers, np.ones((1, len(answers.labels))))[0])


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better the second of two models is: the difference with its interval, towards better is positive.

    `not_better` is the share of draws in which it is not better.
    """

    difference: Estimate
    not_better: float


def estimate(answers: Answers, named: Mapping[str, Metric], *, seed: int = 0) -> dict[str, Estimate]:
    """Every figure that these answers can give, with its interval: percentiles 2.5 and 97.5 of the draws.

    Where no draw differs because every lesion is right (or wrong), the other end is the exact one (Clopper and Pearson
    1934) with lesions as cases: otherwise five lesions found of five would promise certainty.
    """
    values = {name: metric(answers) for name, metric in named.items()}
    named = {name: metric for name, metric in named.items() if np.isfinite(values[name])}
    blocks: dict[str, list[NDArray[np.float64]]] = {name: [] for name in named}
    for weights in draws(answers.groups, seed=seed):
        for name, metric in named.items():
            blocks[name].append(metric.of_draws(answers, weights))
    return {
        name: _with_interval(values[name], np.concatenate(blocks[name]), metric, answers)
        for name, metric in named.items()
    }


def gains(first: Answers, second: Answers, named: Mapping[str, Metric], *, seed: int = 0) -> dict[str, Gain]:
    """What `second` gains over `first` on the same photos, paired: both are drawn with the same lesions."""
    values = {name: metric(second) - metric(first) for name, metric in named.items()}
    named = {name: metric for name, metric in named.items() if np.isfinite(values[name])}
    blocks: dict[str, list[NDArray[np.float64]]] = {name: [] for name in named}
    for weights in draws(first.groups, seed=seed):
        for name, metric in named.items():
            blocks[name].append(metric.of_draws(second, weights) - metric.of_draws(first, weights))
    return {
        name: _gain(values[name], np.concatenate(blocks[name]), sign=-1 if metric.lower_is_better else 1)
        for name, metric in named.items()
    }


def estimate_mean(values: NDArray[np.float64], groups: NDArray[np.str_], *, seed: int = 0) -> Estimate:
    """The mean over photos [n] of something measured of each, with its interval."""
    samples = [weights @ values / weights.sum(axis=1) for weights in draws(groups, seed=seed)]
    return Estimate(float(values.mean()), *_interval(np.concatenate(samples)))


def estimate_share(
    rows: NDArray[np.bool_] | NDArray[np.float64], groups: NDArray[np.str_], *, seed: int = 0
) -> Estimate:
    """The share of photos [n] of which something is true, or is to a share; the other end is exact for none and all."""
    found = estimate_mean(rows.astype(np.float64), groups, seed=seed)
    return Estimate(found.value, *_exact_end(found.value, (found.low, found.high), len(np.unique(groups))))


def draws(groups: NDArray[np.str_], *, seed: int) -> Iterator[Weights]:
    """How often each photo counts in 1000 draws of as many groups as there are, block by block."""
    rng = np.random.default_rng(seed)
    names, index = np.unique(groups, return_inverse=True)
    for _ in range(DRAWS // _BLOCK):
        counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=_BLOCK)
        yield counts.astype(np.float64)[:, index]


def _with_interval(value: float, samples: NDArray[np.float64], metric: Metric, answers: Answers) -> Estimate:
    interval = _interval(samples)
    if metric.share_of is None:
        return Estimate(value, *interval)
    return Estimate(value, *_exact_end(value, interval, len(np.unique(answers.groups[metric.share_of(answers)]))))


def _exact_end(value: float, interval: tuple[float, float], lesions: int) -> tuple[float, float]:
    """The interval, its other end exact (Clopper and Pearson 1934) where every draw of the lesions is alike."""
    low, high = interval
    if low != high or value not in (0.0, 1.0):
        return interval
    exact = float(_TAIL ** (1 / lesions))
    return (exact, high) if value == 1 else (low, 1 - exact)


def _gain(value: float, samples: NDArray[np.float64], *, sign: int) -> Gain:
    known = sign * samples[np.isfinite(samples)]
    return Gain(Estimate(sign * value, *_interval(known)), float((known <= 0).mean()))


def _interval(samples: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(samples[np.isfinite(samples)], _TAILS)
    return float(low), float(high)
