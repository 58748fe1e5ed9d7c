"""Whether every model folder of this machine holds what it says, and what the rows say of it. Changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from api.switching.models import ModelVersion
from api.switching.store import SHIPPED, artefact_folders, folder_of, load_verified
from ml_models.errors import ArtefactError

UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class VerifiedFolder:
    """One folder: what it holds, as far as it can be read, and what is wrong with it; empty when nothing is."""

    folder: str
    model: str
    digest: str
    state: str
    problem: str


def verify_all() -> Iterator[VerifiedFolder]:
    """Every folder in turn, one model in memory at a time: first those with a row, then all others."""
    versions = list(ModelVersion.objects.all())
    for version in versions:
        yield _verified(folder_of(version), version)
    known = {folder_of(version).resolve() for version in versions}
    for folder in artefact_folders():
        if folder.resolve() not in known:
            yield _verified(folder, None)


def _verified(folder: Path, version: ModelVersion | None) -> VerifiedFolder:
    in_store = folder.resolve().is_relative_to(Path(settings.MODEL_DIR).resolve())
    state = version.state if version else UNKNOWN if in_store else SHIPPED
    try:
        identity = load_verified(folder, digest=version.digest if version else None).identity
    except ArtefactError as error:
        model, digest = (f"{version.name} {version.version}", version.digest) if version else (UNKNOWN, UNKNOWN)
        return VerifiedFolder(str(folder), model, digest, state, str(error))
    return VerifiedFolder(str(folder), f"{identity.name} {identity.version}", identity.digest, state, "")
