"""The live model to take along: what to do around it, and its file."""

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.base_views import PublicView
from api import on_device
from api.byte_ranges import FilePart, RangeNotSatisfiable, asked_range, is_known
from api.exceptions import error_body
from api.on_device_serializers import OnDeviceResponse
from api.serializers import DISCLAIMER, ErrorBody

_BINARY = "application/octet-stream"
_BLOCK_BYTES = 2**16
_HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "public, max-age=31536000, immutable",  # the address is of these bytes and no others
    "X-Content-Type-Options": "nosniff",
}


class OnDeviceView(PublicView):
    """The live model for use without the server."""

    @extend_schema(tags=["model"], responses={200: OnDeviceResponse, 503: ErrorBody})
    def get(self, request: Request) -> Response:
        """Address of the LiteRT file, and preprocessing, gates, calibration, decision and texts as data."""
        description = on_device.live_description()
        path = reverse("api:on-device-file", kwargs={"digest": description["file"]["sha256"]})
        description["file"]["url"] = request.build_absolute_uri(path)
        return Response({**description, "disclaimer": str(DISCLAIMER)})


class OnDeviceFileView(PublicView):
    """The LiteRT file of the live model, by its digest."""

    @extend_schema(
        tags=["model"],
        operation_id="api_model_on_device_file_retrieve",
        parameters=[
            OpenApiParameter("digest", str, OpenApiParameter.PATH, description="sha256 of the file"),
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="the ETag of a copy: 304"),
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="one range, such as `bytes=1000-`"),
            OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="the ETag of the first part"),
        ],
        responses={
            (200, _BINARY): OpenApiTypes.BINARY,
            (206, _BINARY): OpenApiResponse(OpenApiTypes.BINARY, "The part that `Range` asked for."),
            304: OpenApiResponse(description="The copy is the file."),
            404: OpenApiResponse(ErrorBody, "This model is not live, or not any more."),
            416: OpenApiResponse(ErrorBody, "`Range` begins after the end; `Content-Range` tells the size."),
            503: ErrorBody,
        },
    )
    def get(self, request: Request, digest: str) -> HttpResponseBase:
        """The file as `model.json` of the live model names it; resumable, and the same for ever at this address."""
        model = on_device.open_live_file(digest)
        if model is None:
            raise NotFound(_("This model is not live. /api/model/on-device/ has the address of the one that is."))
        return _file_response(request, model)


def _file_response(request: Request, model: on_device.ModelFile) -> HttpResponseBase:
    """304, 206, 200 or 416; whatever does not stream closes the file."""
    etag = f'"{model.sha256}"'
    headers = {
        **_HEADERS,
        "ETag": etag,
        "Content-Disposition": f'attachment; filename="{model.download_name}"',
        "Content-Length": str(model.size_bytes),
    }
    if is_known(request.headers.get("If-None-Match", ""), etag):
        model.file.close()
        kept = {"ETag": etag, "Cache-Control": headers["Cache-Control"]}
        return HttpResponse(status=status.HTTP_304_NOT_MODIFIED, headers=kept)
    if request.method == "HEAD":
        model.file.close()
        return HttpResponse(content_type=_BINARY, headers=headers)
    try:
        asked = request.headers.get("Range", ""), request.headers.get("If-Range", "")
        part = asked_range(*asked, etag=etag, size_bytes=model.size_bytes)
    except RangeNotSatisfiable:
        model.file.close()
        text = _("The file has %(size)d bytes. Ask for a range that begins before its end.")
        body = error_body(text % {"size": model.size_bytes}, "range_not_satisfiable")
        ends = {"Content-Range": f"bytes */{model.size_bytes}"}
        return Response(body, status.HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE, headers=ends)
    if part is None:
        response = FileResponse(model.file, content_type=_BINARY, headers=headers)
    else:
        headers["Content-Length"] = str(part.size_bytes)
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{model.size_bytes}"
        body_part = FilePart(model.file, part)
        response = FileResponse(body_part, status=206, content_type=_BINARY, headers=headers)
    response.block_size = _BLOCK_BYTES
    return response
