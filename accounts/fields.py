"""The fields of people's forms. Every text stands for itself on a screen, without the field's name."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import User
from accounts.phone import normalize_phone

_MAX_PASSWORD_LENGTH = 256


def texts(missing: Any, invalid: Any) -> dict[str, Any]:
    """The same two texts for all that can be wrong with a text field."""
    return dict.fromkeys(("required", "null", "blank"), missing) | dict.fromkeys(("invalid", "max_length"), invalid)


class EmailAddressField(serializers.EmailField):
    """An address in lower case; normalised first, because lower case can be longer."""

    def __init__(self, **options: Any) -> None:
        messages = texts(_("Enter your e-mail address."), _("Enter a valid e-mail address, such as name@example.org."))
        super().__init__(max_length=254, error_messages=messages, **options)

    def to_internal_value(self, data: Any) -> str:
        return User.objects.normalize_email(super().to_internal_value(data))


class PhoneField(serializers.CharField):
    """A phone number in one spelling; none, null and an empty text are no phone."""

    default_error_messages = {"not_a_phone": _("Enter a valid phone number, such as +34 600 123 456.")}

    def __init__(self, **options: Any) -> None:
        invalid = self.default_error_messages["not_a_phone"]
        messages = texts(invalid, invalid)
        super().__init__(required=False, allow_null=True, allow_blank=True, error_messages=messages, **options)

    def to_internal_value(self, data: Any) -> str:
        phone = normalize_phone(super().to_internal_value(data))
        if phone is None:
            self.fail("not_a_phone")
        return phone


class PlainTextField(serializers.CharField):
    """An optional line of text; white space of any kind becomes single blanks, null becomes empty."""

    def __init__(self, *, max_length: int, invalid: Any, **options: Any) -> None:
        messages = texts(invalid, invalid)
        super().__init__(
            max_length=max_length,
            required=False,
            allow_null=True,
            allow_blank=True,
            error_messages=messages,
            **options,
        )

    def to_internal_value(self, data: Any) -> str:
        return " ".join(super().to_internal_value(data).split())


class PasswordField(serializers.CharField):
    """A password as it was typed, blanks included."""

    def __init__(self, *, missing: Any, **options: Any) -> None:
        invalid = _("A password is a text of at most 256 characters.")
        super().__init__(
            max_length=_MAX_PASSWORD_LENGTH,
            trim_whitespace=False,
            write_only=True,
            error_messages=texts(missing, invalid),
            **options,
        )


class OneTimeCodeField(serializers.RegexField):
    """Six to eight digits."""

    def __init__(self, **options: Any) -> None:
        messages = texts(_("Enter the code that was sent to you."), _("A code is six to eight digits. Check it again."))
        super().__init__(regex=r"^[0-9]{6,8}$", error_messages=messages, **options)
