"""What a reviewer's pages show, as plain values. A `BlindCase` has nothing of the model in it, so none can slip out."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.audit import pseudonym_of
from accounts.models import User
from api.i18n import translated, translated_texts
from api.models import Prediction, PredictionImage
from api.reviews import selectors
from api.reviews.classes import ClassChoice, class_choices, class_names
from api.reviews.conclusion import Basis, Kind, Standing
from api.reviews.heat_map import can_be_drawn
from api.reviews.models import Review, ReviewCase
from api.reviews.wording import BASES, GATE_SCORES, KINDS, STANDINGS, STATUSES, finding_text
from ml_models.classification import Status

SCREEN_PX, ZOOMED_PX, EARLIER_PX = 1200, 2400, 400


@dataclass(frozen=True, slots=True)
class Facts:
    """What the person said of themselves; empty where nothing."""

    age_years: int | None
    sex: str
    site: str
    history: str


@dataclass(frozen=True, slots=True)
class PhotoLink:
    """Addresses of one photo in two sizes. `heat_map` is empty before the answer, and where there is none."""

    on_screen: str
    zoomed: str
    width_px: int
    height_px: int
    heat_map: str = ""


@dataclass(frozen=True, slots=True)
class EarlierPhoto:
    """What the same person sent before."""

    small: str
    zoomed: str
    when: str
    site: str


@dataclass(frozen=True, slots=True)
class BlindCase:
    """A case before its reader has answered."""

    prediction_id: uuid.UUID
    facts: Facts
    photos: tuple[PhotoLink, ...]
    earlier: tuple[EarlierPhoto, ...]
    classes: tuple[ClassChoice, ...]


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer in words; `who` names no reviewer."""

    who: str
    what: str
    basis: str
    kind: str
    created_at: datetime
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Probability of one class."""

    name: str
    probability: float
    is_yours: bool

    @property
    def percent(self) -> float:
        return 100 * self.probability


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What the person was told, and why."""

    diagnosis: str
    severity: str
    is_safe: bool
    confidence_percent: float
    status: str
    reasons: tuple[str, ...]
    classes: tuple[ClassRow, ...]
    malignant_percent: float | None
    threshold_percent: float | None
    gate_scores: tuple[tuple[str, float], ...]
    model: str
    agrees: bool | None


@dataclass(frozen=True, slots=True)
class RevealedCase:
    """A case after its reader has answered."""

    prediction_id: uuid.UUID
    facts: Facts
    photos: tuple[PhotoLink, ...]
    answers: tuple[AnswerRow, ...]
    model: ModelAnswer
    remark_of_person: str
    standing: str
    is_disputed: bool
    conclusion: str
    wants_second: bool
    classes: tuple[ClassChoice, ...]
    has_own_answer: bool


@dataclass(frozen=True, slots=True)
class ReadCase:
    """A row of what the reader has answered."""

    prediction_id: uuid.UUID
    thumbnail: str
    standing: str
    is_disputed: bool
    answer: str
    read_at: datetime


def blind_case(case: ReviewCase) -> BlindCase:
    """The case as its reader sees it first."""
    prediction = case.prediction
    return BlindCase(
        prediction_id=case.pk,
        facts=_facts(prediction),
        photos=tuple(_photo(case, image) for image in selectors.photos_of(case=case)),
        earlier=tuple(_earlier(case, image) for image in selectors.earlier_photos(case=case)),
        classes=class_choices(prediction.model_digest),
    )


def revealed_case(case: ReviewCase, *, reader: User) -> RevealedCase:
    """The case as it stands, with everything that is known."""
    prediction = case.prediction
    reviews = list(case.reviews.prefetch_related("remarks"))
    own = next((review for review in reviews if _is_by(review, reader) and review.is_reading), None)
    remark = getattr(prediction, "remark", None)
    names = class_names(prediction.model_digest)
    return RevealedCase(
        prediction_id=case.pk,
        facts=_facts(prediction),
        photos=tuple(_photo(case, image, is_revealed=True) for image in selectors.photos_of(case=case)),
        answers=_answer_rows(reviews, names, reader),
        model=_model_answer(prediction, names, own),
        remark_of_person=remark.text if remark else "",
        standing=str(STANDINGS[Standing(case.standing)]),
        is_disputed=case.standing == Standing.DISPUTED.value,
        conclusion=_conclusion(case, names),
        wants_second=case.opinions_required > 1,
        classes=class_choices(prediction.model_digest),
        has_own_answer=own is not None,
    )


def read_cases(*, reader: User, limit: int) -> tuple[ReadCase, ...]:
    """The reader's own answers, disputed cases first."""
    cases = list(selectors.cases_read_by(reader=reader).prefetch_related("prediction__images")[:limit])
    reviews = selectors.reviews_of(cases=cases)
    names = {digest: class_names(digest) for digest in {case.prediction.model_digest for case in cases}}
    rows = []
    for case in cases:
        own = next(review for review in reviews[case.pk] if _is_by(review, reader) and review.is_reading)
        image = next(iter(case.prediction.images.all()), None)
        rows.append(
            ReadCase(
                prediction_id=case.pk,
                thumbnail=_photo_address(case, image, EARLIER_PX) if image else "",
                standing=str(STANDINGS[Standing(case.standing)]),
                is_disputed=case.standing == Standing.DISPUTED.value,
                answer=finding_text(own.verdict, own.label, names[case.prediction.model_digest]),
                read_at=own.created_at,
            )
        )
    return tuple(rows)


def _facts(prediction: Prediction) -> Facts:
    return Facts(prediction.age_years, translated(prediction.sex), prediction.site, prediction.history)


def _photo(case: ReviewCase, image: PredictionImage, *, is_revealed: bool = False) -> PhotoLink:
    has_map = is_revealed and can_be_drawn(image)
    return PhotoLink(
        on_screen=_photo_address(case, image, SCREEN_PX),
        zoomed=_photo_address(case, image, ZOOMED_PX),
        width_px=image.width_px,
        height_px=image.height_px,
        heat_map=reverse("admin:api_reviewcase_heat_map", args=[case.pk, image.pk]) if has_map else "",
    )


def _earlier(case: ReviewCase, image: PredictionImage) -> EarlierPhoto:
    days = (case.prediction.created_at - image.prediction.created_at).days
    when = ngettext("%(days)d day before", "%(days)d days before", days) % {"days": days}
    return EarlierPhoto(
        small=_photo_address(case, image, EARLIER_PX),
        zoomed=_photo_address(case, image, ZOOMED_PX),
        when=when if days else _("the same day"),
        site=image.prediction.site,
    )


def _photo_address(case: ReviewCase, image: PredictionImage, side_px: int) -> str:
    return reverse("admin:api_reviewcase_photo", args=[case.pk, image.pk, side_px])


def _answer_rows(reviews: Sequence[Review], names: Mapping[str, str], reader: User) -> tuple[AnswerRow, ...]:
    numbers = {name: index for index, name in enumerate(dict.fromkeys(each.reviewer_pseudonym for each in reviews), 1)}
    return tuple(
        AnswerRow(
            who=_("You")
            if _is_by(each, reader)
            else _("Reviewer %(number)d") % {"number": numbers[each.reviewer_pseudonym]},
            what=finding_text(each.verdict, each.label, names),
            basis=str(BASES[Basis(each.basis)]),
            kind=str(KINDS[Kind(each.kind)]),
            created_at=each.created_at,
            remarks=tuple(remark.text for remark in each.remarks.all()),
        )
        for each in reviews
    )


def _model_answer(prediction: Prediction, names: Mapping[str, str], own: Review | None) -> ModelAnswer:
    ranked = sorted((prediction.probabilities or {}).items(), key=lambda item: -item[1])
    return ModelAnswer(
        diagnosis=translated(prediction.diagnosis),
        severity=translated(prediction.severity),
        is_safe=prediction.is_safe,
        confidence_percent=prediction.confidence_percent,
        status=str(STATUSES[Status(prediction.status)]),
        reasons=tuple(reason["text"] for reason in translated_texts(prediction.reasons, "text")),
        classes=tuple(
            ClassRow(names.get(code, code), share, is_yours=own is not None and own.label == code)
            for code, share in ranked
        ),
        malignant_percent=_percent(prediction.malignant_probability),
        threshold_percent=_percent(prediction.malignancy_threshold),
        gate_scores=tuple(
            (str(GATE_SCORES.get(name, name)), score)
            for image in prediction.images.all()
            for name, score in image.gate_scores.items()
        ),
        model=f"{prediction.model_name} {prediction.model_version}",
        agrees=own.label == prediction.label if own and own.label and prediction.label else None,
    )


def _conclusion(case: ReviewCase, names: Mapping[str, str]) -> str:
    if case.standing != Standing.CONCLUDED.value:
        return ""
    return f"{finding_text(case.verdict, case.label, names)} ({BASES[Basis(case.basis)]})"


def _is_by(review: Review, reader: User) -> bool:
    return review.reviewer_pseudonym == pseudonym_of(reader)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
