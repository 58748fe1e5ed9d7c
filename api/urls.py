"""Routes of the API, full paths. Each is also served without its final slash (TrailingSlashMiddleware)."""

from typing import Any

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from api import views

app_name = "api"

# The schema is for everyone, and nobody's token matters to it.
_open: dict[str, Any] = {"authentication_classes": []}

urlpatterns = [
    path("api/predict/", views.PredictView.as_view(), name="predict"),
    # Other names of the same view: the phone app's, and the one that the project was first known by.
    path("api/predict/skin-disease/", views.PredictView.as_view(schema=None), name="predict-skin-disease"),
    path("predict/", views.PredictView.as_view(schema=None), name="predict-short"),
    path("api/explanations/<str:token>/", views.ExplanationView.as_view(), name="explanation"),
    path("api/model/", views.ModelView.as_view(), name="model"),
    path("api/schema/", SpectacularAPIView.as_view(**_open), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="api:schema", **_open), name="docs"),
    path(
        "api/redoc/",
        SpectacularRedocView.as_view(url_name="api:schema", template_name="api/redoc.html", **_open),
        name="redoc",
    ),
    path("healthz/", views.HealthView.as_view(), name="healthz"),
    path("readyz/", views.ReadyView.as_view(), name="readyz"),
]
