"""The WSGI entry point; the production profile unless SKIN_PROFILE says otherwise."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skin_disease.settings")

application = get_wsgi_application()
