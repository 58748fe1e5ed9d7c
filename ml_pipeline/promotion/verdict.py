"""What the gate says: every rule with its numbers, and pass only where none failed."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ml_pipeline.evaluation.bootstrap import DRAWS, Estimate
from ml_pipeline.evaluation.evaluation import EvaluatedModel

FORMAT = 1


class Outcome(StrEnum):
    """What became of one rule. What cannot be judged in one domain is judged over all of them."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule in one domain: both models' numbers, the paired difference (positive: the candidate is better).

    `limit` is what the bound, or the candidate's number, is held against; `said` is the sentence that decides.
    """

    rule: str
    outcome: Outcome
    said: str
    reason: str
    domain: str = ""
    champion: float | None = None
    candidate: float | None = None
    difference: Estimate | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The frozen test: photos and lesions of each modality, and what of the table's test split was left out of it.

    `sha256` covers ids, labels, groups, splits and files; `champion_test` counts the photos that the champion's own
    table holds out, where that is known.
    """

    photos: Mapping[str, int]
    lesions: Mapping[str, int]
    review_photos: int
    unknown_labels: Mapping[str, int]
    champion_test: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's word on a candidate."""

    champion: EvaluatedModel
    candidate: EvaluatedModel
    judged: Judged
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether no rule failed."""
        return not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that speak against the candidate."""
        return tuple(finding for finding in self.findings if finding.outcome is Outcome.FAILED)

    def as_json(self) -> dict[str, Any]:
        """For `verdict.json` and the record of the model; only JSON's types."""
        return {
            "format": FORMAT,
            "passed": self.passed,
            "reasons": [finding.said for finding in self.failed],
            "intervals": f"95 % bootstrap by lesion, paired, {DRAWS} draws",
            **dataclasses.asdict(self),
        }


def finding(rule: str, said: str, reason: str, *, passed: bool, **numbers: Any) -> Finding:
    """A finding that passed or failed."""
    return Finding(rule, Outcome.PASSED if passed else Outcome.FAILED, said, reason, **numbers)
