"""The reviewer's pages: the queue, one case before and after the answer, its photos. Reached through the admin."""

import secrets
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from api.reviews import selectors, services
from api.reviews.classes import class_choices
from api.reviews.forms import SKIP, ReadingForm, RemarkForm, ResultForm
from api.reviews.heat_map import HeatMapUnavailable, heat_map_png
from api.reviews.models import ReviewCase
from api.reviews.screens import ZOOMED_PX, blind_case, read_cases, revealed_case
from api.services.looks import record_look
from api.thumbnails import thumbnail_jpeg

REVIEW, MANAGE = "api.review", "api.manage_reviews"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_QUEUE, _NEXT = "admin:api_reviewcase_queue", "admin:api_reviewcase_next"
_READ, _REVEAL = "admin:api_reviewcase_read", "admin:api_reviewcase_reveal"
_RECENT = 50


def for_reviewers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let in who may review, and hand them to the view."""

    @wraps(view)
    def guarded(request: HttpRequest, **options: Any) -> HttpResponse:
        reader = request.user
        if not isinstance(reader, User) or not reader.has_perm(REVIEW):
            raise PermissionDenied
        try:
            return view(request, reader, **options)
        except services.CaseGone:
            messages.warning(
                request, _("This case is not there. If the person deleted the photo, its reviews are gone, too.")
            )
            return redirect(_QUEUE)

    return guarded


@require_safe
@for_reviewers
def queue(request: HttpRequest, reader: User) -> HttpResponse:
    """Where a reviewer begins, and finds what they have answered."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    context = {
        "title": _("Review"),
        "read_today": selectors.count_read(reader=reader, since=today),
        "skipped": selectors.count_skipped(reader=reader),
        "cases": read_cases(reader=reader, limit=_RECENT),
    }
    return _page(request, "queue", context)


@require_safe
@for_reviewers
def next_case(request: HttpRequest, reader: User) -> HttpResponse:
    """To the case that is open before the reviewer, or to another one."""
    case = services.open_next_case(reader=reader, seed=secrets.randbits(64))
    if case is None:
        messages.success(request, _("There is nothing left for you to review."))
        return redirect(_QUEUE)
    return redirect(_READ, prediction_id=case.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@for_reviewers
def read(request: HttpRequest, reader: User, prediction_id: uuid.UUID) -> HttpResponse:
    """One case, and the reviewer's answer to it. Shows nothing of the model."""
    case = _case(reader, prediction_id)
    if selectors.reading_of(reader=reader, case=case):
        if request.method == "POST":
            messages.info(request, _("You have answered this case before; your first answer stands."))
        return redirect(_REVEAL, prediction_id=case.pk)
    if request.method != "POST" and not services.open_case(case=case, reader=reader):
        messages.info(request, _("This case is in other hands now. Here is another one."))
        return redirect(_NEXT)
    screen = blind_case(case)
    form = ReadingForm(request.POST if request.method == "POST" else None, classes=screen.classes)
    if request.method == "POST" and form.is_valid():
        if form.is_skip:
            services.skip_case(case=case, reader=reader)
            return redirect(_NEXT)
        _review, is_new = services.read_case(case=case, reader=reader, reading=form.reading())
        if not is_new:
            messages.info(request, _("You have answered this case before; your first answer stands."))
        return redirect(_REVEAL, prediction_id=case.pk)
    return _page(request, "read", {"title": _("Review"), "case": screen, "form": form, "skip": SKIP})


@require_safe
@for_reviewers
def reveal(request: HttpRequest, reader: User, prediction_id: uuid.UUID) -> HttpResponse:
    """What the model answered, and everybody else; after one's own answer, or for administrators of reviews."""
    return _revealed(request, reader, prediction_id)


@require_POST
@for_reviewers
def remark(request: HttpRequest, reader: User, prediction_id: uuid.UUID) -> HttpResponse:
    """Add words to one's own answer."""
    form = RemarkForm(request.POST)
    case = _case(reader, prediction_id)
    own = selectors.reading_of(reader=reader, case=case)
    if own is None:
        raise Http404
    if not form.is_valid():
        return _revealed(request, reader, prediction_id, remark_form=form)
    services.add_remark(review=own, text=form.cleaned_data["text"])
    messages.success(request, _("Your remark was added."))
    return redirect(_REVEAL, prediction_id=prediction_id)


@require_POST
@for_reviewers
def result(request: HttpRequest, reader: User, prediction_id: uuid.UUID) -> HttpResponse:
    """Add what has become known since, such as a biopsy."""
    case = _seen_case(reader, prediction_id)
    form = ResultForm(request.POST, classes=class_choices(case.prediction.model_digest))
    if not form.is_valid():
        return _revealed(request, reader, prediction_id, result_form=form)
    services.add_result(case=case, reviewer=reader, reading=form.reading())
    messages.success(request, _("The result was added."))
    return redirect(_REVEAL, prediction_id=prediction_id)


@require_POST
@for_reviewers
def second_opinion(request: HttpRequest, reader: User, prediction_id: uuid.UUID) -> HttpResponse:
    """Ask for another reader, for instance after a slip of the finger."""
    services.require_second_opinion(cases=[_seen_case(reader, prediction_id)])
    messages.success(request, _("Another reviewer will read this case."))
    return redirect(_REVEAL, prediction_id=prediction_id)


@require_POST
@for_reviewers
def take_back_skipped(_request: HttpRequest, reader: User) -> HttpResponse:
    """Let the reviewer's skipped cases come again."""
    services.take_back_skipped(reader=reader)
    return redirect(_NEXT)


@require_safe
@for_reviewers
def photo(_request: HttpRequest, reader: User, prediction_id: uuid.UUID, image_id: int, side_px: int) -> HttpResponse:
    """A photo of a case, or an earlier one of the same person, shrunk, as JPEG."""
    image = selectors.photo_for(reader=reader, prediction_id=prediction_id, image_id=image_id)
    if image is None:
        raise Http404
    record_look(reviewer=reader, subject=f"prediction {image.prediction_id}")
    return _picture(lambda: thumbnail_jpeg(image, max_side_px=min(side_px, ZOOMED_PX)), "image/jpeg")


@require_safe
@for_reviewers
def heat_map(_request: HttpRequest, reader: User, prediction_id: uuid.UUID, image_id: int) -> HttpResponse:
    """Where the model looked, once one's own answer is given."""
    case = _seen_case(reader, prediction_id)
    image = next((each for each in selectors.photos_of(case=case) if each.pk == image_id), None)
    if image is None:
        raise Http404
    record_look(reviewer=reader, subject=f"prediction {case.pk}")
    return _picture(lambda: heat_map_png(image), "image/png")


def _revealed(
    request: HttpRequest,
    reader: User,
    prediction_id: uuid.UUID,
    *,
    remark_form: RemarkForm | None = None,
    result_form: ResultForm | None = None,
) -> HttpResponse:
    case = _case(reader, prediction_id)
    if not _may_see(reader, case):
        return redirect(_READ, prediction_id=prediction_id)
    screen = revealed_case(case, reader=reader)
    context = {
        "title": _("Review"),
        "case": screen,
        "remark_form": remark_form or RemarkForm(),
        "result_form": result_form or ResultForm(classes=screen.classes),
    }
    return _page(request, "reveal", context)


def _case(reader: User, prediction_id: uuid.UUID) -> ReviewCase:
    case = selectors.case_for(reader=reader, prediction_id=prediction_id)
    if case is None:
        raise services.CaseGone
    return case


def _seen_case(reader: User, prediction_id: uuid.UUID) -> ReviewCase:
    case = _case(reader, prediction_id)
    if not _may_see(reader, case):
        raise Http404
    return case


def _may_see(reader: User, case: ReviewCase) -> bool:
    return selectors.reading_of(reader=reader, case=case) is not None or reader.has_perm(MANAGE)


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    shared = {**admin.site.each_context(request), **context}
    response = render(request, f"admin/api/reviewcase/{name}.html", shared)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def _picture(draw: Callable[[], bytes | None], content_type: str) -> HttpResponse:
    try:
        content = draw()
    except FileNotFoundError as error:
        raise Http404 from error
    except HeatMapUnavailable:
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    if content is None:
        raise Http404
    # Kept for as long as a case is open: the next look is the reviewer's own.
    headers = {"Cache-Control": "private, max-age=300", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=content_type, headers=headers)
