"""A trained run to a complete, verified artefact folder. Needs the TensorFlow backend for the LiteRT converter."""

import dataclasses
import platform
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
from sklearn.decomposition import PCA

from ml_models import artefact
from ml_models.artefact import Artefact, Golden, ModelDocument, Statistics
from ml_models.calibration import calibrated_probabilities
from ml_models.classification import Modality, ModelIdentity, ReasonCode
from ml_models.classifier import Classifier, load_classifier
from ml_models.gates import Gate
from ml_models.labels import BY_CODE
from ml_models.preprocess import InputSpec
from ml_models.runtime import LiteRtRuntime
from ml_pipeline.calibrate import ThresholdChoice, choose_minimum_confidence, choose_threshold, fit_temperature
from ml_pipeline.data.proof import refuse_leakage, refuse_other_data
from ml_pipeline.data.records import SEPARATOR, Record, Split, of_split
from ml_pipeline.errors import TrainingError
from ml_pipeline.evaluation.evaluate import answers_from, logits_for
from ml_pipeline.evaluation.metrics import Answers, calibration_error, estimate, metrics, per_class
from ml_pipeline.evaluation.report import write_model_card, write_plots
from ml_pipeline.synthetic import golden_inputs
from ml_pipeline.training.backbones import LOGITS, with_feature_map
from ml_pipeline.training.batches import load_inputs
from ml_pipeline.training.train import TrainedModel

PARITY_TOLERANCE = 1e-4
_EMBEDDING_DIMENSIONS = 64
_COVERAGE = 0.9
_PARITY_PHOTOS = 64
_GOLDEN_PHOTOS, _GOLDEN_SIZE_PX, _GOLDEN_SEED = 4, 200, 7
# A photo with less than two grey levels of variation at 200 px shows nothing at all; real quality gates need data.
_NO_DETAIL = Gate(score="contrast", minimum=2.0, reason=ReasonCode.NO_DETAIL)
_LIBRARIES = ("keras", "tensorflow", "ai-edge-litert", "opencv-python-headless", "numpy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The folder written, its document, and how far LiteRT is from Keras, as a share of the largest logit."""

    folder: Path
    parity: float
    document: ModelDocument


def export(
    trained: TrainedModel, records: Sequence[Record], *, name: str, model_version: str, created_at: str, out: Path
) -> ExportReport:
    """Calibrate on validation, measure on test, write the folder `out`, and load it as a server would.

    An existing folder is replaced only once the new one has passed. Raises TrainingError when LiteRT and Keras differ.
    """
    if keras.backend.backend() != "tensorflow":
        raise TrainingError("Export needs KERAS_BACKEND=tensorflow: the LiteRT converter is TensorFlow's.")
    refuse_leakage(records)
    refuse_other_data(records, trained.data_sha256)
    if out.exists() and not (out / artefact.DOCUMENT).is_file():
        raise TrainingError(f"{out} exists and is no model folder. Give the folder of one model, such as {out}/NAME.")
    model = with_feature_map(trained.model)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / name
        folder.mkdir()
        _write_networks(model, folder)
        runtime = LiteRtRuntime(folder / artefact.LITERT_MODEL)
        parity = _parity(model, runtime, records, trained.recipe.size_px)
        statistics = _statistics(model, records, trained.recipe.size_px)

        draft = _uncalibrated(trained, records, name=name, model_version=model_version, created_at=created_at)
        # Logits do not depend on the calibration, so the draft's classifier serves for all splits.
        classifier = _classifier(draft, folder, runtime, statistics)
        calibrated = _calibrated(draft, classifier, of_split(records, Split.VALIDATION))
        test = of_split(records, Split.TEST)
        answers = answers_from(calibrated, logits_for(classifier, test), test)
        measured = dataclasses.replace(calibrated, metrics=_metrics(calibrated, answers, test))

        _write_arrays(folder, statistics, _golden(classifier, measured))
        files = {file: artefact.file_digest(folder / file) for file in artefact.HASHED_FILES}
        document = dataclasses.replace(measured, files=files)
        (folder / artefact.DOCUMENT).write_text(document.to_json(), encoding="utf-8")
        write_plots(folder / "plots", answers)
        write_model_card(folder / "MODEL_CARD.md", document)
        load_classifier(folder)
        _replace(out, folder)
    return ExportReport(out, parity, document)


def _replace(out: Path, folder: Path) -> None:
    """Put the new folder where the old one was; interrupted, one of the two is complete beside it."""
    new, old = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(folder, new)
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _write_networks(model: keras.Model, folder: Path) -> None:
    import tensorflow as tf  # noqa: PLC0415 - only this function needs it, and only under its backend

    model.save(folder / artefact.KERAS_MODEL)
    (folder / artefact.LITERT_MODEL).write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def _parity(model: keras.Model, runtime: LiteRtRuntime, records: Sequence[Record], size_px: int) -> float:
    """Largest difference of a logit between Keras and LiteRT on validation photos, as a share of the largest logit."""
    photos = load_inputs(of_split(records, Split.VALIDATION)[:_PARITY_PHOTOS], InputSpec(size_px))
    expected = model.predict(photos, verbose=0)[LOGITS]
    seen = np.concatenate([runtime.run(photo[np.newaxis])[LOGITS] for photo in photos])
    largest = float(np.abs(expected - seen).max() / np.abs(expected).max())
    if largest > PARITY_TOLERANCE:
        raise TrainingError(
            f"LiteRT differs from Keras by {largest:.2g} of the largest logit (limit {PARITY_TOLERANCE:g})."
        )
    return largest


def _statistics(model: keras.Model, records: Sequence[Record], size_px: int) -> Statistics:
    """Head weights, and a principal component projection of the pooled features of the training split."""
    training = of_split(records, Split.TRAIN)
    pooling = keras.Model(model.inputs[0], model.get_layer("pooled").output)
    pooled = pooling.predict(load_inputs(training, InputSpec(size_px)), batch_size=64, verbose=0)
    dimensions = min(_EMBEDDING_DIMENSIONS, *pooled.shape)
    projection = PCA(n_components=dimensions, svd_solver="full").fit(pooled)
    kernel, bias = model.get_layer(LOGITS).get_weights()
    return Statistics(
        class_weights=np.asarray(kernel, np.float32),
        class_bias=np.asarray(bias, np.float32),
        embedding_mean=np.asarray(projection.mean_, np.float32),
        embedding_components=np.asarray(projection.components_.T, np.float32),
    )


def _uncalibrated(
    trained: TrainedModel, records: Sequence[Record], *, name: str, model_version: str, created_at: str
) -> ModelDocument:
    return ModelDocument(
        name=name,
        version=model_version,
        created_at=created_at,
        intended_use=trained.recipe.intended_use,
        labels=tuple(BY_CODE[code] for code in trained.codes),
        input=InputSpec(trained.recipe.size_px),
        temperature=1.0,
        malignancy_thresholds={},
        minimum_confidence=0.0,
        gates=(_NO_DETAIL,),
        metrics={},
        provenance={
            "recipe": dataclasses.asdict(trained.recipe),
            "best_epoch": trained.epoch + 1,
            "validation_balanced_accuracy": trained.validation_balanced_accuracy,
            "backbone_weights_sha256": trained.backbone_weights_sha256,
            "data_sha256": trained.data_sha256,
            "data": _data_summary(records),
            "libraries": {package: version(package) for package in _LIBRARIES},
            "python": platform.python_version(),
        },
        files={},
    )


def _data_summary(records: Sequence[Record]) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "sources": sorted({source for record in records for source in record.sources.split(SEPARATOR)}),
        "licences": sorted({licence for record in records for licence in record.licence.split(SEPARATOR)}),
    }
    for split in Split:
        part = of_split(records, split)
        counts = Counter(record.label for record in part)
        lesions = len({record.group for record in part})
        summary[split] = {"photos": len(part), "lesions": lesions, "labels": dict(sorted(counts.items()))}
    return summary


def _calibrated(draft: ModelDocument, classifier: Classifier, validation: Sequence[Record]) -> ModelDocument:
    """Everything that is chosen, chosen on validation."""
    logits = logits_for(classifier, validation)
    before = answers_from(draft, logits, validation)
    calibrated = dataclasses.replace(draft, temperature=fit_temperature(logits, before.labels))
    answers = answers_from(calibrated, logits, validation)
    thresholds = {modality: _threshold(answers, validation, modality) for modality in _modalities(validation)}
    chosen = {
        "temperature": {
            "expected_calibration_error_before": calibration_error(before.probabilities, before.labels),
            "expected_calibration_error_after": calibration_error(answers.probabilities, answers.labels),
        },
        "malignancy_thresholds": {
            modality: None if choice is None else dataclasses.asdict(choice) for modality, choice in thresholds.items()
        },
        "minimum_confidence": {"coverage": _COVERAGE},
    }
    return dataclasses.replace(
        calibrated,
        malignancy_thresholds={m: choice.threshold for m, choice in thresholds.items() if choice is not None},
        minimum_confidence=choose_minimum_confidence(answers.probabilities, coverage=_COVERAGE),
        provenance={**draft.provenance, "chosen_on_validation": chosen},
    )


def _threshold(answers: Answers, records: Sequence[Record], modality: Modality) -> ThresholdChoice | None:
    """The warning threshold for photos of one modality; None where they cannot support one."""
    chosen = answers.take(np.flatnonzero([record.modality is modality for record in records]))
    melanoma = chosen.codes.index("mel") if "mel" in chosen.codes else -1
    return choose_threshold(
        chosen.malignant_probability,
        is_malignant=chosen.is_malignant,
        is_melanoma=chosen.labels == melanoma,
        groups=chosen.groups,
    )


def _modalities(records: Sequence[Record]) -> list[Modality]:
    return sorted({record.modality for record in records})


def _metrics(document: ModelDocument, answers: Answers, test: Sequence[Record]) -> dict[str, Any]:
    estimates = estimate(answers, metrics(answers.codes, min(document.malignancy_thresholds.values(), default=None)))
    return {
        "test": {
            "split": "test split: held-out lesions, not used for training, early stopping, temperature or thresholds",
            "modality": ", ".join(_modalities(test)),
            "photos": len(answers.labels),
            "lesions": len(np.unique(answers.groups)),
            "intervals": "95 % bootstrap by lesion",
            **{name: dataclasses.asdict(each) for name, each in estimates.items()},
            "per_class": per_class(answers),
        },
        "validation": {
            "split": "validation split: lesions that early stopping, temperature and thresholds were chosen on",
            "balanced_accuracy_uncalibrated": document.provenance["validation_balanced_accuracy"],
        },
    }


def _classifier(document: ModelDocument, folder: Path, runtime: LiteRtRuntime, statistics: Statistics) -> Classifier:
    """A classifier over files that are still being written: not verified, never used to serve."""
    identity = ModelIdentity(document.name, document.version, "draft", document.input.preprocess_version)
    nothing = Golden(np.zeros((0, 1, 1, 3), np.uint8), (), np.zeros((0, 0)))
    return Classifier(Artefact(folder, document, identity, statistics, nothing), runtime)


def _golden(classifier: Classifier, document: ModelDocument) -> Golden:
    photos = golden_inputs(count=_GOLDEN_PHOTOS, size_px=_GOLDEN_SIZE_PX, seed=_GOLDEN_SEED)
    logits = np.stack([classifier.logits(photo) for photo in photos])
    codes = tuple(label.code for label in document.labels)
    return Golden(photos, codes, calibrated_probabilities(logits, document.temperature))


def _write_arrays(folder: Path, statistics: Statistics, golden: Golden) -> None:
    for name, arrays in ((artefact.STATISTICS, statistics), (artefact.GOLDEN, golden)):
        fields = {field.name: np.asarray(getattr(arrays, field.name)) for field in dataclasses.fields(arrays)}
        np.savez_compressed(folder / name, allow_pickle=False, **fields)
