"""The one process-wide object: which model is live in this worker. Lazy, locked, replaced while requests go on.

Loaded after the fork, never at import, so management commands and migrations run without any model. A request takes
one reference and keeps it: its answer is of one model, whatever goes live meanwhile.
"""

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import Error

from api.switching.models import ModelVersion
from api.switching.selectors import active_version
from api.switching.store import folder_of, load_verified
from ml_models.classification import ModelIdentity
from ml_models.classifier import Classifier
from ml_models.errors import ArtefactError

logger = logging.getLogger(__name__)

# A damaged folder must not be verified anew, under the lock, for every request that waits. The wait doubles.
RETRY_S = 2.0
MAX_RETRY_S = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """The model that is to be live: a version by its digest, or, without one, what the shipped folder holds."""

    folder: Path
    digest: str | None = None

    def is_met_by(self, classifier: Classifier) -> bool:
        """Whether this classifier is it."""
        if self.digest is None:
            return classifier.litert_model.parent == self.folder
        return classifier.identity.digest == self.digest


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a target could not be loaded, and when it is worth another try. The exception itself would hold the model."""

    text: str
    tries: int
    retry_at_s: float


_lock = threading.Lock()
_live: Classifier | None = None
_failures: dict[Target, _Failure] = {}


def classifier() -> Classifier:
    """The live classifier, loaded and verified on first use; keep the reference for one whole request.

    Raises ArtefactError while none can be loaded, or the database does not say which; it is tried again after a while.
    """
    live = _live
    if live is not None:
        return live
    with _lock:
        try:
            return _live or _load_first(_target(active_version()))
        except Error as error:
            raise ArtefactError(f"The database does not say which model is active: {error}") from error


def refresh() -> ModelIdentity | None:
    """Make the active model the live one, built beside the old, which answers until then; its identity if it is new.

    Never raises: a model that is missing or broken, and a database that does not answer, leave everything as it is.
    """
    with _lock:
        try:
            target = _target(active_version())
            if _live is None:
                return _load_first(target).identity
            if not target.is_met_by(_live):
                return _go_live(target).identity
            _failures.clear()
        except Error as error:
            logger.error("The database does not say which model is active: %s", error)  # noqa: TRY400 - no bug
        except ArtefactError:
            pass  # on the log since it was tried
        return None


def discrepancy() -> str | None:
    """Why this process does not answer with the active model; None where it does. Names no path.

    Raises ArtefactError while no model is live, and the database's errors when it does not say which is active.
    """
    live, version = classifier(), active_version()
    target = _target(version)
    if target.is_met_by(live):
        return None
    reason = "it is missing or broken, the log says why" if target in _failures else "the switch is under way"
    wanted = version or "The shipped model"
    return f"{wanted} is active, but {live.identity.name} {live.identity.version} answers here: {reason}."


def reset() -> None:
    """Forget the live classifier and all failures; the next call loads what is active then."""
    global _live  # noqa: PLW0603
    with _lock:
        _live = None
        _failures.clear()


def _target(version: ModelVersion | None) -> Target:
    return Target(folder_of(version), version.digest if version else None)


def _load_first(target: Target) -> Classifier:
    """What a fresh process answers with: its target, or the shipped model where that is broken, loudly."""
    try:
        return _go_live(target)
    except ArtefactError:
        shipped = _target(None)
        if target == shipped:
            raise
        return _go_live(shipped)


def _go_live(target: Target) -> Classifier:
    """Load a target and bind it, unless it has failed a moment ago. Called under the lock."""
    global _live  # noqa: PLW0603 - the process-wide object is what this module is for
    failed = _failures.get(target)
    if failed and time.monotonic() < failed.retry_at_s:
        raise ArtefactError(failed.text)
    try:
        loaded = load_verified(
            target.folder,
            digest=target.digest,
            pool_size=settings.INFERENCE_POOL_SIZE,
            timeout_s=settings.INFERENCE_TIMEOUT_S,
        )
    except ArtefactError as error:
        tries = failed.tries + 1 if failed else 0
        wait_s = min(RETRY_S * 2**tries, MAX_RETRY_S)
        _failures[target] = _Failure(str(error), tries, time.monotonic() + wait_s)
        logger.error("The model in %s cannot go live: %s", target.folder, error)  # noqa: TRY400 - raised again
        raise
    _live = loaded
    logger.info("Model %s %s (%s) is live", loaded.identity.name, loaded.identity.version, loaded.identity.digest)
    return loaded
