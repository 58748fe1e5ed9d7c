"""Versions of the model: registering, switching, rolling back. Every change is on record with who, when and why."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.audit import record_event
from accounts.models import AuditEvent, AuditKind, User
from api.switching.models import ModelSwitch, ModelVersion, VersionState
from api.switching.selectors import active_folder, active_version, last_standing_switch
from api.switching.store import folder_of, load_verified, relative_to_store
from ml_models.classification import ModelIdentity
from ml_models.errors import ArtefactError

__all__ = [
    "SwitchRefused",
    "activate_shipped",
    "activate_version",
    "active_folder",
    "active_version",
    "record_live_model",
    "register_candidate",
    "roll_back",
]

logger = logging.getLogger(__name__)

_DIGEST_LENGTH = 16
_SUBJECT_LENGTH = 100


class SwitchRefused(Exception):
    """The model that answers stays the same; the text says why and what to do."""


def register_candidate(
    *,
    folder: Path,
    report: Mapping[str, Any] | None = None,
    passed: bool | None = None,
    actor: User | AnonymousUser | None = None,
) -> ModelVersion:
    """Make a verified folder in MODEL_DIR known. The same model again keeps its row and state, and takes a new verdict.

    Raises ArtefactError when the folder lies elsewhere, is broken, or says what cannot be kept.
    """
    place = relative_to_store(folder)
    identity = load_verified(folder).identity
    with transaction.atomic():
        version = ModelVersion.objects.select_for_update().filter(digest=identity.digest).first()
        version = version or ModelVersion(digest=identity.digest, name=identity.name, version=identity.version)
        version.folder = place
        if report is not None or passed is not None:
            version.report, version.passed = dict(report or {}), passed
        try:
            version.full_clean()
        except ValidationError as error:
            raise ArtefactError(f"{folder} cannot be registered: {error.message_dict}") from error
        version.save()
        record_event(kind=AuditKind.MODEL_REGISTERED, actor=actor, subject=_subject(identity))
    return version


def activate_version(
    *, version: ModelVersion, actor: User | AnonymousUser | None = None, force: bool = False, why: str = ""
) -> ModelSwitch | None:
    """Let this version answer from now on; None where it does already.

    Raises SwitchRefused when it has not passed the gate, unless forced with a reason; ArtefactError when it is broken.
    """
    if force and not why.strip():
        raise SwitchRefused("Forcing a model needs a reason, which is kept. Say why.")
    identity = load_verified(folder_of(version), digest=version.digest).identity
    with transaction.atomic():
        version = _locked_versions()[version.pk]  # a new verdict may have come meanwhile
        if version.state == VersionState.ACTIVE:
            return None
        if version.passed is not True and not force:
            verdict = "has not been judged by the gate" if version.passed is None else "has failed the gate"
            raise SwitchRefused(f"{version} {verdict}. Activate another version, or force it and say why.")
        forced = version.passed is not True
        return _switch(ModelSwitch(version=version, forced=forced, why=why.strip()), identity, actor)


def activate_shipped(*, actor: User | AnonymousUser | None = None, why: str = "") -> ModelSwitch | None:
    """Let the shipped model answer from now on; None where it does already. Raises ArtefactError when it is broken."""
    identity = load_verified(folder_of(None)).identity
    with transaction.atomic():
        _locked_versions()
        if active_version() is None:
            return None
        return _switch(ModelSwitch(why=why.strip()), identity, actor)


def roll_back(*, actor: User | AnonymousUser | None = None, why: str = "") -> ModelSwitch:
    """Undo the last switch that stands: what answered before it answers again. Twice undoes the one before, too.

    The gate is not asked: that model has answered before. Raises SwitchRefused when there is nothing to undo,
    ArtefactError when the earlier model is broken by now.
    """
    last = last_standing_switch()
    if last is None:
        raise SwitchRefused("No switch stands that could be undone. Activate a version by its name.")
    earlier = last.before
    identity = load_verified(folder_of(earlier), digest=earlier.digest if earlier else None).identity
    with transaction.atomic():
        _locked_versions()
        if last_standing_switch() != last:
            raise SwitchRefused("Somebody else has switched the model at the same time. Look, and try again.")
        return _switch(ModelSwitch(version=earlier, undoes=last, why=why.strip()), identity, actor)


def record_live_model(*, identity: ModelIdentity) -> AuditEvent | None:
    """Append an event when another model answers than the last one on record; None where it is the same.

    Of several workers that start or switch at once one records it, and none what an activation has recorded. A database
    that cannot be written is logged, and stops nobody.
    """
    subject = _subject(identity)
    try:
        if _last_subject() == subject:  # the usual start: a read waits for no lock
            return None
        with transaction.atomic():
            if _last_subject() == subject:
                return None
            return record_event(kind=AuditKind.MODEL_SWITCHED, actor=None, subject=subject)
    except DatabaseError:
        logger.exception("The change to %s could not be recorded", subject)
        return None


def _locked_versions() -> dict[int, ModelVersion]:
    """Every version as it is now. Whoever switches holds them all, so that one switch follows the other."""
    return {version.pk: version for version in ModelVersion.objects.select_for_update().order_by("pk")}


def _switch(switch: ModelSwitch, identity: ModelIdentity, actor: User | AnonymousUser | None) -> ModelSwitch:
    """Flip the rows and keep the decision; the caller holds the versions and has verified the folder."""
    switch.before = active_version()
    if switch.before:
        switch.before.state = VersionState.RETIRED
        switch.before.save(update_fields=["state"])
    if switch.version:
        switch.version.state, switch.version.activated_at = VersionState.ACTIVE, timezone.now()
        switch.version.save(update_fields=["state", "activated_at"])
    switch.event = record_event(kind=AuditKind.MODEL_SWITCHED, actor=actor, subject=_subject(identity))
    switch.save(force_insert=True)
    return switch


def _subject(identity: ModelIdentity) -> str:
    return f"model {identity.digest[:_DIGEST_LENGTH]} {identity.name} {identity.version}"[:_SUBJECT_LENGTH]


def _last_subject() -> str | None:
    last = AuditEvent.objects.filter(kind=AuditKind.MODEL_SWITCHED).order_by("-id").first()
    return last.subject if last else None
