"""The entry point that serves; the production profile unless SKIN_PROFILE says otherwise."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skin_disease.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402

from skin_disease.front import Front, FrontLimits  # noqa: E402

application = Front(
    FrontLimits(
        photo_threads=settings.INFERENCE_POOL_SIZE,
        max_queued_photos=settings.MAX_QUEUED_PHOTOS,
        max_wait_s=settings.INFERENCE_TIMEOUT_S,
        max_body_bytes=settings.MAX_UPLOAD_BYTES,
        max_buffered_bytes=settings.MAX_BUFFERED_BYTES,
        request_timeout_s=settings.REQUEST_TIMEOUT_S,
    )
)
