"""Cases as CSV for a spreadsheet: no name, no e-mail, no free text, and no cell that a spreadsheet would run."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from api.reviews.models import Review, ReviewCase
from ml_models.patient import PatientFacts

COLUMNS = (
    "case", "answered_on", "control_drawn_at", "opinions_required", "standing", "verdict", "label", "basis",
    "answers", "reviewers", "model", "model_version", "model_digest", "model_status", "model_label",
    "model_confidence_percent", "model_malignant_probability", "model_suspicious", "age_years", "sex", "site",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(cases: Iterable[tuple[ReviewCase, Sequence[Review]]]) -> Iterator[str]:
    """The header, then one line for each case."""
    yield _line(COLUMNS)
    for case, reviews in cases:
        yield _line(_cells(case, reviews))


def safe_cell(value: object) -> str:
    """The value as text; what a spreadsheet would run as a formula begins with an apostrophe (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()


def _cells(case: ReviewCase, reviews: Sequence[Review]) -> tuple[object, ...]:
    prediction, draw = case.prediction, case.control_draw
    facts = PatientFacts.from_words(age_years=prediction.age_years, sex=prediction.sex, site=prediction.site)
    return (
        case.pk,
        prediction.created_at.date(),
        draw and draw.drawn_at.isoformat(timespec="seconds"),
        case.opinions_required,
        case.standing,
        case.verdict,
        case.label,
        case.basis,
        "; ".join(f"{review.label or review.verdict} ({review.kind}, {review.basis})" for review in reviews),
        "; ".join(review.reviewer_pseudonym for review in reviews),
        prediction.model_name,
        prediction.model_version,
        prediction.model_digest,
        prediction.status,
        prediction.label,
        prediction.confidence_percent,
        prediction.malignant_probability,
        prediction.suspicious,
        prediction.age_years,
        facts.sex,
        facts.site,
    )
