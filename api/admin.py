"""The log in the admin: to read, never to edit. Photos are shown through views that check the permission."""

import uuid
from collections.abc import Callable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from accounts.admin import ReadOnlyAdminMixin
from api.claims import mismatch_of
from api.directory.admin import DermatologistAdmin  # noqa: F401 - Django looks for admins here
from api.explanations import explanation_png
from api.models import Prediction, PredictionImage, Scan, Tombstone
from api.reviews.admin import ReviewCaseAdmin  # noqa: F401 - and for this one
from api.services.looks import record_look
from api.switching.admin import ModelSwitchAdmin, ModelVersionAdmin  # noqa: F401 - and here
from api.thumbnails import thumbnail_jpeg

_THUMBNAIL_PX = 96
_LARGE_PX = 800


class PredictionImageInline(ReadOnlyAdminMixin, admin.StackedInline):
    """The photos of one prediction, large."""

    model = PredictionImage
    extra = 0
    fields = ["large_photo", "class_activation", "modality", "gates", "rejections", "format", "size", "content_sha256"]
    readonly_fields = ["large_photo", "class_activation", "size", "gates"]

    @admin.display(description="photo")
    def large_photo(self, image: PredictionImage) -> str:
        return _picture(image, _LARGE_PX)

    @admin.display(description="class activation map")
    def class_activation(self, image: PredictionImage) -> str:
        if image.activations is None:
            return "not asked for"
        address = reverse("admin:api_predictionimage_activation", args=[image.pk])
        return format_html('<img src="{}" alt="class activation map" width="400">', address)

    @admin.display(description="gate scores")
    def gates(self, image: PredictionImage) -> str:
        return ", ".join(f"{name} {score:.3g}" for name, score in image.gate_scores.items())

    @admin.display(description="original size")
    def size(self, image: PredictionImage) -> str:
        return f"{image.width_px} x {image.height_px} px"


@admin.register(Prediction)
class PredictionAdmin(ReadOnlyAdminMixin, admin.ModelAdmin):
    """The prediction log."""

    list_display = [
        "thumbnail",
        "created_at",
        "status",
        "label",
        "confidence",
        "severity",
        "malignancy",
        "model_identity",
        "user",
    ]
    list_display_links = ["thumbnail", "created_at"]
    list_filter = ["status", "suspicious", "label", "severity", "created_at", "model_name", "model_version", "consent"]
    search_fields = [
        "id__exact",
        "diagnosis",
        "site",
        "history",
        "user__email",
        "model_digest__startswith",
        "images__content_sha256__startswith",
    ]
    search_help_text = "id, diagnosis, site, history, e-mail, or the beginning of a photo's or model's sha256"
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    inlines = [PredictionImageInline]
    fieldsets = [
        (
            "Answer",
            {"fields": ["id", "created_at", "status", "diagnosis", "confidence", "severity", "is_safe", "advice"]},
        ),
        ("Why", {"fields": ["reason_texts", "modality", "malignancy", "possible", "probability_table"]}),
        ("Person", {"fields": ["user", "age_years", "sex", "site", "history", "consent", "remark_text"]}),
        ("Model", {"fields": ["model_identity", "model_digest", "preprocess_version", "duration"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        return super().get_queryset(request).select_related("user", "remark").prefetch_related("images")

    def get_urls(self) -> list[URLPattern]:
        # Cacheable: or each look at the list would draw its fifty thumbnails again.
        photo = self.admin_site.admin_view(self.photo_view, cacheable=True)
        activation = self.admin_site.admin_view(self.activation_view, cacheable=True)
        return [
            path("photo/<int:image_id>/<int:side_px>/", photo, name="api_predictionimage_photo"),
            path("activation/<int:image_id>/", activation, name="api_predictionimage_activation"),
            *super().get_urls(),
        ]

    def photo_view(self, request: HttpRequest, image_id: int, side_px: int) -> HttpResponse:
        """One photo, shrunk, as JPEG."""
        image = self._permitted_image(request, image_id)
        side_px = max(_THUMBNAIL_PX, min(side_px, _LARGE_PX))
        return _private(_drawn(lambda: thumbnail_jpeg(image, max_side_px=side_px)), "image/jpeg")

    def activation_view(self, request: HttpRequest, image_id: int) -> HttpResponse:
        """One class activation map as PNG."""
        image = self._permitted_image(request, image_id)
        if image.activations is None:
            raise Http404("No class activation map was asked for.")
        return _private(_drawn(lambda: explanation_png(image)), "image/png")

    def _permitted_image(self, request: HttpRequest, image_id: int) -> PredictionImage:
        if not self.has_view_permission(request):
            raise Http404("No such photo.")
        image = get_object_or_404(PredictionImage, pk=image_id)
        record_look(reviewer=request.user, subject=f"prediction {image.prediction_id}")
        return image

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Prediction], search_term: str
    ) -> tuple[QuerySet[Prediction], bool]:
        """An id is looked up as an id; 32 digits that are none may be the beginning of a sha256."""
        try:
            found = queryset.filter(pk=uuid.UUID(search_term.strip()))
        except ValueError:
            found = queryset.none()
        return (found, False) if found.exists() else super().get_search_results(request, queryset, search_term)

    @admin.display(description="photo")
    def thumbnail(self, prediction: Prediction) -> str:
        images = list(prediction.images.all())
        return _picture(images[0], _THUMBNAIL_PX) if images else "-"

    @admin.display(description="confidence", ordering="confidence_percent")
    def confidence(self, prediction: Prediction) -> str:
        return f"{prediction.confidence_percent:.1f} %"

    @admin.display(description="malignant / threshold", ordering="malignant_probability")
    def malignancy(self, prediction: Prediction) -> str:
        parts = (prediction.malignant_probability, prediction.malignancy_threshold)
        figures = " / ".join("-" if part is None else f"{part:.3f}" for part in parts)
        return format_html("{} <strong>suspicious</strong>", figures) if prediction.suspicious else figures

    @admin.display(description="the person's remark")
    def remark_text(self, prediction: Prediction) -> str:
        return prediction.remark.text if hasattr(prediction, "remark") else "-"

    @admin.display(description="reasons")
    def reason_texts(self, prediction: Prediction) -> str:
        return format_html_join("", "<div>{}</div>", ((reason["text"],) for reason in prediction.reasons)) or "-"

    @admin.display(description="probabilities")
    def probability_table(self, prediction: Prediction) -> str:
        ranked = sorted((prediction.probabilities or {}).items(), key=lambda item: -item[1])
        rows = format_html_join(
            "",
            '<tr><td>{}</td><td>{}</td><td><progress value="{}" max="1"></progress></td></tr>',
            ((code, f"{100 * probability:.1f} %", f"{probability:.4f}") for code, probability in ranked),
        )
        return format_html("<table>{}</table>", rows) if ranked else "-"

    @admin.display(description="duration", ordering="duration_ms")
    def duration(self, prediction: Prediction) -> str:
        return f"{prediction.duration_ms:.0f} ms for decoding and inference"

    @admin.display(description="model", ordering="model_name")
    def model_identity(self, prediction: Prediction) -> str:
        return f"{prediction.model_name} {prediction.model_version}"


@admin.register(Scan)
class ScanAdmin(ReadOnlyAdminMixin, admin.ModelAdmin):
    """What people saved: the client's claims, beside the server's own answer to the same photo."""

    list_display = ["thumbnail", "created_at", "user", "claimed_diagnosis", "claim", "server_answer", "mismatch"]
    list_display_links = ["thumbnail", "created_at"]
    list_filter = ["claimed_severity", "claimed_is_safe", "created_at"]
    search_fields = ["id__exact", "user__email", "content_sha256__startswith"]
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["large_photo", "id", "created_at", "user", "content_sha256", "mismatch"]}),
        (
            "Claimed by the client",
            {
                "fields": [
                    "claimed_diagnosis",
                    "claimed_confidence",
                    "claimed_severity",
                    "claimed_is_safe",
                    "claimed_advice",
                ]
            },
        ),
        ("Answered by the server", {"fields": ["server_answer"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scan]:
        return super().get_queryset(request).select_related("user", "prediction")

    def get_urls(self) -> list[URLPattern]:
        photo = self.admin_site.admin_view(self.photo_view, cacheable=True)
        return [path("photo/<uuid:scan_id>/<int:side_px>/", photo, name="api_scan_photo"), *super().get_urls()]

    def photo_view(self, request: HttpRequest, scan_id: uuid.UUID, side_px: int) -> HttpResponse:
        """One saved photo, shrunk, as JPEG."""
        if not self.has_view_permission(request):
            raise Http404("No such photo.")
        scan = get_object_or_404(Scan, pk=scan_id)
        record_look(reviewer=request.user, subject=f"scan {scan.pk}")
        side_px = max(_THUMBNAIL_PX, min(side_px, _LARGE_PX))
        return _private(_drawn(lambda: thumbnail_jpeg(scan, max_side_px=side_px)), "image/jpeg")

    @admin.display(description="photo")
    def thumbnail(self, scan: Scan) -> str:
        return _picture(scan, _THUMBNAIL_PX)

    @admin.display(description="photo")
    def large_photo(self, scan: Scan) -> str:
        return _picture(scan, _LARGE_PX)

    @admin.display(description="claimed")
    def claim(self, scan: Scan) -> str:
        safe = ", safe" if scan.claimed_is_safe else ""
        return f"{scan.claimed_severity}, {scan.claimed_confidence}{safe}"

    @admin.display(description="server's answer")
    def server_answer(self, scan: Scan) -> str:
        if scan.prediction is None:
            return "none"
        address = reverse("admin:api_prediction_change", args=[scan.prediction.pk])
        return format_html('<a href="{}">{}, {}</a>', address, scan.prediction, scan.prediction.severity)

    @admin.display(description="mismatch")
    def mismatch(self, scan: Scan) -> str:
        found = mismatch_of(scan)
        if found is None:
            return "-"
        names = ", ".join(found.fields)
        return format_html("<strong>plays down: {}</strong>", names) if found.plays_down else names


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdminMixin, admin.ModelAdmin):
    """Accounts that were deleted."""

    list_display = ["user_id", "deleted_at", "predictions", "scans"]


def _picture(of: PredictionImage | Scan, side_px: int) -> str:
    route = "admin:api_scan_photo" if isinstance(of, Scan) else "admin:api_predictionimage_photo"
    address = reverse(route, args=[of.pk, side_px])
    return format_html('<img src="{}" alt="photo" loading="lazy" width="{}">', address, side_px)


def _drawn(draw: Callable[[], bytes]) -> bytes:
    try:
        return draw()
    except FileNotFoundError as error:
        raise Http404("The photo's file is lost.") from error


def _private(content: bytes, content_type: str) -> HttpResponse:
    headers = {"Cache-Control": "private, max-age=300", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=content_type, headers=headers)
