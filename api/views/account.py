"""A person's data as a whole: taken along or deleted."""

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.base_views import PersonView, person_of
from api.serializers import ErrorBody
from api.services.privacy import delete_account, export_account


class AccountDeletionRequest(serializers.Serializer[None]):
    """The password, so that a phone that lies about unlocked deletes nothing."""

    password = serializers.CharField(trim_whitespace=False, max_length=1024)


class AccountExportView(PersonView):
    """Everything that is kept about the person."""

    throttle_scope = "export"

    @extend_schema(
        tags=["account"],
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 401: ErrorBody},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """A zip: profile, answers, scans and events as JSON, and every photo as it is stored."""
        headers = {"Content-Disposition": f'attachment; filename="skin-export-{timezone.localdate()}.zip"'}
        return StreamingHttpResponse(
            export_account(user=person_of(request)), content_type="application/zip", headers=headers
        )


class AccountView(PersonView):
    """The account itself."""

    throttle_scope = "code_check"  # it checks a password

    @extend_schema(
        tags=["account"],
        request=AccountDeletionRequest,
        responses={204: None, 400: ErrorBody, 401: ErrorBody, 403: ErrorBody},
    )
    def delete(self, request: Request) -> Response:
        """Delete the person with all answers, scans, photos and tokens, at once and for good."""
        form = AccountDeletionRequest(data=request.data)
        form.is_valid(raise_exception=True)
        delete_account(user=person_of(request), password=form.validated_data["password"])
        return Response(status=status.HTTP_204_NO_CONTENT)
