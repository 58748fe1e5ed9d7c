"""Which classes a reviewer may name, and by which key. The same for all cases of one model: it must tell no answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest

from api import ml_state
from api.i18n import translated
from api.models import Prediction
from ml_models.classification import Severity
from ml_models.errors import ArtefactError
from ml_models.labels import BY_CODE, CATALOGUE, CODES, GENERIC_ADVICE, Label

# Without those that the page uses for itself: not a lesion, unsure, skip, zoom, modality, basis.
CLASS_KEYS = "123456789acdefghijklopqrtvwxy"


@dataclass(frozen=True, slots=True)
class ClassChoice:
    """One class as a reviewer names it; `key` is empty where the keyboard has too few."""

    key: str
    code: str
    name: str


def classes_of(model_digest: str) -> tuple[Label, ...]:
    """The classes of the model that answered, then those of the catalogue that it cannot name."""
    own = _labels_of_model(model_digest)
    return (*own.values(), *(label for label in CATALOGUE if label.code not in own))


def class_choices(model_digest: str) -> tuple[ClassChoice, ...]:
    """The same with keys, in the active language."""
    keyed = zip_longest(classes_of(model_digest), CLASS_KEYS, fillvalue="")
    return tuple(
        ClassChoice(key, label.code, translated(label.name)) for label, key in keyed if isinstance(label, Label)
    )


def class_names(model_digest: str) -> dict[str, str]:
    """What each class is called, in the active language."""
    return {label.code: translated(label.name) for label in classes_of(model_digest)}


def is_benign(code: str, model_digest: str) -> bool:
    """Whether a class is known not to be malignant."""
    return any(label.code == code and label.malignant is False for label in classes_of(model_digest))


def _labels_of_model(digest: str) -> Mapping[str, Label]:
    """As its document says where it is live, else from the codes in the log: names there are of likely classes only."""
    try:
        live = ml_state.classifier()
    except ArtefactError:
        live = None
    if live is not None and live.identity.digest == digest:
        return {label.code: label for label in live.document.labels}
    logged = Prediction.objects.filter(model_digest=digest, probabilities__isnull=False).order_by("created_at").first()
    codes = set((logged and logged.probabilities) or ())
    ordered = [*(code for code in CODES if code in codes), *sorted(codes - set(CODES))]
    return {code: BY_CODE.get(code) or _unknown(code) for code in ordered}


def _unknown(code: str) -> Label:
    name = " ".join(code.replace("_", " ").replace("-", " ").split())
    return Label(code, name[:1].upper() + name[1:], malignant=None, severity=Severity.MODERATE, advice=GENERIC_ADVICE)
