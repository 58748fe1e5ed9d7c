"""Reads of the model's versions."""

from pathlib import Path

from django.db.models import Q, QuerySet

from api.switching.models import ModelSwitch, ModelVersion, VersionState
from api.switching.store import folder_of

_SHORTEST_DIGEST = 6


def active_version() -> ModelVersion | None:
    """The version that is to answer; None while that is the shipped model."""
    return ModelVersion.objects.filter(state=VersionState.ACTIVE).first()


def active_folder() -> Path:
    """The folder of the model that is to answer."""
    return folder_of(active_version())


def versions_called(name: str) -> QuerySet[ModelVersion]:
    """Versions that a person may mean: by name, `name version`, folder, or the first digits of the digest."""
    label, _, version = name.rpartition(" ")
    meant = Q(name=name) | Q(folder=name) | Q(name=label, version=version)
    if len(name) >= _SHORTEST_DIGEST:
        meant |= Q(digest__startswith=name.lower())
    return ModelVersion.objects.filter(meant)


def last_standing_switch() -> ModelSwitch | None:
    """The last decision that neither was taken back nor takes one back: what a rollback undoes."""
    standing = ModelSwitch.objects.filter(undoes=None, undone_by=None)
    return standing.select_related("version", "before").first()
