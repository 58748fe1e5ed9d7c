"""The sample photos behave as `sample_images/expected.json` says, through the whole path."""

import json

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "sample_images"
SAMPLES = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.django_db
@pytest.mark.parametrize("sample", SAMPLES, ids=[sample["file"] for sample in SAMPLES])
def test_predict_sample_image_behaves_as_written(anonymous, sample):
    expected = sample["expected"]
    with (FOLDER / sample["file"]).open("rb") as image:
        response = anonymous.post("/api/predict/", {"image": image})
    answer = response.json()
    assert response.status_code == expected["http_status"]
    if expected["is_safe"] is None:
        assert not answer["isSafe"] or (answer["status"], answer["severity"]) == ("ok", "Low")
    else:
        assert answer["isSafe"] is expected["is_safe"]
    assert answer["status"] in expected["statuses"]
    assert answer["severity"] in expected["severities"]
    if expected["has_label"] is not None:
        assert (answer["label"] is not None) == expected["has_label"]
    if expected["has_probabilities"] is not None:
        assert (answer["probabilities"] is not None) == expected["has_probabilities"]
