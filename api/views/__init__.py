"""HTTP in, HTTP out. Views parse, call one service or selector, and serialise; no ORM, no OpenCV, no model."""

from accounts.base_views import OneFormatNegotiation, PublicView
from api.views.account import AccountExportView, AccountView
from api.views.history import FeedbackView, HistoryEntryView, HistoryView
from api.views.model import HealthView, ModelView, ReadyView
from api.views.on_device import OnDeviceFileView, OnDeviceView
from api.views.predict import ExplanationGridView, ExplanationView, PredictView
from api.views.scans import PhotoView, ScanPdfView, ScansView, ScanView

__all__ = [
    "AccountExportView",
    "AccountView",
    "ExplanationGridView",
    "ExplanationView",
    "FeedbackView",
    "HealthView",
    "HistoryEntryView",
    "HistoryView",
    "ModelView",
    "OnDeviceFileView",
    "OnDeviceView",
    "OneFormatNegotiation",
    "PhotoView",
    "PredictView",
    "PublicView",
    "ReadyView",
    "ScanPdfView",
    "ScanView",
    "ScansView",
]
