"""What can go wrong with people, said so that a screen can show it as it is."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied, ValidationError


class FormRefused(ValidationError):
    """A form whose texts need no field's name in front of them.

    The fields in `repeated` are also answered as texts beside `error`, where the app's register screen looks for them.
    """

    repeated: ClassVar[tuple[str, ...]] = ()

    def __init__(self, fields: Mapping[str, Any] | Sequence[Any]) -> None:
        super().__init__(fields)


class RegistrationRefused(FormRefused):
    repeated: ClassVar[tuple[str, ...]] = ("email", "phone", "confirm_password")


class LoginRefused(AuthenticationFailed):
    """The same for a wrong password, an unknown e-mail and a person who was shut out."""

    default_detail = _("No account has this e-mail and password. Check both and try again.")
    default_code = "login_failed"


class EmailNotVerified(PermissionDenied):
    default_detail = _("Your e-mail is not verified yet. We have sent a code to it: log in again with the code.")
    default_code = "email_not_verified"


class CodeWrong(APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = _("This code is wrong or too old. Check it, or ask for a new one.")
    default_code = "code_not_valid"


class CodeLocked(CodeWrong):
    default_detail = _("Too many wrong codes. Ask for a new one.")
    default_code = "code_locked"


class TokenRefused(AuthenticationFailed):
    default_detail = _("Your login has ended. Log in again.")
    default_code = "token_not_valid"
