"""From probabilities to what the person is told: one pure function over what `model.json` says.

The rows of the severity table each contribute a severity; the highest wins, and safe is only what no row calls unsafe.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ml_models.classification import Decision, Malignancy, Modality, Reason, ReasonCode, Severity, Status
from ml_models.errors import InferenceError
from ml_models.labels import Label

REASON_TEXTS: dict[ReasonCode, str] = {
    ReasonCode.NO_DETAIL: "The photo shows too little detail: it is blank, covered, faint or very small.",
    ReasonCode.TOO_BLURRED: "The photo is blurred: hold still, tap the spot to focus, and do not go too close.",
    ReasonCode.TOO_DARK: "The photo is too dark: take it in daylight or under a bright lamp.",
    ReasonCode.WASHED_OUT: "The photo is overexposed: turn the flash off and avoid direct sun.",
    ReasonCode.NOT_A_LESION: "This does not look like a photo of a spot on the skin.",
    ReasonCode.LESION_TOO_SMALL: "The spot is too small in the photo: go closer, until it fills about a third of it.",
    ReasonCode.LESION_CUT_OFF: "The spot is cut off: move it to the middle, with skin around it on all sides.",
    ReasonCode.LOW_CONFIDENCE: "Diagnoses that call for different care remain possible, so no single one is trusted.",
    ReasonCode.SUSPICIOUS: "The probability of a malignant lesion is at or over the warning threshold.",
    ReasonCode.UNKNOWN_MALIGNANCY: "Of a class that is likely here it is not known whether it is malignant.",
    ReasonCode.NOT_VALIDATED: "This kind of photo has not been validated, so the answer cannot be called safe.",
    ReasonCode.PHOTOS_DISAGREE: "One of the photos alone looks suspicious, so the others are no all-clear.",
}

REJECTED_DIAGNOSIS = "Photo not usable"
RETAKE = (
    "Take the photo again: in daylight, sharp, straight from above, with the spot filling about a third of the frame."
)
SUSPICIOUS_ADVICE = "There are signs that need a doctor's eye: have a dermatologist look at it within days."
UNCERTAIN_ADVICE = "The program cannot tell what this is. Take a sharper photo, and have a doctor look at it."
DISAGREEING_ADVICE = "One of the photos alone shows signs that need a doctor's eye: have a dermatologist look at it."
UNVALIDATED_ADVICE = "This answer is no all-clear."
UNSURE, POSSIBLY_MALIGNANT = "Unsure, possibly: ", "; possible malignancy"
_PROBABILITY_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """What the decision reads from the artefact.

    `labels` in output order, thresholds on the summed malignant probability per validated modality, the probability
    from which on a class belongs to the conformal prediction set, and the modalities for which gates of quality and
    domain were chosen.
    """

    labels: tuple[Label, ...]
    malignancy_thresholds: Mapping[Modality, float]
    prediction_sets: Mapping[Modality, float]
    gated: tuple[Modality, ...] = ()

    def threshold_for(self, modality: Modality | None) -> float | None:
        """The modality's threshold; for an unknown or unvalidated one the most cautious that exists."""
        most_cautious = min(self.malignancy_thresholds.values(), default=None)
        return most_cautious if modality is None else self.malignancy_thresholds.get(modality, most_cautious)

    def possible(self, probabilities: Mapping[str, float], modality: Modality | None) -> tuple[Label, ...]:
        """The prediction set, most probable first: the classes that cannot be ruled out, by the modality's own limit.

        For an unknown or unmeasured modality by the lowest limit, so that the set is the largest.
        """
        lowest = min(self.prediction_sets.values(), default=0.0)
        limit = self.prediction_sets.get(modality, lowest) if modality else lowest
        within = [label for label in self.labels if probabilities[label.code] >= limit]
        return tuple(sorted(within, key=lambda label: -probabilities[label.code]))

    def is_validated(self, modality: Modality | None) -> bool:
        """Whether an answer about such a photo may be called safe at all."""
        return modality in self.gated and modality in self.malignancy_thresholds


def decide(
    probabilities: Mapping[str, float] | None,
    rules: DecisionRules,
    *,
    rejections: tuple[ReasonCode, ...] = (),
    modality: Modality | None = None,
    photos: Sequence[Mapping[str, float]] = (),
) -> Decision:
    """Decide on one lesion.

    `probabilities` maps every label to its calibrated probability, None only with `rejections`. `modality` is what a
    gate found the photos to be, None when that is not certain. `photos` are the probabilities of each of several
    photos alone, refused ones too: the lesion is safe only if each of them alone is suspicious of nothing and leaves
    only classes of low severity possible. Raises InferenceError when the probabilities do not fit the labels or do not
    sum to 1.
    """
    if rejections:
        return _rejected(rejections, rules.threshold_for(modality))
    if probabilities is None:
        raise InferenceError("No probabilities and no reason for rejecting: the caller must give one of them.")
    for each in (probabilities, *photos):
        _check(each, rules)
    top = _top(probabilities, rules)
    malignancy = _malignancy(probabilities, rules, modality)
    possible = rules.possible(probabilities, modality)
    uncertain = len({_care(label) for label in possible}) != 1
    disagree = _is_calm(probabilities, rules, modality) and not all(_is_calm(each, rules, modality) for each in photos)
    validated = rules.is_validated(modality)

    severities, reasons = [top.severity], []
    if uncertain:
        severities.append(Severity.MODERATE)
        reasons.append(ReasonCode.LOW_CONFIDENCE)
    if malignancy.suspicious:
        severities.append(Severity.HIGH)
        reasons.append(ReasonCode.SUSPICIOUS)
    if _may_be_malignant(probabilities, rules, malignancy, top):
        severities.append(Severity.MODERATE)
        reasons.append(ReasonCode.UNKNOWN_MALIGNANCY)
    if disagree:
        severities.append(Severity.MODERATE)
        reasons.append(ReasonCode.PHOTOS_DISAGREE)
    if not validated:
        severities.append(Severity.MODERATE)
        reasons.append(ReasonCode.NOT_VALIDATED)
    severity = max(severities, key=lambda each: each.rank)
    return Decision(
        status=Status.UNCERTAIN if uncertain else Status.OK,
        label=top.code,
        possible=tuple(label.code for label in possible),
        diagnosis=_diagnosis(top, uncertain=uncertain, suspicious=malignancy.suspicious),
        confidence_percent=round(100 * probabilities[top.code], 1),
        severity=severity,
        advice=_advice(
            top, uncertain=uncertain, suspicious=malignancy.suspicious, disagree=disagree, validated=validated
        ),
        is_safe=not reasons and top.malignant is False and severity is Severity.LOW,
        malignancy=malignancy,
        reasons=_with_texts(tuple(reasons)),
    )


def _rejected(rejections: tuple[ReasonCode, ...], threshold: float | None) -> Decision:
    reasons = _with_texts(rejections)
    return Decision(
        status=Status.REJECTED,
        label=None,
        possible=(),
        diagnosis=REJECTED_DIAGNOSIS,
        confidence_percent=0.0,
        severity=Severity.MODERATE,
        advice=" ".join([*(reason.text for reason in reasons), RETAKE]),
        is_safe=False,
        malignancy=Malignancy(probability=None, threshold=threshold, suspicious=False),
        reasons=reasons,
    )


def _check(probabilities: Mapping[str, float], rules: DecisionRules) -> None:
    if set(probabilities) != {label.code for label in rules.labels}:
        raise InferenceError(f"Probabilities for {sorted(probabilities)} do not fit the model's labels.")
    values = probabilities.values()
    in_range = all(math.isfinite(value) and value >= 0 for value in values)
    if not in_range or abs(sum(values) - 1) > _PROBABILITY_TOLERANCE:
        raise InferenceError("Probabilities must be finite, not negative and sum to 1. Check the artefact.")


def _top(probabilities: Mapping[str, float], rules: DecisionRules) -> Label:
    return max(rules.labels, key=lambda label: probabilities[label.code])


def _care(label: Label) -> str:
    """What two classes must share for it not to matter which of them it is; unknown malignancy shares nothing."""
    return f"class {label.code}" if label.malignant is None else label.severity.value


def _is_calm(probabilities: Mapping[str, float], rules: DecisionRules, modality: Modality | None) -> bool:
    """Whether nothing is suspicious, and only classes of low severity are possible."""
    cares = {_care(label) for label in rules.possible(probabilities, modality)}
    return cares == {Severity.LOW.value} and not _malignancy(probabilities, rules, modality).suspicious


def _malignancy(probabilities: Mapping[str, float], rules: DecisionRules, modality: Modality | None) -> Malignancy:
    """Sum over the labels known to be malignant, as in the evaluation that chose the threshold.

    None where no label is known to be malignant, but some might be; where no threshold exists, a malignant top class is
    suspicious.
    """
    threshold = rules.threshold_for(modality)
    if {None} <= {label.malignant for label in rules.labels} <= {None, False}:
        return Malignancy(probability=None, threshold=threshold, suspicious=False)
    probability = _share(probabilities, rules, malignant=True)
    suspicious = _top(probabilities, rules).malignant is True if threshold is None else probability >= threshold
    return Malignancy(probability=probability, threshold=threshold, suspicious=suspicious)


def _may_be_malignant(
    probabilities: Mapping[str, float], rules: DecisionRules, malignancy: Malignancy, top: Label
) -> bool:
    """Whether the answer would be another one if classes of unknown malignancy were malignant."""
    if top.malignant is None:
        return True
    unknown = _share(probabilities, rules, malignant=None)
    threshold = malignancy.threshold
    return unknown > 0 and threshold is not None and (malignancy.probability or 0) + unknown >= threshold


def _share(probabilities: Mapping[str, float], rules: DecisionRules, *, malignant: bool | None) -> float:
    """Summed probability of the labels with this malignancy."""
    return min(1.0, sum(probabilities[label.code] for label in rules.labels if label.malignant is malignant))


def _diagnosis(top: Label, *, uncertain: bool, suspicious: bool) -> str:
    text = f"{UNSURE}{top.name}" if uncertain else top.name
    return f"{text}{POSSIBLY_MALIGNANT}" if suspicious and not top.malignant else text


def _advice(top: Label, *, uncertain: bool, suspicious: bool, disagree: bool, validated: bool) -> str:
    """The most urgent sentence first; the class's own advice only when the class is believed."""
    believed = not uncertain and not (suspicious and not top.malignant)
    sentences = []
    if suspicious and not (believed and top.severity is Severity.HIGH):
        sentences.append(SUSPICIOUS_ADVICE)
    if disagree:
        sentences.append(DISAGREEING_ADVICE)
    if uncertain:
        sentences.append(UNCERTAIN_ADVICE)
    if believed:
        sentences.append(top.advice)
    if not validated:
        sentences.append(UNVALIDATED_ADVICE)
    return " ".join(sentences)


def _with_texts(codes: tuple[ReasonCode, ...]) -> tuple[Reason, ...]:
    return tuple(Reason(code, REASON_TEXTS[code]) for code in codes)
