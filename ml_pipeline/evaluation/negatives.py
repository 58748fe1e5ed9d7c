"""What a model says to photos that show no lesion."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sklearn.metrics import roc_auc_score

from ml_models.classification import Classification, ReasonCode, Status
from ml_models.classifier import Classifier
from ml_pipeline.data.records import Split
from ml_pipeline.gating.negatives import find_negatives, read_negative

LESION = "lesion_photo"


@dataclass(frozen=True, slots=True)
class JudgedNegatives:
    """One source: how many photos were refused, how many of them as no lesion, answered, and called safe.

    `chosen_on` says whether gates were fitted to or chosen on photos of a source of this name; then only its test
    photos are judged. `auroc` is that of the lesion score between the lesions asked about and these photos, None for a
    model without heads.
    """

    source: str
    chosen_on: bool
    photos: int
    rejected: int
    not_a_lesion: int
    answered: int
    safe: int
    auroc: float | None


def judge_negatives(
    classifier: Classifier, folder: Path, lesions: Sequence[Classification], *, workers: int = 1
) -> JudgedNegatives:
    """Ask about the photos below a folder; of a source that choices were made on, those held out of them.

    `lesions` are the model's answers to photos of lesions.
    """
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
        auroc=_auroc(lesions, given),
    )


def _auroc(lesions: Sequence[Classification], others: Sequence[Classification]) -> float | None:
    scores = [each.photos[0].gate_scores.get(LESION) for each in (*lesions, *others)]
    if not lesions or None in scores:
        return None
    return float(roc_auc_score([1] * len(lesions) + [0] * len(others), scores))
