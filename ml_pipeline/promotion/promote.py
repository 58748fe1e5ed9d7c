"""From two model folders and a table to a verdict: what is judged, who has seen what, and both models asked."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import LITERT_MODEL
from ml_models.classifier import Classifier, load_classifier
from ml_pipeline.data.lineage import Lineage, proven
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.proof import refuse_leakage
from ml_pipeline.data.records import Record, Split, of_split, records_digest
from ml_pipeline.data.sources import reviews
from ml_pipeline.data.split import Link
from ml_pipeline.errors import LeakageError, PipelineError
from ml_pipeline.evaluation.evaluation import evaluated_model
from ml_pipeline.progress import Progress, silence
from ml_pipeline.promotion.gate import Contender, Contest, judge
from ml_pipeline.promotion.latency import Clock, latency_ratio
from ml_pipeline.promotion.leakage import copies_among, gone, leaks
from ml_pipeline.promotion.rules import RULES, Rules
from ml_pipeline.promotion.served import serve
from ml_pipeline.promotion.verdict import Judged, Verdict

_TIMED_PHOTOS = 16


@dataclass(frozen=True, slots=True)
class Entrant:
    """A model folder, and what the model was trained on as far as that is known."""

    folder: Path
    lineage: Lineage | None


@dataclass(frozen=True, slots=True)
class Work:
    """How to work: the cache of what is known of files, threads and processes, how to tell, which clock to time by."""

    cache: Path
    workers: int = 1
    progress: Progress = silence
    clock: Clock = time.perf_counter


def promote(
    candidate: Entrant, champion: Entrant, records: Sequence[Record], *, work: Work, rules: Rules = RULES
) -> Verdict:
    """Judge a candidate beside the champion on the test split of `records`.

    Photos that only reviews brought in are left out: they were chosen by a model's doubts. Raises LeakageError for
    records that leak and for a lineage that is not the model's, and PipelineError where nothing is left to judge by.
    """
    refuse_leakage(records)
    theirs, ours = (load_classifier(each.folder, pool_size=work.workers) for each in (champion, candidate))
    codes = set(theirs.document.codes) & set(ours.document.codes)
    test = frozen_test(records)
    judged = [record for record in test if record.label in codes]
    if not judged:
        raise PipelineError(
            "The table has no test photos to judge by, other than reviewed ones, whose labels both models know. "
            "Build it with --test and from data sets that were not chosen by a model."
        )
    champion, candidate = _known(champion, theirs, records), _known(candidate, ours, records)
    copies = copies_among(
        [*judged, *_seen(champion), *_seen(candidate)], cache=work.cache, workers=work.workers, progress=work.progress
    )
    contest = Contest(
        champion=_contender("champion", champion, theirs, judged, copies, work),
        candidate=_contender("candidate", candidate, ours, judged, copies, work),
        records=judged,
        judged=_judged(records, judged, test, champion),
        latency_ratio=latency_ratio(theirs, ours, _timed(judged, (theirs, ours)), clock=work.clock),
        frozen_missing=_frozen_missing(champion, judged),
    )
    return judge(contest, rules)


def frozen_test(records: Sequence[Record]) -> tuple[Record, ...]:
    """The test split without photos that only reviews brought in."""
    return tuple(record for record in of_split(records, Split.TEST) if record.sources != reviews.SOURCE)


def _known(entrant: Entrant, classifier: Classifier, records: Sequence[Record]) -> Entrant:
    """The entrant with its lineage proven, or found where the table judged by is the one that it was trained on."""
    if entrant.lineage is not None:
        return Entrant(entrant.folder, proven(entrant.lineage.table, classifier.document, entrant.lineage.before))
    try:
        return Entrant(entrant.folder, proven(records, classifier.document))
    except LeakageError:  # another table than its own: the gate says that its training is not known
        return entrant


def _seen(entrant: Entrant) -> tuple[Record, ...]:
    return entrant.lineage.seen if entrant.lineage else ()


def _contender(
    role: str,
    entrant: Entrant,
    classifier: Classifier,
    judged: Sequence[Record],
    copies: Sequence[Link],
    work: Work,
) -> Contender:
    return Contender(
        role=role,
        document=classifier.document,
        model=evaluated_model(classifier.document, classifier.identity),
        served=serve(classifier, judged, workers=work.workers, progress=work.progress),
        leaks=leaks(judged, entrant.lineage.seen, copies) if entrant.lineage else None,
        gone=gone(_seen(entrant)),
        size_bytes=(entrant.folder / LITERT_MODEL).stat().st_size,
    )


def _judged(records: Sequence[Record], judged: Sequence[Record], test: Sequence[Record], champion: Entrant) -> Judged:
    codes = {record.label for record in judged}
    return Judged(
        photos=_counted(judged),
        lesions={
            modality: len({record.group for record in judged if record.modality == modality})
            for modality in _counted(judged)
        },
        review_photos=len(of_split(records, Split.TEST)) - len(test),
        unknown_labels=dict(sorted(Counter(record.label for record in test if record.label not in codes).items())),
        champion_test=len(of_split(champion.lineage.table, Split.TEST)) if champion.lineage else None,
        sha256=records_digest(judged),
    )


def _counted(records: Sequence[Record]) -> Mapping[str, int]:
    return dict(sorted(Counter(str(record.modality) for record in records).items()))


def _frozen_missing(champion: Entrant, judged: Sequence[Record]) -> float | None:
    """The share of the champion's own test photos, reviewed ones aside, that are not judged by."""
    if champion.lineage is None:
        return None
    own = {record.image_id for record in frozen_test(champion.lineage.table)}
    return len(own - {record.image_id for record in judged}) / len(own) if own else None


def _timed(judged: Sequence[Record], classifiers: Sequence[Classifier]) -> list[NDArray[np.uint8]]:
    """Some photos, spread over the test, decoded for the larger input."""
    size_px = max(classifier.document.input.size_px for classifier in classifiers)
    spread = judged[:: max(1, len(judged) // _TIMED_PHOTOS)][:_TIMED_PHOTOS]
    return [read_rgb(record, model_input_px=size_px) for record in spread]
