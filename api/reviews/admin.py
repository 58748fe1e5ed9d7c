"""Cases in the administration: a list for who manages reviews, and the door to the reviewer's pages."""

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, time
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin import ReadOnlyAdminMixin
from accounts.audit import record_event
from accounts.models import AuditKind, User
from api.reviews import selectors, services, views
from api.reviews.csv_table import csv_lines
from api.reviews.forms import DrawForm, PolicyForm
from api.reviews.models import ReviewCase
from api.reviews.policies import PolicyName


class ControlFilter(admin.SimpleListFilter):
    """Whether a case belongs to a random control sample."""

    title = "control sample"
    parameter_name = "control"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReviewCase]) -> QuerySet[ReviewCase]:
        if self.value() in ("yes", "no"):
            return queryset.filter(control_draw__isnull=self.value() == "no")
        return queryset


@admin.register(ReviewCase)
class ReviewCaseAdmin(ReadOnlyAdminMixin, admin.ModelAdmin):
    """Cases with all that was said of them. Who only reviews is sent on to the queue."""

    change_list_template = "admin/api/reviewcase/cases.html"
    actions = ["require_second_opinion", "export_csv"]
    list_display = [
        "case",
        "created_at",
        "control",
        "opinions_required",
        "readings",
        "standing",
        "finding",
        "model_answer",
    ]
    list_filter = ["standing", ControlFilter, "opinions_required", "basis", "label", "created_at"]
    search_fields = ["pk"]
    search_help_text = "id of a case, which is that of its prediction"
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    fields = ["case", "created_at", "control", "opinions_required", "standing", "finding", "model_answer", "answers"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewCase]:
        return selectors.listed_cases()

    def get_urls(self) -> list[URLPattern]:
        return [
            self._route("queue/", views.queue, "queue"),
            self._route("next/", views.next_case, "next"),
            self._route("take-back-skipped/", views.take_back_skipped, "take_back_skipped"),
            self._route("policy/", self.policy_view, "policy"),
            self._route("draw/", self.draw_view, "draw"),
            self._route("<uuid:prediction_id>/read/", views.read, "read"),
            self._route("<uuid:prediction_id>/reveal/", views.reveal, "reveal"),
            self._route("<uuid:prediction_id>/remark/", views.remark, "remark"),
            self._route("<uuid:prediction_id>/result/", views.result, "result"),
            self._route("<uuid:prediction_id>/second-opinion/", views.second_opinion, "second_opinion"),
            self._route(
                "<uuid:prediction_id>/photo/<int:image_id>/<int:side_px>/", views.photo, "photo", cacheable=True
            ),
            self._route("<uuid:prediction_id>/heat-map/<int:image_id>/", views.heat_map, "heat_map", cacheable=True),
            *super().get_urls(),
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ReviewCase], search_term: str
    ) -> tuple[QuerySet[ReviewCase], bool]:
        """A case is looked up by its whole id."""
        if not search_term:
            return queryset, False
        try:
            return queryset.filter(pk=uuid.UUID(search_term.strip())), False
        except ValueError:
            return queryset.none(), False

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """The name that actions ask for."""
        return request.user.has_perm(views.MANAGE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_manage_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(views.REVIEW) or self.has_manage_permission(request)

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """So that a reviewer finds the queue on the first page of the administration."""
        return {"add": False, "change": False, "delete": False, "view": self.has_module_permission(request)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_manage_permission(request) and request.user.has_perm(views.REVIEW):
            return redirect("admin:api_reviewcase_queue")
        context = {
            "policies": list(PolicyName),
            "current_policy": selectors.current_policy(),
            "draw_form": DrawForm(),
            "may_review": request.user.has_perm(views.REVIEW),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def policy_view(self, request: HttpRequest) -> HttpResponse:
        """Choose what is read first."""
        manager, form = self._manager(request), PolicyForm(request.POST)
        if form.is_valid():
            chosen = PolicyName(form.cleaned_data["policy"])
            services.choose_policy(policy=chosen, chosen_by=manager)
            messages.success(request, f"From now on cases come by the policy {chosen}.")
        return redirect("admin:api_reviewcase_changelist")

    def draw_view(self, request: HttpRequest) -> HttpResponse:
        """Draw a random control sample."""
        manager, form = self._manager(request), DrawForm(request.POST)
        if form.is_valid():
            day = form.cleaned_data["since"]
            draw = services.draw_control_sample(
                size=form.cleaned_data["size"],
                since=timezone.make_aware(datetime.combine(day, time.min)) if day else None,
                drawn_by=manager,
                seed=secrets.randbits(64),
            )
            messages.success(request, f"{draw.size} of {draw.population} answers were drawn as control sample.")
        else:
            messages.error(request, "; ".join(str(text) for texts in form.errors.values() for text in texts))
        return redirect("admin:api_reviewcase_changelist")

    @admin.action(description="Require a second opinion", permissions=["manage"])
    def require_second_opinion(self, request: HttpRequest, cases: QuerySet[ReviewCase]) -> None:
        changed = services.require_second_opinion(cases=cases)
        self.message_user(request, f"{changed} cases need two readers now.", messages.SUCCESS)

    @admin.action(description="Export as CSV", permissions=["manage"])
    def export_csv(self, request: HttpRequest, cases: QuerySet[ReviewCase]) -> StreamingHttpResponse:
        record_event(kind=AuditKind.EXPORT, actor=self._manager(request), subject="reviews as CSV")
        headers = {"Content-Disposition": f'attachment; filename="reviews-{timezone.localdate()}.csv"'}
        return StreamingHttpResponse(
            csv_lines(selectors.with_reviews(cases)), "text/csv; charset=utf-8", headers=headers
        )

    @admin.display(description="case", ordering="pk")
    def case(self, case: ReviewCase) -> SafeString:
        address = reverse("admin:api_prediction_change", args=[case.pk])
        return format_html('{} (<a href="{}">log</a>)', str(case.pk)[:8], address)

    @admin.display(description="control sample", boolean=True)
    def control(self, case: ReviewCase) -> bool:
        return case.control_draw_id is not None

    @admin.display(description="readers", ordering="readings")
    def readings(self, case: ReviewCase) -> int:
        return case.readings  # type: ignore[attr-defined, no-any-return]

    @admin.display(description="concluded")
    def finding(self, case: ReviewCase) -> str:
        return f"{case.label or case.verdict} ({case.basis})" if case.verdict else "-"

    @admin.display(description="model")
    def model_answer(self, case: ReviewCase) -> str:
        answer = case.prediction
        return f"{answer.label or answer.status} ({answer.confidence_percent:.0f} %, {answer.model_name})"

    @admin.display(description="answers")
    def answers(self, case: ReviewCase) -> SafeString:
        rows = [(review.reviewer_pseudonym, review.kind, str(review)) for review in case.reviews.all()]
        return format_html_join("", "<div><code>{}</code> {}: {}</div>", rows)

    def _route(
        self, address: str, view: Callable[..., HttpResponse], name: str, *, cacheable: bool = False
    ) -> URLPattern:
        return path(address, self.admin_site.admin_view(view, cacheable=cacheable), name=f"api_reviewcase_{name}")

    def _manager(self, request: HttpRequest) -> User:
        """Who asks; posting needs the permission."""
        if request.method != "POST" or not isinstance(request.user, User) or not self.has_manage_permission(request):
            raise PermissionDenied
        return request.user
