"""One logged answer as the page shows it: in plain words, most probable first. Decides nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.template.defaultfilters import floatformat
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from api import ml_utils
from api.guidance.classes import BY_LABEL, ClassGuidance, Urgency
from api.guidance.result import Result, read_result
from api.i18n import translated
from api.models import Prediction, PredictionImage
from api.photo_addresses import photo_address
from api.serializers import prediction_payload

_SOON: dict[Urgency, Promise] = {
    Urgency.DAYS: gettext_lazy("See a dermatologist within days."),
    Urgency.TWO_WEEKS: gettext_lazy("See a dermatologist within two weeks."),
    Urgency.WEEKS: gettext_lazy("Have a doctor look at it within a few weeks."),
    Urgency.WATCH: gettext_lazy("Keep watching it."),
}
_LEAST_SHOWN = 0.001


@dataclass(frozen=True, slots=True)
class Bar:
    """One diagnosis; `width` is an SVG length, `malignant` None where it is unknown."""

    name: str
    malignant: bool | None
    percent: str
    width: str


@dataclass(frozen=True, slots=True)
class ShownPhoto:
    """Signed addresses of one photo and of its heat map, None where no map was drawn; `problems` where not usable."""

    address: str
    map_address: str | None
    problems: list[str]
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What the template reads; `soon` says by when a doctor should see it."""

    id: str
    created_at: datetime
    status: str
    severity: str
    badge: str
    diagnosis: str
    soon: str
    advice: str
    reasons: list[str]
    bars: list[Bar]
    malignant: str
    guidance_name: str
    guidance: list[str]
    photos: list[ShownPhoto]
    disclaimer: str
    model: dict[str, str]


def shown_answer(prediction: Prediction, request: HttpRequest) -> ShownAnswer:
    """The answer in the language of the request."""
    payload = prediction_payload(prediction, request)
    result = read_result(disease=prediction.diagnosis, severity=prediction.severity)
    guidance = BY_LABEL.get(prediction.label)
    return ShownAnswer(
        id=payload["id"],
        created_at=prediction.created_at,
        status=payload["status"],
        severity=payload["severity"],
        badge=_badge(payload),
        diagnosis=payload["diagnosis"],
        soon=_soon(result),
        advice=payload["advice"],
        reasons=[reason["text"] for reason in payload["reasons"] if reason["text"] not in payload["advice"]],
        bars=_bars(payload),
        malignant=_malignant(payload["malignancy"]),
        guidance_name=str(guidance.name) if guidance else "",
        guidance=_guidance(guidance, result),
        photos=[
            _photo(image, told, request) for image, told in zip(prediction.images.all(), payload["photos"], strict=True)
        ],
        disclaimer=payload["disclaimer"],
        model=payload["model"],
    )


def _badge(payload: dict[str, Any]) -> str:
    if payload["status"] == "rejected":
        return _("No answer")
    return _("Severity: %(severity)s") % {"severity": translated(payload["severity"])}


def _soon(result: Result) -> str:
    if result.is_unusable:
        return _("Take the photo again.")
    return str(_SOON[Urgency.WEEKS if result.urgency is None else result.urgency])


def _guidance(guidance: ClassGuidance | None, result: Result) -> list[str]:
    """What the class is and what to watch for; that it is harmless is not said beside signs of cancer."""
    if guidance is None:
        return []
    texts = (guidance.watch,) if result.is_contradicted else (guidance.what, guidance.watch)
    return [str(text) for text in texts]


def _bars(payload: dict[str, Any]) -> list[Bar]:
    names = {row["label"]: row["name"] for row in payload["top_k"]}
    malignant: dict[str, bool | None] = {}
    for label in ml_utils.model_description()["labels"]:
        names.setdefault(label["code"], label["name"])
        malignant[label["code"]] = label["malignant"]
    ranked = sorted((payload["probabilities"] or {}).items(), key=lambda item: -item[1])
    return [
        Bar(
            name=names.get(code, code),
            malignant=malignant.get(code),
            percent=_percent(probability),
            width=f"{100 * probability:.1f}%",
        )
        for code, probability in ranked
    ]


def _malignant(malignancy: dict[str, Any]) -> str:
    if malignancy["probability"] is None:
        return ""
    together = _("Cancer and what can become it, together: %(percent)s.") % {
        "percent": _percent(malignancy["probability"])
    }
    if malignancy["threshold"] is None:
        return together
    return together + " " + _("The program warns from %(percent)s.") % {"percent": _percent(malignancy["threshold"])}


def _photo(image: PredictionImage, told: dict[str, Any], request: HttpRequest) -> ShownPhoto:
    map_address = told["explanation_url"]
    return ShownPhoto(
        address=photo_address(image, request),
        map_address=map_address and f"{map_address}?legend=false",
        problems=[reason["text"] for reason in told["reasons"]],
        width_px=image.width_px,
        height_px=image.height_px,
    )


def _percent(share: float) -> str:
    if 0 < share < _LEAST_SHOWN:
        return f"< {floatformat(100 * _LEAST_SHOWN, 1)} %"
    return f"{floatformat(100 * share, 1)} %"
