"""Pages for people."""

from django.urls import path
from django.views.i18n import set_language

from web import views

app_name = "web"
urlpatterns = [
    path("", views.AnalysePage.as_view(), name="analyse"),
    path("dermatologists/", views.DermatologistsPage.as_view(), name="dermatologists"),
    path("model/", views.ModelPage.as_view(), name="model"),
    path("model/plots/<slug:name>/", views.PlotView.as_view(), name="plot"),
    path("privacy/", views.PrivacyPage.as_view(), name="privacy"),
    path("language/", set_language, name="language"),
    path("favicon.ico", views.favicon, name="favicon"),
]
