"""What all views share: who may come in, what they read, and that they answer in one format."""

from collections.abc import Iterable
from typing import Any, cast

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import OptionalBearerAuthentication
from accounts.models import User


class OneFormatNegotiation(DefaultContentNegotiation):
    """Every view has one format and answers in it: an `Accept: image/png` must open a map, not meet a 406."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class PersonView(APIView):
    """Open to whoever brings a valid bearer token."""

    content_negotiation_class = OneFormatNegotiation

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Tokens, profiles and answers stay in no cache, unless a view says otherwise."""
        response.headers.setdefault("Cache-Control", "private, no-store")
        return super().finalize_response(request, response, *args, **kwargs)


class PublicView(PersonView):
    """Open to everyone; a valid bearer token attributes the request, any other is ignored."""

    authentication_classes = [OptionalBearerAuthentication]
    permission_classes = [AllowAny]


def person_of(request: Request) -> User:
    """Whose token came, in a view that lets nobody in without one."""
    return cast("User", request.user)
