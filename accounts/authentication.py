"""Bearer tokens on public routes. Must not refuse a request: that is for permissions to do."""

from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import Token


class OptionalBearerAuthentication(JWTAuthentication):
    """A valid token attributes the request; anything else leaves it anonymous, never 401.

    The app keeps sending a token long after it expired, and must still get its answer.
    """

    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            return None


class OptionalBearerScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """The OpenAPI side: a bearer token, which the view's AllowAny makes optional. One name per class is the rule."""

    target_class = "accounts.authentication.OptionalBearerAuthentication"
    name = "optionalJwtAuth"
