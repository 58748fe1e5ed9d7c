"""A change of the answering model is on record, once."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError

from accounts.models import AuditEvent, AuditKind
from api.services import model_versions
from api.services.model_versions import record_live_model
from ml_models.classification import ModelIdentity

pytestmark = pytest.mark.django_db


def _identity(version: str) -> ModelIdentity:
    return ModelIdentity(name="mole", version=version, digest=version.replace(".", "") * 16, preprocess_version=1)


def _recorded() -> list[str]:
    return [event.subject for event in AuditEvent.objects.filter(kind=AuditKind.MODEL_SWITCHED).order_by("id")]


def test_record_live_model_records_the_first_and_every_change() -> None:
    for version in ("1.0.0", "2.0.0", "1.0.0"):
        record_live_model(identity=_identity(version))
    assert [subject.split()[-1] for subject in _recorded()] == ["1.0.0", "2.0.0", "1.0.0"]


def test_record_live_model_of_the_same_model_records_nothing() -> None:
    record_live_model(identity=_identity("1.0.0"))
    assert record_live_model(identity=_identity("1.0.0")) is None
    assert len(_recorded()) == 1


def test_record_live_model_name_of_any_length_fits() -> None:
    assert (
        record_live_model(identity=ModelIdentity(name="x" * 300, version="1", digest="d" * 64, preprocess_version=1))
        is not None
    )


def test_record_live_model_unwritable_database_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_fields: object) -> Callable[..., None]:
        raise DatabaseError("disk full")

    monkeypatch.setattr(model_versions, "record_event", refuse)
    assert record_live_model(identity=_identity("1.0.0")) is None
    assert "could not be recorded" in caplog.text
