"""What a client claims that it was told, against what the server's own record says."""

import re
from dataclasses import dataclass

from api.i18n import wordings
from api.models import Scan
from ml_models.classification import Severity

_ROUNDING_PERCENT = 1.0  # the app shows whole per cents


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a claim differs from the record. `plays_down`: it claims less danger than the server saw."""

    fields: tuple[str, ...]
    plays_down: bool


def mismatch_of(scan: Scan) -> Mismatch | None:
    """How the scan's claims differ from the server's own answer; None where they agree or there is no answer."""
    answer = scan.prediction
    if answer is None:
        return None
    agrees = {
        "diagnosis": scan.claimed_diagnosis in wordings(answer.diagnosis),
        "confidence": _is_near(scan.claimed_confidence, answer.confidence_percent),
        "severity": scan.claimed_severity == answer.severity,
        "advice": scan.claimed_advice in wordings(answer.advice),
        "is_safe": scan.claimed_is_safe == answer.is_safe,
    }
    differing = tuple(name for name, same in agrees.items() if not same)
    milder = Severity(scan.claimed_severity).rank < Severity(answer.severity).rank
    return (
        Mismatch(differing, plays_down=milder or (scan.claimed_is_safe and not answer.is_safe)) if differing else None
    )


def _is_near(claimed: str, percent: float) -> bool:
    number = re.search(r"\d+(?:[.,]\d+)?", claimed)
    return number is not None and abs(float(number[0].replace(",", ".")) - percent) <= _ROUNDING_PERCENT
