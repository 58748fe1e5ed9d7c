"""Answers through the serving code, and which part of a table a model may be judged on."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from ml_models.artefact import ModelDocument, file_digest
from ml_models.calibration import Calibration
from ml_models.classification import Modality
from ml_models.classifier import Classifier, load_classifier
from ml_models.labels import CODES
from ml_models.patient import PatientEffects, Sex
from ml_models.shipped import SHIPPED_MODEL
from ml_pipeline.data.photos import read_rgb
from ml_pipeline.data.records import Record, Split, records_digest
from ml_pipeline.errors import LeakageError, PipelineError
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.evaluate import answers_from, ask, logits_of, uncalibrated_answers
from ml_pipeline.evaluation.served import served_answers
from ml_pipeline.evaluation.trained_table import table_of
from ml_pipeline.training.recipes import recipe_named
from ml_pipeline.training.selection import select
from tests.ml_pipeline.conftest import make_record


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier(SHIPPED_MODEL, pool_size=2)


@pytest.fixture
def records(drawn_photos: list[Path]) -> list[Record]:
    return [
        make_record(path.stem + path.parent.name, path=str(path), sha256=file_digest(path), group=path.name)
        for path in drawn_photos
    ]


def _trained_on(records: list[Record], document: ModelDocument, **recipe: object) -> ModelDocument:
    return dataclasses.replace(document, provenance={"data_sha256": records_digest(records), "recipe": recipe})


def test_answers_are_those_of_the_server(classifier: Classifier, records: list[Record]) -> None:
    given = ask(classifier, records, workers=2)
    answers = served_answers(classifier.document, given, records)
    for row, record in enumerate(records):
        served = classifier.classify(read_rgb(record, model_input_px=classifier.document.input.size_px)).probabilities
        assert served is not None
        assert answers.probabilities[row] == pytest.approx([served[code] for code in answers.codes])


def test_answers_are_calibrated_by_modality_and_use_facts_only_when_told_to(classifier: Classifier) -> None:
    female = {code: float(code == "mel") for code in classifier.document.codes}
    document = dataclasses.replace(
        classifier.document,
        calibrations={Modality.DERMATOSCOPIC: Calibration(1.0), Modality.CLINICAL: Calibration(2.0)},
        patient_effects=PatientEffects(sex={Sex.FEMALE: female}),
    )
    both = [make_record("a", sex="female"), make_record("b", sex="female", modality=Modality.CLINICAL)]
    mel = document.codes.index("mel")
    logits = np.zeros((2, len(CODES)), np.float32)
    logits[:, mel] = 2

    def odds(answers: Answers) -> list[float]:
        """Log-odds of melanoma against each other class."""
        return np.log(answers.probabilities[:, mel] / answers.probabilities[:, mel - 1]).tolist()

    assert odds(answers_from(document, logits, both)) == pytest.approx([2, 1])
    assert odds(answers_from(document, logits, both, patient_facts=True)) == pytest.approx([3, 2])


def test_logits_do_not_depend_on_the_number_of_threads(classifier: Classifier, records: list[Record]) -> None:
    assert (logits_of(ask(classifier, records)) == logits_of(ask(classifier, records, workers=2))).all()


def test_answers_carry_the_threshold_that_serving_would_use(classifier: Classifier) -> None:
    thresholds = {Modality.DERMATOSCOPIC: 0.3}
    document = dataclasses.replace(classifier.document, malignancy_thresholds=thresholds)
    both = [make_record("a", modality=Modality.CLINICAL), make_record("b")]
    logits = np.zeros((2, len(CODES)), np.float32)
    answers = answers_from(document, logits, both)
    assert answers.thresholds is not None
    assert answers.thresholds.tolist() == [0.3, 0.3]  # the most cautious one for a modality without its own
    without = dataclasses.replace(document, malignancy_thresholds={})
    assert answers_from(without, logits, both).thresholds is None


def test_answers_while_the_modality_is_unknown_are_the_servers(
    classifier: Classifier, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    bias = {code: float(code == "mel") for code in classifier.document.codes}
    document = dataclasses.replace(
        classifier.document,
        calibrations={Modality.DERMATOSCOPIC: Calibration(1.0), Modality.CLINICAL: Calibration(2.0, bias)},
        malignancy_thresholds={Modality.DERMATOSCOPIC: 0.3, Modality.CLINICAL: 0.1},
        modality_certainty=1.0,
        gates=(),
    )
    monkeypatch.setattr(classifier, "_artefact", dataclasses.replace(classifier._artefact, document=document))
    answers = answers_from(document, logits_of(ask(classifier, records)), records, modality_known=False)
    for row, record in enumerate(records):
        served = classifier.classify(read_rgb(record, model_input_px=document.input.size_px))
        assert served.probabilities is not None
        assert answers.probabilities[row] == pytest.approx([served.probabilities[code] for code in answers.codes])
        assert answers.flagged[row] == served.decision.malignancy.suspicious


def test_uncalibrated_answers_are_the_networks_softmax(classifier: Classifier) -> None:
    logits = np.arange(len(CODES), dtype=np.float32)[np.newaxis]
    expected = np.exp(logits[0]) / np.exp(logits[0]).sum()
    seen = uncalibrated_answers(classifier.document, logits, [make_record("a")])
    assert seen.probabilities[0] == pytest.approx(expected)


def test_answers_for_an_unknown_label_are_refused(classifier: Classifier) -> None:
    with pytest.raises(PipelineError, match="tinea"):
        answers_from(classifier.document, np.zeros((1, 8), np.float32), [make_record("a", label="tinea")])


def test_answers_of_a_class_of_unknown_malignancy_say_so(classifier: Classifier) -> None:
    labels = (dataclasses.replace(classifier.document.labels[0], malignant=None), *classifier.document.labels[1:])
    document = dataclasses.replace(classifier.document, labels=labels)
    assert not answers_from(document, np.zeros((1, 8), np.float32), [make_record("a")]).malignancy_known


TABLE = [
    make_record("a", sources="HAM10000;ISIC2019", group="a", split=Split.TRAIN),
    make_record("b", sources="ISIC2019", group="b", split=Split.TEST),
    make_record("c", sources="HAM10000", label="tinea", group="c", split=Split.TEST),
]


def test_table_of_another_training_is_refused(classifier: Classifier) -> None:
    with pytest.raises(LeakageError, match="not those that the model was trained on"):
        table_of(TABLE, classifier.document)


def test_table_of_a_recipe_is_what_it_saw(classifier: Classifier) -> None:
    document = _trained_on(TABLE, classifier.document, sources=["HAM10000"], labels=["nv", "mel"])
    assert [record.image_id for record in table_of(TABLE, document).records] == ["a"]
    found = table_of(TABLE, document, all_sources=True)
    assert [record.image_id for record in found.records] == ["a", "b"]
    assert found.unknown_labels == {"tinea": 1}


def test_table_of_a_recipe_holds_what_the_training_selected(classifier: Classifier) -> None:
    named = itertools.product(("HAM10000", "HAM10000;ISIC2019", "ISIC2019", ""), ("nv", "mel", "df"), Split)
    table = [
        make_record(f"{row}", source="HAM10000", sources=sources, label=label, split=split, group=f"{row}")
        for row, (sources, label, split) in enumerate(named)
    ]
    recipe = dataclasses.replace(recipe_named("tiny"), sources=("HAM10000",), labels=("nv", "mel", "df"))
    document = _trained_on(table, classifier.document, sources=["HAM10000"], labels=["nv", "mel", "df"])
    assert table_of(table, document).records == select(table, recipe)


def test_table_with_labels_unknown_to_the_model_needs_a_word(classifier: Classifier) -> None:
    document = _trained_on(TABLE, classifier.document)
    with pytest.raises(PipelineError, match=r"tinea.*--skip-unknown-labels"):
        table_of(TABLE, document)
    assert len(table_of(TABLE, document, skip_unknown_labels=True).records) == 2
