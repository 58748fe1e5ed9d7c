"""What views of photos share: the key of a request that may come twice, and the errors of an upload."""

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from api.exceptions import TooManyImages
from api.serializers import ErrorBody
from api.services.idempotency import HEADER, RetryKey, make_retry_key

UPLOAD_ERRORS = {
    400: OpenApiResponse(ErrorBody, "No image, too many, an unreadable one, or a field that is not valid."),
    409: OpenApiResponse(ErrorBody, "The Idempotency-Key was used with another body."),
    413: OpenApiResponse(ErrorBody, "Too many bytes or pixels."),
    415: OpenApiResponse(ErrorBody, "Not an image of a supported format, or not a multipart form."),
    408: OpenApiResponse(ErrorBody, "The upload took too long."),
    503: OpenApiResponse(
        ErrorBody, "Overloaded, no model, or nowhere to record the answer; `Retry-After` says when to try again."
    ),
}
IDEMPOTENCY_PARAMETER = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description=(
        "A random text such as a UUID. Sent again with the same form, the first answer is given again and nothing new "
        "is recorded; with another form, 409. At least 16 characters where no bearer token comes along."
    ),
)


def refuse_too_many(request: HttpRequest | Request, *, most: int) -> None:
    """Raise TooManyImages when the form brings more than `most` parts named `image`."""
    if len(request.FILES.getlist("image")) > most:
        raise TooManyImages(most=most)


def retry_key(request: HttpRequest | Request, *, purpose: str) -> RetryKey | None:
    """The request's Idempotency-Key with a digest of its form; None when it has none."""
    text = request.headers.get(HEADER)
    if text is None:
        return None
    fields = {name: request.POST.getlist(name) for name in request.POST}
    files = {name: request.FILES.getlist(name) for name in request.FILES}
    return make_retry_key(text=text, purpose=purpose, user=request.user, fields=fields, files=files)
