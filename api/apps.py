"""App configuration; deliberately without `ready()`: nothing heavy happens at import or start-up."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Prediction requests and their log."""

    name = "api"
    verbose_name = "Predictions"
