"""Several photos of one lesion against one: which lesions, and what is compared."""

import numpy as np
import pytest

from ml_models.classification import Modality
from ml_models.classifier import Classifier
from ml_pipeline.data.records import Record
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.fusion import lesions_with_several_photos, measure_fusion, printed_fusion
from tests.ml_pipeline.conftest import make_record


def test_lesions_with_several_photos_are_of_one_lesion_label_and_modality() -> None:
    records = [
        *(make_record(f"a{n}", lesion_id="a") for n in range(7)),
        make_record("b0", lesion_id="b"),
        make_record("c0", lesion_id="c"),
        make_record("c1", lesion_id="c", modality=Modality.CLINICAL),
        make_record("d0", lesion_id="d", label="nv"),
        make_record("d1", lesion_id="d", label="bkl"),
        make_record("e0", lesion_id="e", cluster="copies"),
        make_record("e1", lesion_id="e", cluster="copies"),
        make_record("f0", lesion_id="", group="f"),
        make_record("f1", lesion_id="", group="f"),
    ]
    lesions = lesions_with_several_photos(records, Modality.DERMATOSCOPIC)
    assert [[record.image_id for record in photos] for photos in lesions] == [[f"a{n}" for n in range(5)]]


def test_measure_fusion_of_equal_photos_gains_nothing(
    shipped_classifier: Classifier, two_domains: tuple[Record, ...]
) -> None:
    lesions = [(record, record) for record in two_domains[:12]]
    fusion = measure_fusion(shipped_classifier, lesions)
    assert (fusion.lesions, fusion.photos) == (12, 24)
    for row in fusion.figures:
        assert row.gain.value == pytest.approx(0)
        assert row.alone.value == pytest.approx(row.together.value)
    assert "| accuracy | 12 |" in printed_fusion(fusion)


def test_measure_fusion_accuracy_alone_is_the_mean_over_the_photos(
    shipped_classifier: Classifier, two_domains: tuple[Record, ...]
) -> None:
    from ml_pipeline.data.photos import read_rgb

    pair = two_domains[0], two_domains[1]
    fusion = measure_fusion(shipped_classifier, [pair])
    size_px = shipped_classifier.document.input.size_px
    said = [shipped_classifier.classify(read_rgb(record, model_input_px=size_px)).decision.label for record in pair]
    accuracy = next(row for row in fusion.figures if row.name == "accuracy")
    assert accuracy.alone.value == np.mean([label == pair[0].label for label in said])


def test_measure_fusion_of_nothing_is_refused(shipped_classifier: Classifier) -> None:
    with pytest.raises(PipelineError, match="several photos"):
        measure_fusion(shipped_classifier, [])
