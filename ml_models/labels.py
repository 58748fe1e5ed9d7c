"""The one table of known classes. A model carries its own copy of the rows it uses in `model.json`."""

from dataclasses import dataclass

from ml_models.classification import Severity


@dataclass(frozen=True, slots=True)
class Label:
    """One class: stable `code`, name for people, malignancy (None: unknown), base severity, advice, source names."""

    code: str
    name: str
    malignant: bool | None
    severity: Severity
    advice: str
    aliases: tuple[str, ...] = ()


# For a class of which nobody has said what to do.
GENERIC_ADVICE = "Have a doctor look at it, and soon if it grows, changes, itches, hurts or bleeds."
# The columns of the log; a diagnosis is a name with words of doubt around it.
MAX_CODE_CHARACTERS, MAX_NAME_CHARACTERS = 64, 200

_SOON = "Have a dermatologist look at it within days; do not wait for it to change."
_WATCH = "Watch it, photograph it again in a few weeks, and see a doctor if it grows, changes, itches or bleeds."

# Order and spelling are fixed: model outputs, logs and clients rely on them. Aliases: ISIC 2018/2019, PAD-UFES-20.
CATALOGUE: tuple[Label, ...] = (
    Label(
        "akiec",
        "Actinic keratosis or intraepithelial carcinoma (Bowen's disease)",
        malignant=True,
        severity=Severity.MODERATE,
        advice="This can turn into skin cancer and is treatable. Book a dermatologist within weeks.",
        aliases=("AK", "AKIEC", "ACK"),
    ),
    Label(
        "bcc",
        "Basal cell carcinoma",
        malignant=True,
        severity=Severity.HIGH,
        advice="It grows slowly but needs treatment. See a dermatologist within the next two weeks.",
        aliases=("BCC",),
    ),
    Label(
        "bkl",
        "Benign keratosis (seborrhoeic keratosis, solar lentigo, lichen-planus-like keratosis)",
        malignant=False,
        severity=Severity.LOW,
        advice=_WATCH,
        aliases=("BKL", "SEK"),
    ),
    Label(
        "df",
        "Dermatofibroma",
        malignant=False,
        severity=Severity.LOW,
        advice=_WATCH,
        aliases=("DF",),
    ),
    Label(
        "mel",
        "Melanoma",
        malignant=True,
        severity=Severity.HIGH,
        advice=_SOON,
        aliases=("MEL",),
    ),
    Label(
        "nv",
        "Melanocytic nevus (mole)",
        malignant=False,
        severity=Severity.LOW,
        advice=_WATCH,
        aliases=("NV", "NEV"),
    ),
    Label(
        "scc",
        "Squamous cell carcinoma",
        malignant=True,
        severity=Severity.HIGH,
        advice=_SOON,
        aliases=("SCC",),
    ),
    Label(
        "vasc",
        "Vascular lesion (angioma, angiokeratoma, haemorrhage)",
        malignant=False,
        severity=Severity.LOW,
        advice=_WATCH,
        aliases=("VASC",),
    ),
)

CODES: tuple[str, ...] = tuple(label.code for label in CATALOGUE)
BY_CODE: dict[str, Label] = {label.code: label for label in CATALOGUE}
BY_ALIAS: dict[str, Label] = {alias: label for label in CATALOGUE for alias in (label.code, *label.aliases)}


def problem_with(label: Label) -> str | None:
    """Why no model may have such a class: it would let a malignant one pass as harmless, or cannot be logged."""
    known = BY_CODE.get(label.code)
    if known and known.malignant is not label.malignant:
        return f"malignant of {label.code} is {label.malignant}, but it is known to be {known.malignant}"
    if label.malignant and label.severity is Severity.LOW:
        return f"{label.code} is malignant, but its severity is {label.severity}"
    if not 0 < len(label.code) <= MAX_CODE_CHARACTERS or not 0 < len(label.name) <= MAX_NAME_CHARACTERS:
        return (
            f"code {label.code!r} and name {label.name!r} must have 1 to {MAX_CODE_CHARACTERS} and 1 to "
            f"{MAX_NAME_CHARACTERS} characters"
        )
    return None
