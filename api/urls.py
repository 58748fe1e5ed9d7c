"""Routes of the API, full paths. Each is also served without its final slash (TrailingSlashMiddleware)."""

from typing import Any

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from api import views
from api.directory.views import NearbyView
from api.guidance.views import ChatView
from api.views.docs import RedocView, SwaggerView

app_name = "api"

# The schema is for everyone, and nobody's token matters to it. Its pages cannot render what OPTIONS would answer.
_open: dict[str, Any] = {"authentication_classes": [], "metadata_class": None}

urlpatterns = [
    path("api/predict/", views.PredictView.as_view(), name="predict"),
    # Other names of the same view: the phone app's, and the one that the project was first known by.
    path("api/predict/skin-disease/", views.PredictView.as_view(schema=None), name="predict-skin-disease"),
    path("predict/", views.PredictView.as_view(schema=None), name="predict-short"),
    path("api/explanations/<str:token>/", views.ExplanationView.as_view(), name="explanation"),
    path("api/explanations/<str:token>/grid/", views.ExplanationGridView.as_view(), name="explanation-grid"),
    path("api/predictions/", views.HistoryView.as_view(), name="history"),
    path("api/predictions/<uuid:prediction_id>/", views.HistoryEntryView.as_view(), name="history-entry"),
    path("api/predictions/<uuid:prediction_id>/feedback/", views.FeedbackView.as_view(), name="feedback"),
    path("api/scans/", views.ScansView.as_view(), name="scans"),
    path("api/scans/<uuid:scan_id>/", views.ScanView.as_view(), name="scan"),
    path("api/scans/<uuid:scan_id>/pdf/", views.ScanPdfView.as_view(), name="scan-pdf"),
    path("api/photos/<str:token>/", views.PhotoView.as_view(), name="photo"),
    path("api/account/", views.AccountView.as_view(), name="account"),
    path("api/account/export/", views.AccountExportView.as_view(), name="account-export"),
    path("api/model/", views.ModelView.as_view(), name="model"),
    path("api/model/on-device/", views.OnDeviceView.as_view(), name="on-device"),
    path("api/model/on-device/<str:digest>/", views.OnDeviceFileView.as_view(), name="on-device-file"),
    path("api/chatbot/", ChatView.as_view(), name="chatbot"),
    path("api/nearby-hospitals/", NearbyView.as_view(), name="nearby-hospitals"),
    path("api/schema/", SpectacularAPIView.as_view(**_open), name="schema"),
    path("api/docs/", SwaggerView.as_view(url_name="api:schema", **_open), name="docs"),
    path("api/redoc/", RedocView.as_view(url_name="api:schema", **_open), name="redoc"),
    path("healthz/", views.HealthView.as_view(), name="healthz"),
    path("readyz/", views.ReadyView.as_view(), name="readyz"),
]
