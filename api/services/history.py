"""What a person does with the answers they were given: remark on them, delete them."""

from django.db import transaction
from django.utils import timezone

from api.models import Prediction, PredictionRemark


def remark_on(*, prediction: Prediction, text: str) -> PredictionRemark | None:
    """Keep the person's remark; an earlier one is replaced, so that sending it twice changes nothing.

    None when the prediction has been deleted meanwhile.
    """
    with transaction.atomic():
        if Prediction.objects.select_for_update().filter(pk=prediction.pk).first() is None:
            return None
        remark, _created = PredictionRemark.objects.update_or_create(
            prediction=prediction, defaults={"text": text, "updated_at": timezone.now()}
        )
    return remark
