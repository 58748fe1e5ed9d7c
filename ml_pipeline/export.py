"""A trained run to a complete, verified artefact folder. Needs the TensorFlow backend for the LiteRT converter."""

import dataclasses
import os
import platform
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ml_models import artefact
from ml_models.artefact import Artefact, Golden, ModelDocument, Statistics
from ml_models.calibration import Calibration
from ml_models.classification import Modality, ModelIdentity, ReasonCode
from ml_models.classifier import Classifier, load_classifier
from ml_models.gates import Gate
from ml_models.patient import NOBODY, PatientEffects, PatientFacts, Sex, Site
from ml_models.preprocess import InputSpec
from ml_models.runtime import LiteRtRuntime
from ml_pipeline.calibration.cases import cases_from
from ml_pipeline.calibration.choose import Choices, choose
from ml_pipeline.data.proof import refuse_leakage, refuse_other_data
from ml_pipeline.data.records import SEPARATOR, Record, Split, of_split
from ml_pipeline.errors import TrainingError
from ml_pipeline.evaluation.evaluate import answers_from, logits_for, uncalibrated_answers
from ml_pipeline.figures import measured
from ml_pipeline.model_card import write_domain_plots, write_model_card
from ml_pipeline.progress import Progress, silence
from ml_pipeline.synthetic import golden_inputs
from ml_pipeline.training.backbones import LOGITS, with_feature_map
from ml_pipeline.training.batches import in_parts, load_inputs
from ml_pipeline.training.run_folder import TrainedModel
from ml_pipeline.training.selection import select

PARITY_TOLERANCE = 1e-4
_EMBEDDING_DIMENSIONS = 64
_PARITY_PHOTOS = 64
_WORKERS = min(4, os.cpu_count() or 1)
_GOLDEN_SIZE_PX, _GOLDEN_SEED = 200, 7
_GOLDEN_CASES = (
    (None, NOBODY),
    (Modality.DERMATOSCOPIC, PatientFacts(45, Sex.FEMALE, Site.TORSO)),
    (Modality.CLINICAL, NOBODY),
    (Modality.CLINICAL, PatientFacts(72, Sex.MALE, Site.HEAD_NECK)),
)
# A photo with less than two grey levels of variation at 200 px shows nothing at all; real quality gates need data.
_NO_DETAIL = Gate(score="contrast", minimum=2.0, reason=ReasonCode.NO_DETAIL)
_LIBRARIES = ("keras", "tensorflow", "ai-edge-litert", "opencv-python-headless", "numpy", "scipy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The folder written, how far LiteRT is from Keras as a share of the largest logit, the document, the choices."""

    folder: Path
    parity: float
    document: ModelDocument
    choices: Choices


def export(
    trained: TrainedModel,
    records: Sequence[Record],
    *,
    name: str,
    model_version: str,
    created_at: str,
    out: Path,
    progress: Progress = silence,
) -> ExportReport:
    """Calibrate on validation, measure on test, write the folder `out`, and load it as a server would.

    `records` is the whole table of the training; what the recipe did not see of it is not judged by it either. An
    existing folder is replaced only once the new one has passed. Raises TrainingError when LiteRT and Keras differ.
    """
    if keras.backend.backend() != "tensorflow":
        raise TrainingError("Export needs KERAS_BACKEND=tensorflow: the LiteRT converter is TensorFlow's.")
    refuse_leakage(records)
    refuse_other_data(records, trained.data_sha256)
    if out.exists() and not (out / artefact.DOCUMENT).is_file():
        raise TrainingError(f"{out} exists and is no model folder. Give the folder of one model, such as {out}/NAME.")
    seen = select(records, trained.recipe)
    validation, test = of_split(seen, Split.VALIDATION), of_split(seen, Split.TEST)
    if not test:
        raise TrainingError(f"Recipe {trained.recipe.name} finds no test photos in this table. Build it with --test.")
    model = with_feature_map(trained.model)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / name
        folder.mkdir()
        model.save(folder / artefact.KERAS_MODEL)
        (folder / artefact.LITERT_MODEL).write_bytes(to_litert(model))
        runtime = LiteRtRuntime(folder / artefact.LITERT_MODEL, pool_size=_WORKERS)
        parity = _parity(model, runtime, validation, trained.recipe.size_px)
        statistics = _statistics(model, of_split(seen, Split.TRAIN), trained.recipe.size_px)

        draft = _draft(trained, seen, name=name, model_version=model_version, created_at=created_at)
        # Logits do not depend on the calibration, so the draft's classifier serves for all splits.
        classifier = _classifier(draft, folder, runtime, statistics)
        logits = logits_for(classifier, validation, workers=_WORKERS, progress=progress)
        chosen, choices = choose(draft, cases_from(draft, logits, validation))
        logits = logits_for(classifier, test, workers=_WORKERS, progress=progress)
        document = _complete(chosen, choices, trained, logits, test)

        _write_arrays(folder, statistics, _golden(classifier, document))
        files = {file: artefact.file_digest(folder / file) for file in artefact.HASHED_FILES}
        document = dataclasses.replace(document, files=files)
        (folder / artefact.DOCUMENT).write_text(document.to_json(), encoding="utf-8")
        write_domain_plots(
            folder / "plots", answers_from(document, logits, test), uncalibrated_answers(document, logits, test), test
        )
        write_model_card(folder / "MODEL_CARD.md", document)
        load_classifier(folder)
        _replace(out, folder)
    return ExportReport(out, parity, document, choices)


def to_litert(model: keras.Model, *, representative: NDArray[np.float32] | None = None) -> bytes:
    """The model as LiteRT: float32, or in whole numbers with the ranges of `representative` inputs [n, s, s, 3]."""
    import tensorflow as tf  # noqa: PLC0415 - only this function needs it, and only under its backend

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if representative is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[np.newaxis]] for image in representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings():
        # It asks for statistics that only another kind of conversion has.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs")
        return bytes(converter.convert())


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


def _parity(model: keras.Model, runtime: LiteRtRuntime, records: Sequence[Record], size_px: int) -> float:
    """Largest difference of a logit between Keras and LiteRT on validation photos, as a share of the largest logit."""
    spread = records[:: max(1, len(records) // _PARITY_PHOTOS)][:_PARITY_PHOTOS]
    photos = load_inputs(spread, InputSpec(size_px))
    expected = model.predict(photos, verbose=0)[LOGITS]
    seen = np.concatenate([runtime.run(photo[np.newaxis])[LOGITS] for photo in photos])
    largest = float(np.abs(expected - seen).max() / np.abs(expected).max())
    if largest > PARITY_TOLERANCE:
        raise TrainingError(
            f"LiteRT differs from Keras by {largest:.2g} of the largest logit (limit {PARITY_TOLERANCE:g})."
        )
    return largest


def _statistics(model: keras.Model, training: Sequence[Record], size_px: int) -> Statistics:
    """Head weights, and a principal component projection of the pooled features of the training photos."""
    pooling = keras.Model(model.inputs[0], model.get_layer("pooled").output)
    parts = in_parts(training, InputSpec(size_px))
    pooled = np.concatenate([pooling.predict(part, batch_size=64, verbose=0) for part in parts])
    dimensions = min(_EMBEDDING_DIMENSIONS, *pooled.shape)
    projection = PCA(n_components=dimensions, svd_solver="full").fit(pooled)
    kernel, bias = model.get_layer(LOGITS).get_weights()
    return Statistics(
        class_weights=np.asarray(kernel, np.float32),
        class_bias=np.asarray(bias, np.float32),
        embedding_mean=np.asarray(projection.mean_, np.float32),
        embedding_components=np.asarray(projection.components_.T, np.float32),
    )


def _draft(
    trained: TrainedModel, records: Sequence[Record], *, name: str, model_version: str, created_at: str
) -> ModelDocument:
    """The document as far as it is known before anything is chosen."""
    return ModelDocument(
        name=name,
        version=model_version,
        created_at=created_at,
        intended_use=trained.recipe.intended_use,
        labels=trained.labels,
        input=InputSpec(trained.recipe.size_px),
        calibrations={modality: Calibration(1.0) for modality in {record.modality for record in records}},
        patient_effects=PatientEffects(),
        malignancy_thresholds={},
        minimum_confidence=0.0,
        gates=(_NO_DETAIL,),
        metrics={},
        provenance={
            "recipe": dataclasses.asdict(trained.recipe),
            "best_epoch": trained.epoch + 1,
            "training_seconds": round(trained.seconds),
            "validation_balanced_accuracy": trained.validation_balanced_accuracy,
            "backbone_weights_sha256": trained.backbone_weights_sha256,
            "data_sha256": trained.data_sha256,
            "data": _data_summary(records),
            "libraries": {package: version(package) for package in _LIBRARIES},
            "python": platform.python_version(),
        },
        files={},
    )


def _complete(
    chosen: ModelDocument, choices: Choices, trained: TrainedModel, logits: NDArray[np.float32], test: Sequence[Record]
) -> ModelDocument:
    """The document with what was chosen on validation and measured on test."""
    return dataclasses.replace(
        chosen,
        metrics=measured(chosen, logits, test, validation_balanced_accuracy=trained.validation_balanced_accuracy),
        provenance={**chosen.provenance, "chosen_on_validation": choices.as_json()},
    )


def _data_summary(records: Sequence[Record]) -> dict[str, Any]:
    """Sources, licences, and the counts of every split, each modality on its own."""
    summary: dict[str, Any] = {
        "sources": sorted({source for record in records for source in record.sources.split(SEPARATOR)}),
        "licences": sorted({licence for record in records for licence in record.licence.split(SEPARATOR)}),
        "splits": [],
    }
    for split in Split:
        for modality in Modality:
            part = [record for record in of_split(records, split) if record.modality is modality]
            if part:
                counts = Counter(record.label for record in part)
                lesions = len({record.group for record in part})
                row = {"split": split, "modality": modality, "photos": len(part), "lesions": lesions}
                summary["splits"].append({**row, "labels": dict(sorted(counts.items()))})
    return summary


def _classifier(document: ModelDocument, folder: Path, runtime: LiteRtRuntime, statistics: Statistics) -> Classifier:
    """A classifier over files that are still being written: not verified, never used to serve."""
    identity = ModelIdentity(document.name, document.version, "draft", document.input.preprocess_version)
    texts, numbers = np.zeros(0, np.str_), np.zeros(0)
    nothing = Golden(np.zeros((0, 1, 1, 3), np.uint8), texts, texts, numbers, texts, texts, np.zeros((0, 0)))
    return Classifier(Artefact(folder, document, identity, statistics, nothing), runtime)


def _golden(classifier: Classifier, document: ModelDocument) -> Golden:
    """Drawn photos and the answers to them: alone, and with what may be known beside a photo."""
    photos = golden_inputs(count=len(_GOLDEN_CASES), size_px=_GOLDEN_SIZE_PX, seed=_GOLDEN_SEED)
    cases = zip(photos, _GOLDEN_CASES, strict=True)
    return Golden(
        photos=photos,
        codes=np.array(document.codes),
        modalities=np.array([str(modality or "") for modality, _ in _GOLDEN_CASES]),
        ages_years=np.array([patient.age_years for _, patient in _GOLDEN_CASES], dtype=float),
        sexes=np.array([str(patient.sex or "") for _, patient in _GOLDEN_CASES]),
        sites=np.array([str(patient.site or "") for _, patient in _GOLDEN_CASES]),
        probabilities=np.stack(
            [
                document.probabilities(classifier.logits(photo), modality=modality, patient=patient)
                for photo, (modality, patient) in cases
            ]
        ),
    )


def _write_arrays(folder: Path, statistics: Statistics, golden: Golden) -> None:
    for name, arrays in ((artefact.STATISTICS, statistics), (artefact.GOLDEN, golden)):
        fields = {field.name: np.asarray(getattr(arrays, field.name)) for field in dataclasses.fields(arrays)}
        np.savez_compressed(folder / name, allow_pickle=False, **fields)
