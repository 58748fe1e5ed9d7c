"""The one process-wide object: which model is live in this worker. Lazy, locked, replaceable.

Loaded after the fork, never at import, so management commands and migrations run without any model.
"""

import logging
import threading
import time

from django.conf import settings

from ml_models.classifier import Classifier, load_classifier
from ml_models.errors import ArtefactError

logger = logging.getLogger(__name__)

# A damaged folder must not be verified anew, under the lock, for every request that waits.
RETRY_S = 2.0

_lock = threading.Lock()
_live: Classifier | None = None
_failure: ArtefactError | None = None
_failed_at_s = 0.0


def classifier() -> Classifier:
    """The live classifier, loaded and verified on first use; keep the reference for one whole request.

    Raises ArtefactError while no valid model folder is configured; it is tried again after `RETRY_S`.
    """
    live = _live
    if live is not None:
        return live
    with _lock:
        return _live or _load()


def reset() -> None:
    """Forget the live classifier and its last failure; the next call loads what the settings name then."""
    global _live, _failure  # noqa: PLW0603
    with _lock:
        _live = _failure = None


def warm_up() -> Classifier | None:
    """Load the model in a fresh worker; without one the worker starts all the same, and /readyz is not ready."""
    try:
        return classifier()
    except ArtefactError:
        logger.exception("No model is live")
        return None


def _load() -> Classifier:
    global _live, _failure, _failed_at_s  # noqa: PLW0603 - the process-wide object is what this module is for
    if _failure is not None and time.monotonic() < _failed_at_s + RETRY_S:
        raise ArtefactError(str(_failure)) from _failure
    try:
        _live = load_classifier(
            settings.MODEL_ARTEFACT,
            pool_size=settings.INFERENCE_POOL_SIZE,
            timeout_s=settings.INFERENCE_TIMEOUT_S,
        )
    except ArtefactError as error:
        _failure, _failed_at_s = error, time.monotonic()
        raise
    logger.info("Model %s %s (%s) is live", _live.identity.name, _live.identity.version, _live.identity.digest)
    return _live
