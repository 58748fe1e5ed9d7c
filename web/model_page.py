"""What the live model's own document says of it, as the page shows it. Measures and rounds nothing away."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.template.defaultfilters import floatformat
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from api import ml_state

SKIN_TYPE = "Fitzpatrick type"  # the fact's name in the document's slices
_UNKNOWN = "unknown"
_DOMAINS: dict[str, Promise] = {
    "dermatoscopic": _("Photos through a dermatoscope"),
    "clinical": _("Photos by a phone or camera"),
}
# Shares are told in per cent, the others as they are.
_SHARES: dict[str, Promise] = {
    "melanoma_sensitivity_at_threshold": _("Melanomas that it warned of"),
    "malignant_sensitivity_at_threshold": _("Cancers and precursors that it warned of"),
    "malignant_specificity_at_threshold": _("Harmless spots that it did not warn of"),
    "accuracy": _("Right diagnoses"),
    "balanced_accuracy": _("Right diagnoses, with every diagnosis counting the same"),
}
_SCORES: dict[str, Promise] = {
    "malignant_auc": _("Tells cancer from harmless spots (AUC; 0.5 is guessing, 1 is perfect)"),
    "expected_calibration_error": _("Mean gap between confidence and truth (0 is perfect)"),
}
_SKIN_TYPE_COLUMNS = ("malignant_sensitivity_at_threshold", "balanced_accuracy")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure, worded, with its interval."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class MeasuredDomain:
    """One kind of photo."""

    name: str
    photos: int
    lesions: int
    figures: list[Figure]


@dataclass(frozen=True, slots=True)
class SkinType:
    """One skin type; None for a figure that too few lesions carry."""

    name: str
    lesions: int
    values: list[str | None]


@dataclass(frozen=True, slots=True)
class SkinTypes:
    """The skin types of one kind of photo."""

    name: str
    columns: list[str]
    rows: list[SkinType]


@dataclass(frozen=True, slots=True)
class ShownModel:
    """What the template reads; `plots` are names for `plot_file`. Texts of the document are English."""

    name: str
    version: str
    digest: str
    made_on: str
    intended_use: str
    limits: list[str]
    domains: list[MeasuredDomain]
    skin_types: list[SkinTypes]
    plots: list[str]


def shown_model() -> ShownModel:
    """The live model. Raises ArtefactError while there is none."""
    classifier = ml_state.classifier()
    document = classifier.document
    test, slices = document.metrics.get("test", {}), document.metrics.get("slices", {})
    return ShownModel(
        name=document.name,
        version=document.version,
        digest=classifier.identity.digest,
        made_on=document.created_at[:10],
        intended_use=document.intended_use,
        limits=list(document.provenance.get("recipe", {}).get("limits", [])),
        domains=[_domain(name, block) for name, block in test.items()],
        skin_types=[each for name, rows in slices.items() if (each := _skin_types(name, rows)).rows],
        plots=[path.stem for path in _plot_files()],
    )


def plot_file(name: str) -> Path | None:
    """The live model's plot of this name, None where it has none. Raises ArtefactError while no model is live."""
    return next((path for path in _plot_files() if path.stem == name), None)


def _plot_files() -> list[Path]:
    return sorted((ml_state.classifier().litert_model.parent / "plots").glob("*reliability.png"))


def _domain(name: str, block: Mapping[str, Any]) -> MeasuredDomain:
    figures = [
        Figure(str(text), _estimate(block[key], as_percent=key in _SHARES))
        for key, text in (_SHARES | _SCORES).items()
        if block.get(key)
    ]
    return MeasuredDomain(_domain_name(name), block["photos"], block["lesions"], figures)


def _skin_types(name: str, rows: Iterable[Mapping[str, Any]]) -> SkinTypes:
    shown = [
        SkinType(
            name=row["value"],
            lesions=row["lesions"],
            values=[
                _estimate(row[column], as_percent=True) if row.get(column) else None for column in _SKIN_TYPE_COLUMNS
            ],
        )
        for row in rows
        if row["fact"] == SKIN_TYPE and row["value"] != _UNKNOWN
    ]
    return SkinTypes(_domain_name(name), [str(_SHARES[column]) for column in _SKIN_TYPE_COLUMNS], shown)


def _domain_name(name: str) -> str:
    return str(_DOMAINS.get(name, name))


def _estimate(estimate: Mapping[str, float], *, as_percent: bool) -> str:
    numbers = [estimate[each] for each in ("value", "low", "high")]
    if as_percent:
        value, low, high = (floatformat(100 * each, 1) for each in numbers)
        return f"{value} % [{low}; {high}]"
    value, low, high = (floatformat(each, 3) for each in numbers)
    return f"{value} [{low}; {high}]"
