"""The words of the sources in one spelling: how a label was proven, sex, and the bounds of ages and skin types.

Anatomical sites keep their source's words in lower case: ISIC's `anterior torso` is not HAM10000's `trunk`.
"""

from enum import StrEnum

AGE_YEARS_LOW, AGE_YEARS_HIGH = 0, 120  # ISIC rounds to five years: 0 is a child's age, not a gap
FITZPATRICK_LOW, FITZPATRICK_HIGH = 1, 6


class DiagnosisMethod(StrEnum):
    """How a label was proven, strongest first; it leaks the label and is never a model input."""

    HISTOPATHOLOGY = "histopathology"  # tissue under the microscope
    CONFOCAL = "confocal"  # in-vivo confocal microscopy
    FOLLOW_UP = "follow_up"  # no change over time
    CONSENSUS = "consensus"  # several experts, one photo
    CLINICAL = "clinical"  # a doctor saw the person, nothing was taken
    OPINION = "opinion"  # an expert saw the photo alone


# HAM10000's `dx_type` (Tschandl 2018), ISIC's `diagnosis_confirm_type`, and our own words
DIAGNOSIS_METHODS: dict[str, str] = {
    **{method.value: method.value for method in DiagnosisMethod},
    "histo": DiagnosisMethod.HISTOPATHOLOGY.value,
    "serial imaging showing no change": DiagnosisMethod.FOLLOW_UP.value,
    "single image expert consensus": DiagnosisMethod.CONSENSUS.value,
    "confocal microscopy with consensus dermoscopy": DiagnosisMethod.CONFOCAL.value,
    "single contributor clinical assessment": DiagnosisMethod.CLINICAL.value,
}

SEXES: dict[str, str] = {"female": "female", "male": "male"}
