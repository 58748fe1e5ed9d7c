"""The one process-wide object: which model is live in this worker. Lazy, locked, replaceable.

Loaded after the fork, never at import, so management commands and migrations run without any model.
"""

import logging
import threading

from django.conf import settings

from ml_models.classifier import Classifier, load_classifier
from ml_models.errors import ArtefactError

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_live: Classifier | None = None


def classifier() -> Classifier:
    """The live classifier, loaded and verified on first use; keep the reference for one whole request.

    Raises ArtefactError while no valid model folder is configured; the next call tries again.
    """
    global _live  # noqa: PLW0603 - the process-wide object is what this module is for
    live = _live
    if live is not None:
        return live
    with _lock:
        if _live is None:
            _live = load_classifier(
                settings.MODEL_ARTEFACT,
                pool_size=settings.INFERENCE_POOL_SIZE,
                timeout_s=settings.INFERENCE_TIMEOUT_S,
            )
            logger.info("Model %s %s (%s) is live", _live.identity.name, _live.identity.version, _live.identity.digest)
        return _live


def reset() -> None:
    """Forget the live classifier; the next call loads what the settings name then."""
    global _live  # noqa: PLW0603
    with _lock:
        _live = None


def warm_up() -> None:
    """Load the model in a fresh worker; without one the worker starts all the same, and /readyz is not ready."""
    try:
        classifier()
    except ArtefactError:
        logger.exception("No model is live")
