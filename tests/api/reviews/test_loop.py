"""The whole loop on tiny data: answered, read by two, exported, retrained, judged, switched live, rolled back."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from api import ml_state
from api.models import ModelVersion, Prediction
from api.reviews.conclusion import Basis
from api.switching.models import VersionState
from ml_pipeline.data.lineage import lineage_of
from ml_pipeline.synthetic import write_ham10000
from tests.api.reviews.conftest import case_of, read

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SHARED_LABELS = ("mel", "nv", "bkl", "bcc")


def _say(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def ask(
    bearer: Callable[[User], Client], person: User, predict: Callable[..., Any], draw_photo: Callable[[int], bytes]
) -> Callable[[int], dict[str, Any]]:
    """What a person who agrees to training is answered about a drawn lesion."""
    return lambda number: predict(bearer(person), image=draw_photo(number), consent="true").json()


def test_loop_goes_round(
    anna: User, bert: User, ask: Callable[[int], dict[str, Any]], settings: LazySettings, tmp_path: Path
) -> None:
    settings.MODEL_DIR = tmp_path / "models"
    settings.REVIEW_SECOND_OPINION = frozenset({"malignant"})
    shipped = ask(0)["model"]["name"]

    for number, label in enumerate(SHARED_LABELS, start=1):
        prediction = Prediction.objects.get(pk=ask(number)["id"])
        read(prediction, anna, label, Basis.HISTOLOGY)
        read(prediction, bert, label, Basis.HISTOLOGY)
        assert case_of(prediction).label == label

    layout = write_ham10000(tmp_path / "sets", lesions_per_class=8, seed=1)
    data = [str(layout.metadata_csv.parent), str(layout.ground_truth_csv.parent)]
    out = _say(
        "retrain_model", "--data", *data, "--with-reviews", "--recipe", "tiny", "--from-scratch", "--workers", "1",
        "--nice", "0",
    )  # fmt: skip
    candidate = ModelVersion.objects.get()
    assert f"{candidate.name} is registered as a candidate" in out
    assert candidate.state == VersionState.CANDIDATE
    lineage = lineage_of(Path(settings.MODEL_DIR) / candidate.folder)
    assert lineage is not None
    assert sum(record.source == "reviews" for record in lineage.table) == len(SHARED_LABELS)

    # Nobody knows what the shipped model has seen of this tiny table, so the gate lets nothing pass beside it.
    assert candidate.passed is False
    with pytest.raises(CommandError, match="failed the gate"):
        _say("activate_model", candidate.name)
    _say("activate_model", candidate.name, "--force", "--why", "a rehearsal on drawn photos")
    ml_state.refresh()
    assert ask(9)["model"]["name"] == candidate.name

    _say("rollback_model")
    ml_state.refresh()
    assert ask(10)["model"]["name"] == shipped
