"""What the model page takes from a document: every domain and skin type it has, and nothing it has not."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from web import model_page

ESTIMATE = {"value": 0.9506, "low": 0.911, "high": 0.9836}


@pytest.fixture
def live(monkeypatch, shipped_classifier):
    """Make a document's metrics live: `live(metrics)`."""

    def put(metrics):
        document = replace(shipped_classifier.document, metrics=metrics)
        classifier = SimpleNamespace(
            document=document, identity=shipped_classifier.identity, litert_model=shipped_classifier.litert_model
        )
        monkeypatch.setattr(model_page.ml_state, "classifier", lambda: classifier)

    return put


def slice_of(fact: str, value: str, **figures):
    return {"fact": fact, "value": value, "photos": 60, "lesions": 55, **figures}


def test_figures_are_rounded_not_cut(live):
    live({"test": {"clinical": {"photos": 2, "lesions": 1, "melanoma_sensitivity_at_threshold": ESTIMATE}}})
    (domain,) = model_page.shown_model().domains
    assert (domain.name, domain.figures[0].value) == ("Photos by a phone or camera", "95.1 % [91.1; 98.4]")


def test_skin_types_are_shown_where_they_were_measured(live):
    rows = [
        slice_of("sex", "female", balanced_accuracy=ESTIMATE),
        slice_of("Fitzpatrick type", "2", balanced_accuracy=ESTIMATE, malignant_sensitivity_at_threshold=ESTIMATE),
        slice_of("Fitzpatrick type", "6", balanced_accuracy=None),
        slice_of("Fitzpatrick type", "unknown", balanced_accuracy=ESTIMATE),
    ]
    live({"test": {}, "slices": {"clinical": rows, "dermatoscopic": rows[:1]}})
    (skin_types,) = model_page.shown_model().skin_types
    assert [row.name for row in skin_types.rows] == ["2", "6"]
    assert skin_types.rows[1].values == [None, None]
    assert skin_types.rows[0].values == ["95.1 % [91.1; 98.4]"] * 2


def test_document_without_metrics_has_no_figures(live):
    live({})
    model = model_page.shown_model()
    assert (model.domains, model.skin_types) == ([], [])
