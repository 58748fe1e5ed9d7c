"""The wire format of people: what a client may send and what it reads."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.errors import FormRefused, RegistrationRefused
from accounts.fields import EmailAddressField, OneTimeCodeField, PasswordField, PhoneField, PlainTextField, texts
from accounts.models import User
from accounts.services import ProfileChanges

_MAX_TOKEN_LENGTH = 4096
_TOO_LONG = _("This text is too long: at most 32 characters.")
_TRUE_OR_FALSE = _("Say true or false for training_consent.")
_NAME_TOO_LONG = _("The name is too long: at most 150 characters.")


class Form(serializers.Serializer[Any]):
    """A request's body."""

    refusal: type[FormRefused] = FormRefused

    def is_valid(self, *, raise_exception: bool = False) -> bool:
        """As ever, but raises the error whose texts are shown as they are."""
        valid = super().is_valid()
        if raise_exception and not valid:
            raise self.refusal(self.errors)
        return valid


class NewPasswordForm(Form):
    """A new password and, from screens that ask for it, the same once more."""

    password = PasswordField(missing=_("Choose a password."))
    confirm_password = PasswordField(missing=_("Enter the password once more."), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.pop("confirm_password", attrs["password"]) != attrs["password"]:
            raise serializers.ValidationError({"confirm_password": [_("The two passwords are not the same.")]})
        return attrs


class RegisterForm(NewPasswordForm):
    """A new person."""

    refusal = RegistrationRefused

    full_name = PlainTextField(max_length=150, invalid=_NAME_TOO_LONG)
    email = EmailAddressField()
    phone = PhoneField()
    confirm_password = PasswordField(missing=_("Enter the password once more."))

    def arguments(self) -> dict[str, str]:
        """Keyword arguments of `register_person`."""
        return {name: value or "" for name, value in self.validated_data.items()}


class LoginForm(Form):
    """Who somebody says they are."""

    email = serializers.CharField(
        max_length=254, error_messages=texts(_("Enter your e-mail address."), _("Enter a valid e-mail address."))
    )
    password = PasswordField(missing=_("Enter your password."))
    otp = OneTimeCodeField(
        required=False, allow_blank=True, allow_null=True, help_text="where the e-mail must be verified first"
    )


class RefreshForm(Form):
    """A refresh token."""

    refresh = serializers.CharField(
        max_length=_MAX_TOKEN_LENGTH,
        error_messages=texts(_("Send the refresh token."), _("This is not a refresh token.")),
    )


class ProfileForm(Form):
    """What a person may change; what is not sent stays, null and empty texts clear."""

    full_name = PlainTextField(max_length=150, invalid=_NAME_TOO_LONG)
    phone = PhoneField()
    gender = PlainTextField(max_length=32, invalid=_TOO_LONG)
    blood_group = PlainTextField(max_length=32, invalid=_TOO_LONG)
    email = EmailAddressField(required=False, help_text="a new one needs `current_password`")
    current_password = PasswordField(missing=_("Enter your current password."), required=False)
    training_consent = serializers.BooleanField(
        required=False,
        help_text="may this person's photos train later models",
        error_messages=texts(_TRUE_OR_FALSE, _TRUE_OR_FALSE),
    )

    def changes(self) -> ProfileChanges:
        """The validated form as what `update_profile` takes."""
        values: dict[str, Any] = {name: "" if value is None else value for name, value in self.validated_data.items()}
        return ProfileChanges(**values)


class CodeForm(Form):
    """A code that was sent to a person who is logged in."""

    otp = OneTimeCodeField()


class ForgotPasswordForm(Form):
    """For whom a new password is wanted."""

    email = EmailAddressField()


class ResetPasswordForm(NewPasswordForm):
    """A new password, by the code that was sent to the e-mail."""

    email = EmailAddressField()
    otp = OneTimeCodeField()


class ChangePasswordForm(NewPasswordForm):
    """A new password, by the old one."""

    current_password = PasswordField(missing=_("Enter your current password."))


class PersonResponse(serializers.Serializer[User]):
    """A person's profile. No text is ever null."""

    id = serializers.IntegerField()
    full_name = serializers.CharField()
    email = serializers.EmailField()
    phone = serializers.SerializerMethodField(help_text="empty where there is none")
    gender = serializers.CharField()
    blood_group = serializers.CharField()
    email_verified = serializers.BooleanField()
    phone_verified = serializers.BooleanField()
    training_consent = serializers.BooleanField()
    training_consent_at = serializers.DateTimeField(allow_null=True, help_text="since when; null without consent")
    date_joined = serializers.DateTimeField()

    def get_phone(self, person: User) -> str:
        return person.phone or ""


class TokensResponse(serializers.Serializer[Any]):
    """Bearer tokens; `refresh` is good for one renewal."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class LoginResponse(TokensResponse):
    """A person who is logged in."""

    user = PersonResponse()


class RegisterResponse(serializers.Serializer[Any]):
    """A new person, logged in unless the e-mail must be verified first."""

    user = PersonResponse()
    detail = serializers.CharField()
    access = serializers.CharField(required=False)
    refresh = serializers.CharField(required=False)


class DoneResponse(serializers.Serializer[Any]):
    """What was done, to be shown as it is."""

    detail = serializers.CharField()


class PrivacySection(serializers.Serializer[Any]):
    """One part of the notice."""

    heading = serializers.CharField()
    text = serializers.CharField()


class PrivacyResponse(serializers.Serializer[Any]):
    """The privacy notice, true to this server's settings."""

    title = serializers.CharField()
    sections = PrivacySection(many=True)
    anonymous_retention_days = serializers.IntegerField()
    retention_days = serializers.IntegerField(allow_null=True, help_text="null: until the person deletes it")
    contact = serializers.CharField(help_text="empty where the operator has named none")


class ErrorBody(serializers.Serializer[Any]):
    """The body of every error."""

    error = serializers.CharField()
    detail = serializers.CharField()
    code = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))  # type: ignore[assignment]


class RegisterErrorBody(ErrorBody):
    """The same, with the texts that the app's register screen looks for."""

    email = serializers.CharField(required=False)
    phone = serializers.CharField(required=False)
    confirm_password = serializers.CharField(required=False)
