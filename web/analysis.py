"""A form of the page to a logged answer: the same limits, checks and use case as the API's."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError

from api.models import Prediction
from api.serializers import PredictionRequest
from api.services.predict import predict_photos
from api.views.base import refuse_too_many, retry_key
from web.throttles import check_throttle

SEXES: tuple[tuple[str, Promise], ...] = (
    ("female", gettext_lazy("female")),
    ("male", gettext_lazy("male")),
    ("other", gettext_lazy("other")),
)
# Words that a model understands (tests hold them to it), and what people call them.
SITES: tuple[tuple[str, Promise], ...] = (
    ("head/neck", gettext_lazy("Head or neck")),
    ("torso", gettext_lazy("Chest, belly or back")),
    ("upper extremity", gettext_lazy("Arm or hand")),
    ("lower extremity", gettext_lazy("Leg or foot")),
    ("palms/soles", gettext_lazy("Palm or sole")),
    ("genital", gettext_lazy("Genital area")),
)


def answer_photos(request: HttpRequest) -> Prediction:
    """Answer the photos of a posted form, which are of one spot. Raises what `api.exceptions` words."""
    check_throttle(request, scope="predict")
    refuse_too_many(request, most=settings.MAX_PHOTOS)
    if not request.FILES.getlist("image"):
        raise ValidationError({"image": _("Choose a photo first.")}, code="required")
    data = request.POST.copy()
    data["explain"] = "true"
    data.update(request.FILES)  # type: ignore[arg-type]  # REST framework mixes texts and files likewise
    form = PredictionRequest(data=data)
    form.is_valid(raise_exception=True)
    return predict_photos(user=request.user, key=retry_key(request, purpose="web"), **form.arguments())
