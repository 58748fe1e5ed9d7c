"""HTTP in, HTTP out for people. Views parse, call one service or selector, and serialise; no ORM."""

from dataclasses import asdict
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.base_views import PersonView, PublicView, person_of
from accounts.models import CodePurpose
from accounts.privacy import privacy_notice
from accounts.serializers import (
    ChangePasswordForm,
    CodeForm,
    DoneResponse,
    ErrorBody,
    ForgotPasswordForm,
    LoginForm,
    LoginResponse,
    PersonResponse,
    PrivacyResponse,
    ProfileForm,
    RefreshForm,
    RegisterErrorBody,
    RegisterForm,
    RegisterResponse,
    ResetPasswordForm,
    TokensResponse,
)
from accounts.throttles import EmailThrottle
from accounts.tokens import end_tokens, issue_tokens, rotate_tokens

_INVALID = OpenApiResponse(ErrorBody, "A field is missing or not valid; `fields` names it.")
_NO_TOKEN = OpenApiResponse(ErrorBody, "No valid bearer token.")
_TOO_MANY = OpenApiResponse(ErrorBody, "Too many requests; `Retry-After` says when to try again.")
_PUBLIC = {
    400: _INVALID,
    413: OpenApiResponse(ErrorBody, "The body is too large."),
    415: OpenApiResponse(ErrorBody, "The body is not JSON."),
    429: _TOO_MANY,
}
_PRIVATE = {**_PUBLIC, 401: _NO_TOKEN}


def _form(kind: type[Any], request: Request) -> Any:
    """The request's body as a valid form. Raises FormRefused."""
    form = kind(data=request.data)
    form.is_valid(raise_exception=True)
    return form


def _done(text: str) -> Response:
    return Response({"detail": text})


class RegisterView(PublicView):
    """New people."""

    throttle_classes = [EmailThrottle]
    throttle_scope = "register"

    @extend_schema(
        tags=["people"],
        request=RegisterForm,
        responses={201: RegisterResponse, **_PUBLIC, 400: OpenApiResponse(RegisterErrorBody, "What to correct.")},
    )
    def post(self, request: Request) -> Response:
        """Create an account; with tokens, unless the e-mail must be verified first."""
        person = services.register_person(**_form(RegisterForm, request).arguments())
        answer: dict[str, Any] = {"user": PersonResponse(person).data}
        if services.must_verify_email(person):
            answer["detail"] = _("Your account is ready. We have sent a code to your e-mail: log in with it.")
        else:
            answer |= {"detail": _("Your account is ready."), **asdict(issue_tokens(user=person))}
        return Response(answer, status.HTTP_201_CREATED)


class LoginView(PublicView):
    """From e-mail and password to tokens."""

    throttle_classes = [EmailThrottle]
    throttle_scope = "login"

    @extend_schema(
        tags=["people"],
        request=LoginForm,
        responses={
            200: LoginResponse,
            401: OpenApiResponse(ErrorBody, "Wrong e-mail or password."),
            403: OpenApiResponse(ErrorBody, "The e-mail must be verified: send the code as `otp`."),
            **_PUBLIC,
        },
    )
    def post(self, request: Request) -> Response:
        """Log in."""
        form = _form(LoginForm, request).validated_data
        person = services.log_in(email=form["email"], password=form["password"], code=form.get("otp") or "")
        return Response({**asdict(issue_tokens(user=person)), "user": PersonResponse(person).data})


class RefreshView(PublicView):
    """Renewing tokens."""

    @extend_schema(
        tags=["people"],
        request=RefreshForm,
        responses={200: TokensResponse, 401: OpenApiResponse(ErrorBody, "Expired, used or ended."), **_PUBLIC},
    )
    def post(self, request: Request) -> Response:
        """New tokens for a refresh token, which is used up by this."""
        refresh: str = _form(RefreshForm, request).validated_data["refresh"]
        return Response(asdict(rotate_tokens(refresh=refresh)))


class LogoutView(PublicView):
    """Ending a login; who holds the refresh token may, even after the access token has expired."""

    @extend_schema(
        tags=["people"],
        request=RefreshForm,
        responses={204: None, 401: OpenApiResponse(ErrorBody, "Expired, used or ended before."), **_PUBLIC},
    )
    def post(self, request: Request) -> Response:
        """End a refresh token. The access token lives on until it expires."""
        end_tokens(refresh=_form(RefreshForm, request).validated_data["refresh"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class ProfileView(PersonView):
    """The person who asks."""

    @extend_schema(tags=["people"], responses={200: PersonResponse, 401: _NO_TOKEN, 429: _TOO_MANY})
    def get(self, request: Request) -> Response:
        """Who am I."""
        return Response(PersonResponse(person_of(request)).data)


class ProfileUpdateView(PersonView):
    """Changing oneself."""

    @extend_schema(tags=["people"], request=ProfileForm, responses={200: PersonResponse, **_PRIVATE})
    def patch(self, request: Request) -> Response:
        """Change what is sent. A new e-mail or phone is unverified until its code has come back."""
        person = services.update_profile(user=person_of(request), changes=_form(ProfileForm, request).changes())
        return Response(PersonResponse(person).data)


class CodeSendView(PersonView):
    """Sending a code to the person's own e-mail or phone."""

    throttle_scope = "code_send"
    purpose: ClassVar[CodePurpose]

    @extend_schema(tags=["people"], request=None, responses={200: DoneResponse, **_PRIVATE})
    def post(self, request: Request) -> Response:
        """Send a code, or say that none is needed. At most one a minute and ten a day."""
        person = person_of(request)
        if services.is_verified(person, self.purpose):
            return _done(_("This is verified already."))
        services.send_code(user=person, purpose=self.purpose)
        return _done(_("We have sent you a code."))

    @extend_schema(exclude=True)
    def patch(self, request: Request) -> Response:
        """As older clients ask."""
        return self.post(request)


class CodeVerifyView(PersonView):
    """Proving e-mail or phone by the code that was sent to it."""

    throttle_scope = "code_check"
    purpose: ClassVar[CodePurpose]

    @extend_schema(tags=["people"], request=CodeForm, responses={200: DoneResponse, **_PRIVATE})
    def post(self, request: Request) -> Response:
        """Verify. A code lives ten minutes and takes five tries."""
        code: str = _form(CodeForm, request).validated_data["otp"]
        if not services.is_verified(
            person_of(request), self.purpose
        ):  # or a repeated request would be told that it failed
            services.confirm_address(user=person_of(request), purpose=self.purpose, code=code)
        return _done(_("Verified. Thank you."))

    @extend_schema(exclude=True)
    def patch(self, request: Request) -> Response:
        """As older clients ask."""
        return self.post(request)


class EmailCodeSendView(CodeSendView):
    purpose = CodePurpose.EMAIL


class EmailCodeVerifyView(CodeVerifyView):
    purpose = CodePurpose.EMAIL


class PhoneCodeSendView(CodeSendView):
    purpose = CodePurpose.PHONE


class PhoneCodeVerifyView(CodeVerifyView):
    purpose = CodePurpose.PHONE


class ForgotPasswordView(PublicView):
    """Asking for a code for a new password."""

    throttle_classes = [EmailThrottle]
    throttle_scope = "code_send"

    @extend_schema(tags=["people"], request=ForgotPasswordForm, responses={200: DoneResponse, **_PUBLIC})
    def post(self, request: Request) -> Response:
        """Send a code, if there is such an account. The answer is the same where there is none."""
        services.send_password_code(email=_form(ForgotPasswordForm, request).validated_data["email"])
        return _done(_("If an account has this e-mail, a code is on its way to it."))


class ResetPasswordView(PublicView):
    """Setting a new password by code."""

    throttle_classes = [EmailThrottle]
    throttle_scope = "code_check"

    @extend_schema(tags=["people"], request=ResetPasswordForm, responses={200: DoneResponse, **_PUBLIC})
    def post(self, request: Request) -> Response:
        """Set a new password. It ends every login there is."""
        form = _form(ResetPasswordForm, request).validated_data
        services.reset_password(email=form["email"], code=form["otp"], password=form["password"])
        return _done(_("Your password is changed. Log in with the new one."))


class ChangePasswordView(PersonView):
    """Setting a new password by the old one."""

    throttle_scope = "code_check"

    @extend_schema(tags=["people"], request=ChangePasswordForm, responses={200: TokensResponse, **_PRIVATE})
    def post(self, request: Request) -> Response:
        """Set a new password. It ends every login there is; the answer brings tokens for this one."""
        form = _form(ChangePasswordForm, request).validated_data
        person = services.change_password(
            user=person_of(request), current_password=form["current_password"], password=form["password"]
        )
        return Response(asdict(issue_tokens(user=person)))


class PrivacyView(PublicView):
    """What is kept of people."""

    @extend_schema(tags=["people"], responses={200: PrivacyResponse, 429: _TOO_MANY})
    def get(self, request: Request) -> Response:
        """The privacy notice in the language asked for, and its figures."""
        return Response(asdict(privacy_notice()))
