"""Two models on the same photos: paired bootstrap by lesion, and who was right where the other was wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.bootstrap import Estimate, Gain, estimate, gains
from ml_pipeline.evaluation.measure import domain_rows
from ml_pipeline.evaluation.metrics import photo_metrics
from ml_pipeline.evaluation.predictions import Predictions

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Agreement:
    """The four counts of McNemar (1947): photos by whose most probable class was right."""

    both_right: int
    only_first: int
    only_second: int
    both_wrong: int


@dataclass(frozen=True, slots=True)
class ComparedDomain:
    """Both models' figures on one domain, and what the second gains; positive gains are better, whatever the figure."""

    name: str
    photos: int
    lesions: int
    first: Mapping[str, Estimate]
    second: Mapping[str, Estimate]
    gains: Mapping[str, Gain]
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Comparison:
    """Names of the models, and each domain on its own."""

    first: str
    second: str
    domains: tuple[ComparedDomain, ...]


def compare(first: Predictions, second: Predictions) -> Comparison:
    """Compare two models. Raises PipelineError unless photos, truths, groups and label sets are the same."""
    second = _in_order_of(first, second)
    _refuse_other_photos(first, second)
    return Comparison(
        first.model,
        second.model,
        tuple(
            _domain(name, first.answers.take(rows), second.answers.take(rows))
            for name, rows in domain_rows(first.modalities).items()
        ),
    )


def _domain(name: str, first: Answers, second: Answers) -> ComparedDomain:
    ours, theirs = photo_metrics(first), photo_metrics(second)
    named = {figure: metric for figure, metric in ours.items() if figure in theirs}
    right, other_right = first.predicted == first.labels, second.predicted == second.labels
    return ComparedDomain(
        name=name,
        photos=len(first.labels),
        lesions=first.lesions,
        first=estimate(first, named),
        second=estimate(second, named),
        gains=gains(first, second, named),
        agreement=Agreement(
            both_right=int((right & other_right).sum()),
            only_first=int((right & ~other_right).sum()),
            only_second=int((~right & other_right).sum()),
            both_wrong=int((~right & ~other_right).sum()),
        ),
    )


def _in_order_of(first: Predictions, second: Predictions) -> Predictions:
    """The second's photos and classes in the first's order."""
    codes, others = first.answers.codes, second.answers.codes
    if set(codes) != set(others):
        raise PipelineError(
            f"{first.model} knows {', '.join(codes)}, and {second.model} {', '.join(others)}: figures over different "
            "classes cannot be set against each other. Compare models of one label set."
        )
    only = sorted(set(first.image_ids.tolist()) ^ set(second.image_ids.tolist()))
    if only:
        raise PipelineError(
            f"{len(only)} photos were answered by one model only, such as {', '.join(only[:_SHOWN])}. "
            "Evaluate both on the same photos."
        )
    place = {image_id: row for row, image_id in enumerate(second.image_ids.tolist())}
    rows = np.array([place[image_id] for image_id in first.image_ids.tolist()])
    columns = np.array([others.index(code) for code in codes])
    answers = second.answers.take(rows)
    return Predictions(
        second.model,
        Answers(
            answers.probabilities[:, columns],
            np.argsort(columns)[answers.labels].astype(np.int32),
            answers.groups,
            codes,
            answers.malignant[columns],
            answers.thresholds,
            answers.malignancy_known,
        ),
        second.image_ids[rows],
        second.digests[rows],
        second.modalities[rows],
    )


def _refuse_other_photos(first: Predictions, second: Predictions) -> None:
    for what, ours, theirs in (
        ("file", first.digests, second.digests),
        ("label", first.answers.labels, second.answers.labels),
        ("lesion group", first.answers.groups, second.answers.groups),
        ("modality", first.modalities, second.modalities),
    ):
        differ = first.image_ids[ours != theirs]
        if len(differ):
            raise PipelineError(
                f"{len(differ)} photos have another {what} for {second.model} than for {first.model}, such as "
                f"{', '.join(differ[:_SHOWN].tolist())}. Evaluate both on the same photos and labels."
            )
