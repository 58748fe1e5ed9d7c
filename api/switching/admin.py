"""Versions of the model in the admin: to look at with their verdict, and to switch after a second thought."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst

from accounts.admin import ReadOnlyAdminMixin
from api.services.model_versions import SwitchRefused, activate_version, roll_back
from api.switching.models import ModelSwitch, ModelVersion
from api.switching.selectors import active_version, last_standing_switch
from ml_models.errors import ArtefactError

_FINDING = ("outcome", "rule", "domain", "said")  # of ml_pipeline.promotion.verdict, as `retrain_model` registers it
_LIST = "admin:api_modelversion_changelist"


class ReasonForm(forms.Form):
    """The second thought."""

    why = forms.CharField(required=False, label="Why (kept on record)", widget=forms.Textarea(attrs={"rows": 3}))


class ForceForm(ReasonForm):
    """The second thought about a version that has not passed the gate."""

    force = forms.BooleanField(required=False, label="Activate it although it has not passed the gate")


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdminMixin, admin.ModelAdmin):
    """Known versions. Switching needs a permission of its own."""

    list_display = ["__str__", "state", "verdict", "created_at", "activated_at", "folder"]
    list_filter = ["state", "passed"]
    search_fields = ["name", "version", "digest__startswith"]
    actions = ["activate"]
    fieldsets = [
        (None, {"fields": ["name", "version", "digest", "folder", "created_at"]}),
        ("Use", {"fields": ["state", "activated_at"]}),
        ("Gate", {"fields": ["verdict", "report_text"]}),
    ]
    change_list_template = "admin/api/modelversion/versions.html"
    change_form_template = "admin/api/modelversion/version.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<int:version_id>/activate/",
                self.admin_site.admin_view(self.activate_view),
                name="api_modelversion_activate",
            ),
            path("roll-back/", self.admin_site.admin_view(self.roll_back_view), name="api_modelversion_roll_back"),
            *super().get_urls(),
        ]

    def has_activate_permission(self, request: HttpRequest) -> bool:
        """Whether this person may switch the model."""
        return request.user.has_perm("api.activate_modelversion") and self.has_view_permission(request)

    @admin.action(description="Activate the selected version", permissions=["activate"])
    def activate(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> HttpResponse | None:
        """Lead to the page that asks once more."""
        if len(queryset) != 1:
            self.message_user(request, "Select exactly one version.", messages.WARNING)
            return None
        return HttpResponseRedirect(reverse("admin:api_modelversion_activate", args=[queryset[0].pk]))

    def activate_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Ask, then switch."""
        self._require_permission(request)
        version = get_object_or_404(ModelVersion, pk=version_id)
        form = (ReasonForm if version.passed else ForceForm)(request.POST or None)
        if form.is_valid():
            try:
                switch = activate_version(version=version, actor=request.user, **form.cleaned_data)
            except (SwitchRefused, ArtefactError) as error:
                form.add_error(None, str(error))
            else:
                text = "is active; every worker follows within seconds" if switch else "was active already"
                return self._done(request, f"{version} {text}.")
        return self._asked(request, form, f"Activate {version}?", version)

    def roll_back_view(self, request: HttpRequest) -> HttpResponse:
        """Ask, then return to what answered before."""
        self._require_permission(request)
        last, form = last_standing_switch(), ReasonForm(request.POST or None)
        if last is None:
            return self._done(request, "There is no switch to undo.", messages.WARNING)
        if form.is_valid():
            try:
                switch = roll_back(actor=request.user, why=form.cleaned_data["why"])
            except (SwitchRefused, ArtefactError) as error:
                form.add_error(None, str(error))
            else:
                return self._done(request, f"{capfirst(_called(switch.version))} is active again.")
        return self._asked(request, form, f"Return to {_called(last.before)}?", last.before)

    @admin.display(description="verdict", ordering="passed")
    def verdict(self, version: ModelVersion) -> str:
        return {True: "passed", False: "failed", None: "not judged"}[version.passed]

    @admin.display(description="report")
    def report_text(self, version: ModelVersion) -> str:
        """The gate's findings, one a row, and all its figures below."""
        if not version.report:
            return "-"
        findings = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            ([each.get(name, "") for name in _FINDING] for each in version.report.get("findings", [])),
        )
        figures = json.dumps(version.report, indent=2, ensure_ascii=False)
        return format_html(
            "<table>{}</table><details><summary>All figures</summary><pre>{}</pre></details>", findings, figures
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {
            "answering": _called(active_version()),
            "undoable": last_standing_switch(),
            "may_activate": self.has_activate_permission(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"may_activate": self.has_activate_permission(request)}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _require_permission(self, request: HttpRequest) -> None:
        if not self.has_activate_permission(request):
            raise PermissionDenied

    def _done(self, request: HttpRequest, text: str, level: int = messages.SUCCESS) -> HttpResponse:
        self.message_user(request, text, level)
        return HttpResponseRedirect(reverse(_LIST))

    def _asked(self, request: HttpRequest, form: forms.Form, title: str, version: ModelVersion | None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "form": form,
            "version": version,
            "verdict": self.verdict(version) if version else "",
            "report": self.report_text(version) if version else "",
            "answering": _called(active_version()),
        }
        return TemplateResponse(request, "admin/api/modelversion/confirm.html", context)


@admin.register(ModelSwitch)
class ModelSwitchAdmin(ReadOnlyAdminMixin, admin.ModelAdmin):
    """Which model answered since when, who decided, and why."""

    list_display = ["decided_at", "active", "was_active", "decided_by", "forced", "undoes", "why"]
    list_select_related = ["event__actor", "version", "before", "undoes__event", "undoes__version"]
    list_filter = ["forced"]

    @admin.display(description="decided at", ordering="event__created_at")
    def decided_at(self, switch: ModelSwitch) -> Any:
        return switch.event.created_at

    @admin.display(description="decided by")
    def decided_by(self, switch: ModelSwitch) -> str:
        return str(switch.event.actor or switch.event.actor_pseudonym or "the command line")

    @admin.display(description="active from then on")
    def active(self, switch: ModelSwitch) -> str:
        return _called(switch.version)

    @admin.display(description="before")
    def was_active(self, switch: ModelSwitch) -> str:
        return _called(switch.before)


def _called(version: ModelVersion | None) -> str:
    return str(version) if version else "the shipped model"
