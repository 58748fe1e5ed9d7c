"""What people save from the app: list, detail, photo, PDF. Saved scans are deleted, never edited."""

import uuid
from typing import Any, NoReturn

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import MethodNotAllowed, NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.base_views import PersonView, PublicView, person_of
from api import selectors
from api.photo_addresses import MAX_SIDE_PX, photo_of
from api.scan_serializers import ScanDetail, ScanListItem, ScanRequest, scan_detail, scan_list_item
from api.serializers import ErrorBody
from api.services.scans import delete_scans, save_scan
from api.thumbnails import thumbnail_jpeg
from api.uploads import FormParser
from api.views.base import IDEMPOTENCY_PARAMETER, UPLOAD_ERRORS, refuse_too_many, retry_key


class ScansView(PersonView):
    """A person's saved scans."""

    parser_classes = [FormParser]
    throttle_scope = "predict"  # a photo to be saved is read and cleaned like one to be answered

    @extend_schema(tags=["scans"], responses={200: ScanListItem(many=True), 401: ErrorBody})
    def get(self, request: Request) -> Response:
        """Everything saved, newest first, as the client saved it; a plain array, not paginated."""
        return Response([scan_list_item(scan, request) for scan in selectors.scans_of(user=person_of(request))])

    @extend_schema(
        tags=["scans"],
        request=ScanRequest,
        parameters=[IDEMPOTENCY_PARAMETER],
        responses={201: ScanDetail, 401: ErrorBody, **UPLOAD_ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Save a photo with what the app showed for it, linked to the server's own answer to the same bytes.

        An anonymous answer to them becomes the person's by this, if it is recent and nobody's.
        """
        refuse_too_many(request, most=1)
        key = retry_key(request, purpose="scan")
        form = ScanRequest(data=request.data)
        form.is_valid(raise_exception=True)
        scan = save_scan(user=person_of(request), upload=form.validated_data["image"], claim=form.claim(), key=key)
        return Response(scan_detail(scan, request), status.HTTP_201_CREATED)


class ScanView(PersonView):
    """One saved scan of the person who asks; anybody else's does not exist."""

    @extend_schema(tags=["scans"], responses={200: ScanDetail, 401: ErrorBody, 404: ErrorBody})
    def get(self, request: Request, scan_id: uuid.UUID) -> Response:
        """What was saved, beside what the server itself answered, and where the two differ."""
        scan = selectors.scans_of(user=person_of(request)).filter(pk=scan_id).first()
        return Response(scan_detail(scan or _no_scan(), request))

    @extend_schema(tags=["scans"], responses={204: None, 401: ErrorBody, 404: ErrorBody})
    def delete(self, request: Request, scan_id: uuid.UUID) -> Response:
        """Delete the scan and its photo. The server's own answer stays in the history, where it can be deleted, too."""
        scans = selectors.scans_of(user=person_of(request)).filter(pk=scan_id)
        if not delete_scans(scans=scans):
            _no_scan()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> NoReturn:
        text = _("A saved scan cannot be changed. Delete it, and save the photo again.")
        raise MethodNotAllowed(str(request.method), text if request.method in ("PUT", "PATCH") else None)


class ScanPdfView(PersonView):
    """One saved scan on paper."""

    @extend_schema(
        tags=["scans"],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, 401: ErrorBody, 404: ErrorBody},
    )
    def get(self, request: Request, scan_id: uuid.UUID) -> HttpResponse:
        """The server's own answer first, then what the app saved, marked where the two differ."""
        from api.scan_pdf import scan_pdf  # noqa: PLC0415 - costs 12 MB, so only a worker that draws PDFs pays it

        scan = selectors.scans_of(user=person_of(request)).filter(pk=scan_id).first() or _no_scan()
        headers = {"Content-Disposition": f'inline; filename="scan-{scan.created_at:%Y-%m-%d}.pdf"'}
        return HttpResponse(scan_pdf(scan), content_type="application/pdf", headers=headers)


class PhotoView(PublicView):
    """A person's photo, for whoever holds its signed address."""

    @extend_schema(tags=["scans"], responses={(200, "image/jpeg"): OpenApiTypes.BINARY, 404: ErrorBody})
    def get(self, request: Request, token: str) -> HttpResponse:
        """The photo as JPEG, upright, its longer side at most 1600 px. The export has the file as it is stored."""
        row = photo_of(token)
        if row is None:
            raise NotFound(_("This address has expired. Load the list again for a new one."))
        try:
            jpeg = thumbnail_jpeg(row, max_side_px=MAX_SIDE_PX)
        except FileNotFoundError as error:
            raise NotFound(_("The photo is no longer stored.")) from error
        headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(jpeg, content_type="image/jpeg", headers=headers)


def _no_scan() -> NoReturn:
    raise NotFound(_("There is no such scan."))
