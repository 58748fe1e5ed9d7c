"""Offsets for age, sex and site, fitted on validation beside the frozen image model, and kept only where they help.

A multinomial logistic regression: the calibrated logits enter as a fixed offset, every known fact adds a row of its
table. One free constant per class and domain takes up how frequent the classes are and is thrown away afterwards: what
a collection holds is no evidence about a person. The tables are centred: a fact of average meaning adds nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ml_models.calibration import log_softmax
from ml_models.classification import Modality
from ml_models.patient import AgeBand, PatientEffects, PatientFacts, Sex, Site
from ml_pipeline.calibration.cases import Cases
from ml_pipeline.calibration.cross_validation import Improvement, folds, improvement, losses
from ml_pipeline.calibration.scaling import balanced_accuracy

Floats = NDArray[np.float64]

# The columns of the design, and which fact (age, sex, site) each is a value of, 0 or 1, [values, facts].
_FACTS = ("age", "sex", "site")
_VALUES: tuple[AgeBand | Sex | Site, ...] = (*AgeBand, *Sex, *Site)
_FACT_OF = np.array([[isinstance(value, kind) for kind in (AgeBand, Sex, Site)] for value in _VALUES], float)

_PENALTIES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
_CONSTANT_PENALTY = 1e-6  # a direction that adds the same to all classes changes nothing and must not drift
_MASKED_COPIES = 4
_KNOWN_SHARE = 0.5  # of the facts in a masked copy
_DECIMALS = 4
_FEWEST_PHOTOS = 10  # with a value, that it gets a row; a rarer one adds nothing


@dataclass(frozen=True, slots=True)
class EffectsChoice:
    """The tables, empty where they were left out, and what cross-validation said of them in each domain.

    `facts` are those that were fitted, `harmful` those that were dropped before; `improvements` are with all the fitted
    facts that the records hold, `improvements_of_one` by fact where a person tells only that one.
    """

    effects: PatientEffects
    facts: tuple[str, ...]
    harmful: tuple[str, ...]
    penalty: float
    improvements: Mapping[Modality, Improvement]
    improvements_of_one: Mapping[str, Mapping[Modality, Improvement]]
    balanced_accuracy_without: Mapping[Modality, float]
    balanced_accuracy_with: Mapping[Modality, float]


@dataclass(frozen=True, slots=True)
class _Trial:
    """Tables for some facts, each photo's [n, values, classes] fitted without its lesion, and what they gain."""

    penalty: float
    tables: Floats
    improvements: Mapping[Modality, Improvement]


def choose_effects(cases: Cases, scores: Floats, *, seed: int = 0) -> EffectsChoice | None:
    """Fit the tables beside the calibrated logits `scores` [n, classes]; None where no fact is known often enough.

    The penalty is the one with the largest cross-validated gain, each domain counting the same. A fact that makes
    a domain's log-loss worse where only it is told is dropped, and the rest is fitted again. The tables are kept when
    the gain is larger than its standard error in every domain and balanced accuracy falls in none.
    """
    facts: tuple[str, ...] = _FACTS
    harmful: set[str] = set()
    while (design := _design(cases.patients, facts)).any():
        trial = _best_trial(cases, scores, design, seed=seed)
        alone = {name: _improvements(cases, scores, _only(design, name), trial.tables) for name in facts}
        worse = {name for name, domains in alone.items() if any(each.mean < 0 for each in domains.values())}
        if not worse:
            return _judged(cases, scores, design, trial, alone, harmful=tuple(sorted(harmful)), seed=seed)
        harmful |= worse
        facts = tuple(name for name in facts if name not in worse)
    return None


def _judged(
    cases: Cases,
    scores: Floats,
    design: Floats,
    trial: _Trial,
    alone: Mapping[str, Mapping[Modality, Improvement]],
    *,
    harmful: tuple[str, ...],
    seed: int,
) -> EffectsChoice:
    before = _accuracies(cases, scores)
    after = _accuracies(cases, scores + _added(design, trial.tables))
    helps = all(each.is_clear and after[domain] >= before[domain] for domain, each in trial.improvements.items())
    effects = PatientEffects()
    if helps:
        effects = _effects(_fit(cases, scores, design, trial.penalty, seed=seed), design, cases.codes)
    return EffectsChoice(effects, tuple(alone), harmful, trial.penalty, trial.improvements, alone, before, after)


def _best_trial(cases: Cases, scores: Floats, design: Floats, *, seed: int) -> _Trial:
    trials = []
    for penalty in _PENALTIES:
        tables = np.zeros((*design.shape, scores.shape[1]))
        for fitting, judging in folds(cases.groups, seed=seed):
            tables[judging] = _fit(cases.take(fitting), scores[fitting], design[fitting], penalty, seed=seed)
        trials.append(_Trial(penalty, tables, _improvements(cases, scores, design, tables)))
    return max(trials, key=lambda trial: sum(each.mean for each in trial.improvements.values()))


def _design(patients: Sequence[PatientFacts], facts: Sequence[str]) -> Floats:
    """One column a value of a fact, 1 where a person tells it, [n, values]; rare values are as good as unknown."""
    told = [(known.age_band, known.sex, known.site) for known in patients]
    design = np.array([[value in known for value in _VALUES] for known in told], float)
    design *= design.sum(axis=0) >= _FEWEST_PHOTOS
    return np.asarray(sum(_only(design, name) for name in facts) + np.zeros_like(design))


def _only(design: Floats, fact: str) -> Floats:
    return np.asarray(design * _FACT_OF[:, _FACTS.index(fact)])


def _fit(cases: Cases, scores: Floats, design: Floats, penalty: float, *, seed: int) -> Floats:
    """Offsets [values, classes] by penalised maximum likelihood.

    Each domain has the same weight in all. Beside the photos with all their facts stand copies with facts struck out at
    random: a table must hold for a person who tells only some.
    """
    domains = np.array([[modality is each for each in Modality] for modality in cases.modalities], float)
    weights = (domains / domains.sum(axis=0).clip(min=1)).sum(axis=1)
    weights /= weights.sum()
    centre = _centre(design, weights)
    told = design @ _FACT_OF
    rng = np.random.default_rng(seed)
    masks = [told, *(told * (rng.random(told.shape) < _KNOWN_SHARE) for _ in range(_MASKED_COPIES))]
    inputs = np.concatenate([np.hstack([(design - centre) * (mask @ _FACT_OF.T), domains]) for mask in masks])
    copies = len(masks)
    parameters = _regression(
        inputs,
        offset=np.tile(scores, (copies, 1)),
        truth=np.tile(np.eye(scores.shape[1])[cases.labels], (copies, 1)),
        weights=np.tile(weights, copies) / copies,
        penalties=np.repeat([penalty, _CONSTANT_PENALTY], [design.shape[1], domains.shape[1]]),
    )
    table = parameters[: design.shape[1]]
    centred = table - _FACT_OF @ (_FACT_OF.T @ (centre[:, np.newaxis] * table))
    return np.asarray(centred * (design.sum(axis=0) > 0)[:, np.newaxis])


def _regression(inputs: Floats, *, offset: Floats, truth: Floats, weights: Floats, penalties: Floats) -> Floats:
    """Coefficients [columns, classes] of a weighted multinomial regression with a fixed offset."""
    shape = (inputs.shape[1], offset.shape[1])

    def loss(flat: Floats) -> tuple[float, Floats]:
        coefficients = flat.reshape(shape)
        log_probabilities = log_softmax(offset + inputs @ coefficients)
        shrunk = penalties[:, np.newaxis] * coefficients
        wrong = weights[:, np.newaxis] * (np.exp(log_probabilities) - truth)
        value = -(weights @ (truth * log_probabilities).sum(axis=1)) + (shrunk * coefficients).sum() / 2
        return float(value), (inputs.T @ wrong + shrunk).ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return np.asarray(found.x.reshape(shape))


def _added(design: Floats, tables: Floats) -> Floats:
    """What each photo's facts add by its own table, [n, classes]."""
    return np.asarray(np.einsum("nv,nvc->nc", design, tables))


def _improvements(cases: Cases, scores: Floats, design: Floats, tables: Floats) -> dict[Modality, Improvement]:
    before, after = losses(scores, cases.labels), losses(scores + _added(design, tables), cases.labels)
    rows = {domain: cases.rows(domain) for domain in cases.domains}
    return {domain: improvement(before[at], after[at], cases.groups[at]) for domain, at in rows.items()}


def _accuracies(cases: Cases, scores: Floats) -> dict[Modality, float]:
    rows = {domain: cases.rows(domain) for domain in cases.domains}
    return {domain: balanced_accuracy(scores[at], cases.labels[at]) for domain, at in rows.items()}


def _effects(table: Floats, design: Floats, codes: Sequence[str]) -> PatientEffects:
    """The tables by value and class; a value that no photo had has no row."""
    rounded = np.round(table, _DECIMALS) + 0.0  # no -0.0
    seen = zip(_VALUES, rounded.tolist(), design.sum(axis=0) > 0, strict=True)
    rows = {value: dict(zip(codes, row, strict=True)) for value, row, has_photos in seen if has_photos}
    return PatientEffects(
        age={value: row for value, row in rows.items() if isinstance(value, AgeBand)},
        sex={value: row for value, row in rows.items() if isinstance(value, Sex)},
        site={value: row for value, row in rows.items() if isinstance(value, Site)},
    )


def _centre(design: Floats, weights: Floats) -> Floats:
    """The weighted share of each value among the photos that tell its fact, [values]."""
    sums = weights @ design
    totals = sums @ _FACT_OF @ _FACT_OF.T
    return np.asarray(np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0))
