"""What a model says to photos that show no lesion."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ml_models.classification import Classification, ReasonCode, Status
from ml_models.classifier import Classifier
from ml_pipeline.data.records import Split
from ml_pipeline.gating.negatives import find_negatives, read_negative


@dataclass(frozen=True, slots=True)
class JudgedNegatives:
    """One source: how many photos were refused, how many of them as no lesion, answered, and called safe.

    `chosen_on` says whether gates were fitted to or chosen on photos of a source of this name; then only its test
    photos are judged.
    """

    source: str
    chosen_on: bool
    photos: int
    rejected: int
    not_a_lesion: int
    answered: int
    safe: int


def judge_negatives(classifier: Classifier, folder: Path, *, workers: int = 1) -> JudgedNegatives:
    """Ask about the photos below a folder; of a source that choices were made on, those held out of them."""
    used = classifier.document.provenance.get("negatives", {}).get("chosen_on", [])
    chosen_on = folder.name in used
    paths = find_negatives(folder, held_out=not chosen_on).of_split(Split.TEST)
    size_px = classifier.document.input.size_px

    def ask(path: Path) -> Classification:
        return classifier.classify(read_negative(path, model_input_px=size_px))

    with ThreadPoolExecutor(workers) as pool:
        given = list(pool.map(ask, paths))
    reasons = Counter(reason for each in given for reason in each.photos[0].rejections)
    return JudgedNegatives(
        source=folder.name,
        chosen_on=chosen_on,
        photos=len(given),
        rejected=sum(each.decision.status is Status.REJECTED for each in given),
        not_a_lesion=reasons[ReasonCode.NOT_A_LESION],
        answered=sum(each.decision.status is not Status.REJECTED for each in given),
        safe=sum(each.decision.is_safe for each in given),
    )
