"""The ASGI entry point; the production profile unless SKIN_PROFILE says otherwise."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skin_disease.settings")

application = get_asgi_application()
