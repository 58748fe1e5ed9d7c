"""People in the administration: log in by e-mail, no user name anywhere. And what they did, to read only."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.audit import record_event
from accounts.models import AuditEvent, AuditKind, User
from accounts.services import record_failed_login
from accounts.throttles import address_counted, email_counted, seconds_to_wait

# Their pages show whole refresh tokens, with which a reader could log in as somebody else.
admin.site.unregister([OutstandingToken, BlacklistedToken])


class AdminLoginForm(AdminAuthenticationForm):
    """Counts and records logins to the administration as the API does its own."""

    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        tried = email_counted(self.request, "login", self.data.get("username"))
        if seconds_to_wait(tried | address_counted(self.request, "login")) is not None:
            raise ValidationError(_("Too many attempts. Try again later."), code="throttled")
        return super().clean()

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        record_event(kind=AuditKind.LOGIN, actor=user, subject="administration")

    def get_invalid_login_error(self) -> ValidationError:
        record_failed_login(email=self.cleaned_data.get("username", ""))
        return super().get_invalid_login_error()


admin.site.login_form = AdminLoginForm


class ReadOnlyAdminMixin:
    """Rows of a log are what happened; retention and the person's own deletion remove them, nobody edits them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdminMixin, admin.ModelAdmin):
    """Who did what."""

    list_display = ("created_at", "kind", "actor", "actor_pseudonym", "subject")
    list_filter = ("kind", "created_at")
    list_select_related = ("actor",)
    search_fields = ("actor__email", "actor_pseudonym__startswith", "subject")
    date_hierarchy = "created_at"
    show_full_result_count = False


class UserAddForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "full_name")


class UserEditForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = UserAddForm
    form = UserEditForm
    ordering = ("email",)
    list_display = ("email", "full_name", "is_active", "is_staff", "email_verified", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "email_verified", "groups")
    search_fields = ("email", "full_name", "phone")
    readonly_fields = ("last_login", "date_joined", "training_consent_at")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("full_name", "phone", "gender", "blood_group", "email_verified", "phone_verified")}),
        ("Consent", {"fields": ("training_consent_at",)}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {"classes": ("wide",), "fields": ("email", "full_name", "usable_password", "password1", "password2")},
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The administration would leave photos and answers behind: `manage.py delete_account` does not."""
        return False
