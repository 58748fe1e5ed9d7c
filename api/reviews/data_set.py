"""Concluded cases as a data set for training, in the layout that the pipeline reads as `reviews`.

People are pseudonyms under a key of this server. Must not write a name, an id of the log, or what the model answered.
"""

import csv
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath

from django.utils.crypto import salted_hmac

from api.models import PredictionImage
from api.reviews import selectors
from api.reviews.conclusion import Basis
from api.reviews.models import Review, ReviewCase
from ml_models.patient import OLDEST_YEARS, PatientFacts

TABLE, SUMMARY, PHOTOS = "reviews.csv", "export.json", "photos"
COLUMNS = (
    "photo",
    "label",
    "diagnosis_method",
    "person",
    "lesion",
    "age_years",
    "sex",
    "site",
    "fitzpatrick_type",
    "modality",
)
# In the pipeline's words, where `clinical` would say that a doctor saw the person.
_METHODS = {
    Basis.HISTOLOGY: "histopathology",
    Basis.CONSENSUS: "consensus",
    Basis.FOLLOW_UP: "follow_up",
    Basis.OPINION: "opinion",
}
_PSEUDONYM_LENGTH = 32


class ExportRefused(Exception):
    """The folder holds something else than an earlier export."""


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What was written, and what was left out."""

    cases: int
    photos: int
    photos_for_training_only: int
    cases_left_out: int
    photos_lost: int


@dataclass(frozen=True, slots=True)
class _Row:
    case: ReviewCase
    image: PredictionImage
    cells: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.cells[0]


def export_reviews(*, folder: Path) -> ExportSummary:
    """Write photos and table of every concluded case whose person allows it; the same reviews give the same bytes.

    The folder appears whole, in the place of an earlier export. Who withdraws or deletes while it is written is not in
    it. Raises ExportRefused for a folder that is none of ours, OSError for a disk that cannot be written.
    """
    folder = folder.resolve()
    _check(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))  # readable to its owner alone
    try:
        summary = _write(scratch)
        _put_in_place(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return summary


def _write(folder: Path) -> ExportSummary:
    (folder / PHOTOS).mkdir()
    rows = [
        row for case, reviews in selectors.with_reviews(selectors.exportable_cases()) for row in _rows(case, reviews)
    ]
    copied = [row for row in rows if _copy(row.image, folder / row.name)]
    still_allowed = set(selectors.exportable_cases().values_list("pk", flat=True))
    kept = [row for row in copied if row.case.pk in still_allowed]
    for row in copied:
        if row.case.pk not in still_allowed:
            (folder / row.name).unlink()
    kept.sort(key=lambda row: row.name)
    cases = len({row.case.pk for row in kept})
    summary = ExportSummary(
        cases=cases,
        photos=len(kept),
        photos_for_training_only=sum(row.case.prediction.user_id is None for row in kept),
        cases_left_out=selectors.count_concluded() - cases,
        photos_lost=len(rows) - len(copied),
    )
    _write_table(folder / TABLE, (row.cells for row in kept))
    (folder / SUMMARY).write_text(json.dumps(asdict(summary), indent=1) + "\n", encoding="utf-8")
    return summary


def _rows(case: ReviewCase, reviews: Sequence[Review]) -> list[_Row]:
    """One for each photo; none where nobody said how it was taken."""
    modality = next((review.modality for review in reversed(reviews) if review.modality), "")
    if not modality:
        return []
    asked = case.prediction
    facts = PatientFacts.from_words(age_years=asked.age_years, sex=asked.sex, site=asked.site)
    is_age_known = facts.age_years is not None and 0 <= facts.age_years <= OLDEST_YEARS
    said = (
        case.label,
        _METHODS[Basis(case.basis)],
        _pseudonym("person", str(asked.user_id)) if asked.user_id else "",
        _pseudonym("lesion", str(case.pk)),
        str(facts.age_years) if is_age_known else "",
        facts.sex or "",
        facts.site or "",
        "",
        modality,
    )
    return [_Row(case, image, (_photo_name(image), *said)) for image in selectors.photos_of(case=case)]


def _photo_name(image: PredictionImage) -> str:
    stem = _pseudonym("photo", f"{image.prediction_id}/{image.position}")
    return f"{PHOTOS}/{stem}{PurePath(str(image.photo.name)).suffix}"


def _pseudonym(of: str, value: str) -> str:
    return salted_hmac(f"api.reviews.data_set.{of}", value, algorithm="sha256").hexdigest()[:_PSEUDONYM_LENGTH]


def _copy(image: PredictionImage, path: Path) -> bool:
    """False when the file is lost, or deleted a moment ago."""
    try:
        with image.photo.open("rb") as stored, path.open("wb") as copy:
            shutil.copyfileobj(stored, copy)
    except FileNotFoundError:
        return False
    return True


def _write_table(path: Path, rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _check(folder: Path) -> None:
    if folder.exists() and not (
        folder.is_dir() and {each.name for each in folder.iterdir()} <= {TABLE, SUMMARY, PHOTOS}
    ):
        raise ExportRefused(f"{folder} holds something else than an export of reviews. Name a new or an empty folder.")


def _put_in_place(scratch: Path, folder: Path) -> None:
    if folder.exists():
        old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        folder.replace(old)  # a folder may take the place of an empty one
        scratch.replace(folder)
        shutil.rmtree(old)
    else:
        scratch.replace(folder)
