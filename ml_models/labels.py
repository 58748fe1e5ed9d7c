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
