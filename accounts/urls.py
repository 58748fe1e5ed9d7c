"""Routes of people, full paths. Each is also served without its final slash (TrailingSlashMiddleware)."""

from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("api/auth/register/", views.RegisterView.as_view(), name="register"),
    path("api/auth/login/", views.LoginView.as_view(), name="login"),
    path("api/auth/refresh/", views.RefreshView.as_view(), name="refresh"),
    path("api/auth/logout/", views.LogoutView.as_view(), name="logout"),
    path("api/auth/profile/", views.ProfileView.as_view(), name="profile"),
    path("api/auth/profile/update/", views.ProfileUpdateView.as_view(), name="profile-update"),
    path("api/auth/otp/email/send/", views.EmailCodeSendView.as_view(), name="email-code-send"),
    path("api/auth/otp/email/verify/", views.EmailCodeVerifyView.as_view(), name="email-code-verify"),
    path("api/auth/otp/phone/send/", views.PhoneCodeSendView.as_view(), name="phone-code-send"),
    path("api/auth/otp/phone/verify/", views.PhoneCodeVerifyView.as_view(), name="phone-code-verify"),
    path("api/auth/password/forgot/", views.ForgotPasswordView.as_view(), name="password-forgot"),
    path("api/auth/password/reset/", views.ResetPasswordView.as_view(), name="password-reset"),
    path("api/auth/password/change/", views.ChangePasswordView.as_view(), name="password-change"),
    path("api/privacy/", views.PrivacyView.as_view(), name="privacy"),
]
