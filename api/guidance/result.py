"""What the app says of a result, understood: which class, how soon, and whether it must not be played down."""

from dataclasses import dataclass

from api.guidance import matcher
from api.guidance.classes import BY_LABEL, Urgency
from api.text import folded
from ml_models import labels
from ml_models.classification import Severity

_BY_SEVERITY = {Severity.HIGH: Urgency.DAYS, Severity.MODERATE: Urgency.WEEKS, Severity.LOW: Urgency.WATCH}


@dataclass(frozen=True, slots=True)
class Result:
    """`label` is None for a class that is not known here, `urgency` None where nothing is known at all."""

    label: str | None
    urgency: Urgency | None
    is_unusable: bool
    is_suspicious: bool
    is_contradicted: bool  # a benign name beside signs of cancer

    @property
    def is_known(self) -> bool:
        """Whether there is anything to explain."""
        return self.label is not None or self.urgency is not None


def read_result(*, disease: str, severity: str) -> Result:
    """Understand a diagnosis as this server words it, or by any of its names, and a severity in any case.

    The sooner of the class's and the severity's urgency counts. A severity that is the class's own says nothing new,
    so a plain basal cell carcinoma keeps its two weeks; a hedged one ("unsure", "possible malignancy") does not.
    """
    is_unusable = matcher.is_unusable(disease)
    label = None if is_unusable else matcher.label_of(disease)
    known_severity = next((each for each in Severity if each.lower() == folded(severity)), None)
    is_hedged = matcher.is_hedged(disease)
    urgencies = [BY_LABEL[label].urgency] if label else []
    if known_severity and (is_hedged or label is None or known_severity is not labels.BY_CODE[label].severity):
        urgencies.append(_BY_SEVERITY[known_severity])
    urgency = min(urgencies, default=None)
    is_malignant = label is not None and labels.BY_CODE[label].malignant is not False
    is_urgent = urgency is not None and urgency <= Urgency.TWO_WEEKS
    return Result(
        label=label,
        urgency=urgency,
        is_unusable=is_unusable,
        is_suspicious=is_malignant or is_urgent,
        is_contradicted=is_urgent and not is_malignant and label is not None,
    )
