"""Following the active model in a worker that serves: a thread looks every second, so that no request has to."""

import logging
import threading
import time

from django.db import close_old_connections, connection

from api import ml_state
from api.services.model_versions import record_live_model

logger = logging.getLogger(__name__)

CHECK_S = 1.0  # a read of one row by its index; every worker answers with a new model within five seconds


def start() -> None:
    """Load the model, then follow every switch in the background. Without a model the worker starts all the same."""
    _look()
    connection.close()  # this thread goes on without a database
    threading.Thread(target=_follow, name="model-switches", daemon=True).start()


def _follow() -> None:
    while True:
        time.sleep(CHECK_S)
        close_old_connections()
        _look()


def _look() -> None:
    try:
        identity = ml_state.refresh()
        if identity:
            record_live_model(identity=identity)
    except Exception:  # the border of a task: a bug must neither end the watch nor keep a worker from starting
        logger.exception("Looking for the active model failed")
