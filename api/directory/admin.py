"""The directory in the administration: looked through, corrected, and filled from a CSV file."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from api.directory.importing import COLUMNS, DirectoryFileError, import_dermatologists
from api.directory.models import Dermatologist


class DirectoryFileForm(forms.Form):
    """One CSV file."""

    file = forms.FileField(label="CSV file")

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > settings.MAX_UPLOAD_BYTES:  # the upload handler has dropped its bytes
            raise ValidationError(_("The file is too large. Import it in several parts."))
        return upload


@admin.register(Dermatologist)
class DermatologistAdmin(admin.ModelAdmin):
    """The directory's entries."""

    change_list_template = "admin/api/dermatologist/directory.html"
    list_display = ["name", "speciality", "city", "address", "phone", "rating"]
    list_filter = ["speciality"]
    search_fields = ["name", "city", "city_key", "address", "speciality"]
    list_per_page = 50

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="api_dermatologist_import"), *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """The form for a file; its mistakes are listed above it, and then nothing was imported."""
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        form = DirectoryFileForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                summary = import_dermatologists(content=form.cleaned_data["file"].read())
            except DirectoryFileError as error:
                for problem in error.problems:
                    form.add_error("file", problem)
            else:
                text = _("%(created)d entries were added, %(updated)d updated.")
                messages.success(request, text % {"created": summary.created, "updated": summary.updated})
                return redirect("admin:api_dermatologist_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": "Import dermatologists",
            "opts": self.opts,
            "form": form,
            "columns": COLUMNS,
        }
        return render(request, "admin/api/dermatologist/import.html", context)
