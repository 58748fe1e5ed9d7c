"""What a name that people give to a class means: a code of the label table, or a class of its own."""

import re
import unicodedata

from ml_models.labels import BY_ALIAS, CATALOGUE

# Whole names that mean one class without doubt. Whatever could mean two (lentigo, angioma, Bowen's disease, benign)
# stays a class of its own until a mapping file decides.
_FULL_NAMES: dict[str, tuple[str, ...]] = {
    "akiec": (
        "actinic keratosis",
        "actinic keratoses",
        "actinic keratoses and intraepithelial carcinoma",
    ),
    "bkl": (
        "benign keratosis",
        "benign keratosis-like lesion",
        "benign keratosis-like lesions",
        "pigmented benign keratosis",
        "seborrheic keratosis",
        "seborrheic keratoses",
        "seborrhoeic keratosis",
        "seborrhoeic keratoses",
    ),
    "mel": ("malignant melanoma",),
    "nv": (
        "nevus",
        "nevi",
        "naevus",
        "naevi",
        "melanocytic nevus",
        "melanocytic nevi",
        "melanocytic naevus",
        "melanocytic naevi",
    ),
    "vasc": ("vascular lesion", "vascular lesions"),
}


def label_of(name: str) -> str:
    """Our code of a known alias or full name, whatever its case, spaces, dashes and underscores; else a clean slug.

    The slug is empty for a name without any letter or digit.
    """
    return _CODES.get(_letters(name)) or re.sub(r"[\W_]+", "_", _folded(name)).strip("_")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", _folded(name))


_CODES: dict[str, str] = {
    **{_letters(alias): label.code for alias, label in BY_ALIAS.items()},
    **{_letters(label.name): label.code for label in CATALOGUE},
    **{_letters(name): code for code, names in _FULL_NAMES.items() for name in names},
}
