"""The root of all routes. `web`, `accounts` and `api` declare their full paths themselves."""

from django.contrib import admin
from django.urls import include, path

admin.site.site_header = "Skin lesion review"
admin.site.site_title = "Skin lesion review"
admin.site.index_title = "Administration"
admin.site.enable_nav_sidebar = False  # the log's columns need the width

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("web.urls")),
    path("", include("accounts.urls")),
    path("", include("api.urls")),
]

handler400 = "api.error_views.bad_request"
handler403 = "api.error_views.permission_denied"
handler404 = "api.error_views.not_found"
handler500 = "api.error_views.server_error"
