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
from functools import partial
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
from ml_models.classification import Classification, Modality, ModelIdentity, ReasonCode
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
from ml_pipeline.evaluation.evaluate import answers_from, ask, logits_of, uncalibrated_answers
from ml_pipeline.evaluation.served import measure_served
from ml_pipeline.figures import measured
from ml_pipeline.gating.choose import GatingChoices, GatingPhotos, TrainingFeatures, choose_gating
from ml_pipeline.gating.heads import HeadPhotos, fit_heads, with_heads
from ml_pipeline.gating.plots import write_gate_plots
from ml_pipeline.model_card import write_domain_plots, write_model_card
from ml_pipeline.progress import Progress, silence
from ml_pipeline.synthetic import golden_inputs
from ml_pipeline.training.backbones import LOGITS, POOLED, with_feature_map
from ml_pipeline.training.batches import in_parts, load_inputs
from ml_pipeline.training.run_folder import TrainedModel
from ml_pipeline.training.selection import select

PARITY_TOLERANCE = 1e-4
_EMBEDDING_DIMENSIONS = 64
_PARITY_PHOTOS = 64
_WORKERS = min(4, os.cpu_count() or 1)
_GOLDEN_SIZE_PX, _GOLDEN_SEED = 200, 7
_SEED = 0  # of what is drawn for the heads
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
    """The folder written, how far LiteRT is from Keras as a share of the largest logit, the document, the choices.

    `gating` is None for a model without gates.
    """

    folder: Path
    parity: float
    document: ModelDocument
    choices: Choices
    gating: GatingChoices | None


def export(
    trained: TrainedModel,
    records: Sequence[Record],
    *,
    model_version: str,
    created_at: str,
    out: Path,
    gating_photos: GatingPhotos | None = None,
    progress: Progress = silence,
) -> ExportReport:
    """Calibrate on validation, measure on test, write the folder `out`, and load it as a server would.

    `records` is the whole table of the training; what the recipe did not see of it is not judged by it either. Without
    `gating_photos` the model has no gates, and none of its answers is ever called safe. The model is named after the
    folder. An existing folder is replaced only once the new one has passed. Raises TrainingError when LiteRT and Keras
    differ.
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
    training, size_px = of_split(seen, Split.TRAIN), trained.recipe.size_px
    plain, pooled = with_feature_map(trained.model), _pooled(trained.model, training, size_px)
    statistics = _statistics(trained.model, pooled)
    model = plain
    if gating_photos:
        photos = HeadPhotos(training, gating_photos.negatives, gating_photos.masks, size_px)
        model = with_heads(trained.model, fit_heads(trained.model, photos, pooled, seed=_SEED, progress=progress))
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / out.name
        folder.mkdir()
        plain.save(folder / artefact.KERAS_MODEL)
        (folder / artefact.LITERT_MODEL).write_bytes(to_litert(model))
        runtime = LiteRtRuntime(folder / artefact.LITERT_MODEL, pool_size=_WORKERS)
        parity = _parity(model, runtime, validation, size_px)
        make = partial(_classifier, folder=folder, runtime=runtime, statistics=statistics)

        draft = _draft(trained, seen, name=out.name, model_version=model_version, created_at=created_at)
        logits = logits_of(ask(make(draft), validation, workers=_WORKERS, progress=progress))
        document, choices = choose(draft, cases_from(draft, logits, validation))
        gating = None
        if gating_photos:
            features = _features(statistics, pooled, training)
            document = dataclasses.replace(
                document, provenance={**document.provenance, "negatives": gating_photos.as_json()}
            )
            document, gating = choose_gating(
                make, document, gating_photos, validation, features, workers=_WORKERS, progress=progress
            )
        given = ask(make(document), test, workers=_WORKERS, progress=progress)
        document, logits = _complete(document, choices, gating, trained, given, test), logits_of(given)

        _write_arrays(folder, statistics, _golden(make(document)))
        files = {file: artefact.file_digest(folder / file) for file in artefact.HASHED_FILES}
        document = dataclasses.replace(document, files=files)
        (folder / artefact.DOCUMENT).write_text(document.to_json(), encoding="utf-8")
        write_domain_plots(
            folder / "plots", answers_from(document, logits, test), uncalibrated_answers(document, logits, test), test
        )
        if gating:
            write_gate_plots(folder / "plots", gating, measure_served(document, given, test))
        write_model_card(folder / "MODEL_CARD.md", document)
        load_classifier(folder)
        _replace(out, folder)
    return ExportReport(out, parity, document, choices, gating)


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
    """Largest difference of an output between Keras and LiteRT on validation photos, as a share of its largest value.

    The feature map stands behind all the others.
    """
    spread = records[:: max(1, len(records) // _PARITY_PHOTOS)][:_PARITY_PHOTOS]
    photos = load_inputs(spread, InputSpec(size_px))
    expected = model.predict(photos, verbose=0)
    seen = [runtime.run(photo[np.newaxis]) for photo in photos]
    differences = {}
    for name, values in expected.items():
        litert = np.concatenate([each[name] for each in seen])
        differences[name] = float(np.abs(values - litert).max() / np.abs(values).max())
        if differences[name] > PARITY_TOLERANCE:
            raise TrainingError(
                f"LiteRT differs from Keras in {name} by {differences[name]:.2g} of its largest value (limit "
                f"{PARITY_TOLERANCE:g})."
            )
    return differences[LOGITS]


def _pooled(model: keras.Model, training: Sequence[Record], size_px: int) -> NDArray[np.float32]:
    """Pooled features float32 [n, channels] of the training photos."""
    pooling = keras.Model(model.inputs[0], model.get_layer(POOLED).output)
    parts = in_parts(training, InputSpec(size_px))
    return np.concatenate([pooling.predict(part, batch_size=64, verbose=0) for part in parts])


def _features(statistics: Statistics, pooled: NDArray[np.float32], training: Sequence[Record]) -> TrainingFeatures:
    embeddings = np.asarray((pooled - statistics.embedding_mean) @ statistics.embedding_components, np.float32)
    return TrainingFeatures(embeddings, np.array([f"{record.modality} {record.label}" for record in training]))


def _statistics(model: keras.Model, pooled: NDArray[np.float32]) -> Statistics:
    """Head weights, and a principal component projection of the pooled features of the training photos."""
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
        prediction_sets={},
        modality_certainty=1.0,
        gates=(_NO_DETAIL,),
        gated=(),
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
    chosen: ModelDocument,
    choices: Choices,
    gating: GatingChoices | None,
    trained: TrainedModel,
    given: Sequence[Classification],
    test: Sequence[Record],
) -> ModelDocument:
    """The document with what was chosen on validation and measured on test."""
    said = {**choices.as_json(), "gating": gating and gating.as_json()}
    return dataclasses.replace(
        chosen,
        metrics=measured(chosen, given, test, validation_balanced_accuracy=trained.validation_balanced_accuracy),
        provenance={**chosen.provenance, "chosen_on_validation": said},
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


def _classifier(document: ModelDocument, *, folder: Path, runtime: LiteRtRuntime, statistics: Statistics) -> Classifier:
    """A classifier over files that are still being written: not verified, never used to serve."""
    identity = ModelIdentity(document.name, document.version, "draft", document.input.preprocess_version)
    texts, numbers = np.zeros(0, np.str_), np.zeros(0)
    nothing = Golden(np.zeros((0, 1, 1, 3), np.uint8), texts, texts, numbers, texts, texts, np.zeros((0, 0)))
    return Classifier(Artefact(folder, document, identity, statistics, nothing), runtime)


def _golden(classifier: Classifier) -> Golden:
    """Drawn photos and the answers to them: alone, and with what may be known beside a photo."""
    document = classifier.document
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
                document.probabilities(logits_of([classifier.classify(photo)])[0], modality=modality, patient=patient)
                for photo, (modality, patient) in cases
            ]
        ),
    )


def _write_arrays(folder: Path, statistics: Statistics, golden: Golden) -> None:
    for name, arrays in ((artefact.STATISTICS, statistics), (artefact.GOLDEN, golden)):
        fields = {field.name: np.asarray(getattr(arrays, field.name)) for field in dataclasses.fields(arrays)}
        np.savez_compressed(folder / name, allow_pickle=False, **fields)
