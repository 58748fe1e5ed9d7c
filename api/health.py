"""What stands between this process and answering photos."""

import logging

from django.db import DatabaseError, Error, connection
from django.db.migrations.executor import MigrationExecutor

from api import ml_state
from ml_models.errors import ArtefactError

logger = logging.getLogger(__name__)


def problems() -> tuple[str, ...]:
    """Texts for the operator, without paths or secrets; empty when ready. Details go to the log."""
    found = []
    try:
        ml_state.classifier()
    except ArtefactError:
        logger.exception("Not ready: no model")
        found.append("No model is live; the log says why.")
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            found.append("The database lacks migrations: run manage.py migrate.")
    except DatabaseError:
        logger.exception("Not ready: database")
        found.append("The database does not answer; the log says why.")
    return tuple(found)


def warnings() -> tuple[str, ...]:
    """Texts for the operator of a process that is able to answer, but not as it should. Without paths or secrets."""
    try:
        found = ml_state.discrepancy()
    except (ArtefactError, Error):
        logger.exception("Not known whether the active model answers")
        return ("It is not known whether the active model answers; the log says why.",)
    return (found,) if found else ()
