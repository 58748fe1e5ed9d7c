"""Pages for people: forms in, pages out. They hold no ORM and no model, and word refusals as the API does."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views import View
from django.views.decorators.http import require_safe

from accounts.privacy import privacy_notice
from api import ml_utils
from api.exceptions import exception_handler
from web.analysis import SEXES, SITES, answer_photos
from web.answer import shown_answer
from web.model_page import plot_file, shown_model
from web.places import places_near

Context = dict[str, Any]


class Page(View):
    """One template. What is shown to a person stays in no cache."""

    template_name: str

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    def context(self, request: HttpRequest) -> Context:
        """What the template needs with and without an answer."""
        return {}

    def page(self, request: HttpRequest, make: Callable[[], Context]) -> HttpResponse:
        """The page with what `make` finds, or with why it found nothing: `problems`, in the API's words."""
        try:
            found = make()
        except Exception as error:  # the boundary at which REST framework's views word errors, too
            refusal = exception_handler(error, {"request": request})
            if refusal is None:
                raise
            texts = [text for texts in refusal.data["fields"].values() for text in texts]
            context = {**self.context(request), "problems": texts or [refusal.data["error"]]}
            response = render(request, self.template_name, context, status=refusal.status_code)
            if "Retry-After" in refusal.headers:
                response.headers["Retry-After"] = refusal.headers["Retry-After"]
            return response
        return render(request, self.template_name, {**self.context(request), **found})


class AnalysePage(Page):
    """Choose a photo, get an answer."""

    template_name = "web/analyse.html"

    def context(self, request: HttpRequest) -> Context:
        entered = {name: request.POST.get(name, "") for name in ("age", "sex", "site", "history", "consent")}
        return {
            "entered": entered,
            "max_photos": settings.MAX_PHOTOS,
            "short_side_px": ml_utils.RECOMMENDED_SHORT_SIDE_PX,
            "sexes": SEXES,
            "sites": SITES,
        }

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, dict)

    def post(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, lambda: {"answer": shown_answer(answer_photos(request), request)})


class DermatologistsPage(Page):
    """Where to go. Places come in the body, never in an address that logs keep."""

    template_name = "web/dermatologists.html"

    def context(self, request: HttpRequest) -> Context:
        return {"city": request.POST.get("city", ""), "severity": request.POST.get("severity", "")}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, dict)

    def post(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, lambda: {"found": places_near(request)})


class ModelPage(Page):
    """What the live model can and cannot do."""

    template_name = "web/model.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, lambda: {"model": shown_model()})


class PlotView(View):
    """One plot of the live model's folder."""

    def get(self, request: HttpRequest, name: str) -> FileResponse:
        path = plot_file(name)
        if path is None:
            raise Http404
        return FileResponse(path.open("rb"), content_type="image/png", headers={"Cache-Control": "max-age=300"})


class PrivacyPage(Page):
    """The privacy notice."""

    template_name = "web/privacy.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, lambda: {"notice": privacy_notice()})


@require_safe
def favicon(_request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon that a page (the admin's, say) does not name."""
    return redirect(static("web/icon.svg"))
