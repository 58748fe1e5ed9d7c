"""Where model folders lie, and the proof that one holds what it should. Reads folders; must not know rows' states."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from api.switching.models import ModelVersion
from ml_models.artefact import DOCUMENT
from ml_models.classifier import Classifier, load_classifier
from ml_models.errors import ArtefactError
from ml_models.shipped import SHIPPED_MODEL

SHIPPED = "shipped"  # what people call the model that comes with the code


def folder_of(version: ModelVersion | None) -> Path:
    """The folder of a version; of None, the shipped model's."""
    return settings.MODEL_DIR / version.folder if version else Path(settings.MODEL_ARTEFACT)


def relative_to_store(folder: Path) -> str:
    """The path from MODEL_DIR, links resolved. Raises ArtefactError when the folder lies elsewhere."""
    store, resolved = Path(settings.MODEL_DIR).resolve(), folder.resolve()
    if resolved == store or not resolved.is_relative_to(store):
        raise ArtefactError(f"{folder} does not lie in MODEL_DIR {store}. Move it there: every replica reads it there.")
    return resolved.relative_to(store).as_posix()


def load_verified(
    folder: Path, *, digest: str | None = None, pool_size: int = 1, timeout_s: float = 10.0
) -> Classifier:
    """Load a folder, its digests and golden answers verified.

    Raises ArtefactError, also when its `model.json` is not the one with this digest.
    """
    try:
        classifier = load_classifier(folder, pool_size=pool_size, timeout_s=timeout_s)
    except OSError as error:  # a disk that is late, a folder that this user may not read
        raise ArtefactError(f"{folder} cannot be read: {error}. Restore the folder.") from error
    seen = classifier.identity.digest
    if digest is not None and seen != digest:
        raise ArtefactError(
            f"{folder} holds the model {seen[:12]}, not {digest[:12]}: it was written over. Restore the folder, or "
            "register what it holds now as a version of its own."
        )
    return classifier


def artefact_folders() -> Iterator[Path]:
    """Every model folder of this machine once: the one that serves by default, all shipped ones, those in MODEL_DIR."""
    seen = set()
    for folder in (Path(settings.MODEL_ARTEFACT), *_below(SHIPPED_MODEL.parent), *_below(Path(settings.MODEL_DIR))):
        if folder.resolve() not in seen:
            seen.add(folder.resolve())
            yield folder


def _below(folder: Path) -> list[Path]:
    return [Path(place) for place, _, names in sorted(os.walk(folder)) if DOCUMENT in names]
