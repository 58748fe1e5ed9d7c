"""`predict`: what a model answers to photos, as the server would."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_models.classification import Classification, Malignancy
from ml_models.errors import PhotoError
from ml_models.shipped import SHIPPED_MODEL
from ml_pipeline.errors import SourceError

if TYPE_CHECKING:
    from ml_models.classifier import Classifier

Commands = Any  # argparse names this type only privately


def add_commands(commands: Commands) -> None:
    """Add `predict`."""
    predict = commands.add_parser("predict", help="what a model answers to photos, one line each")
    predict.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="JPEG, PNG, WebP or HEIC")
    predict.add_argument(
        "--model", type=Path, default=SHIPPED_MODEL, metavar="DIR", help="model folder (default: the shipped model)"
    )
    predict.add_argument(
        "--heatmap", type=Path, metavar="OUT.png", help="class activation map over the photo; of several, a folder"
    )
    predict.add_argument("--json", action="store_true", help="print the whole answers as a JSON list")
    predict.set_defaults(run=_predict, needs=())


def _predict(options: argparse.Namespace) -> None:
    """Answer every photo that can be read; raises SourceError at the end where some could not."""
    from ml_models.classifier import load_classifier

    maps = _heatmap_files(options.images, options.heatmap) if options.heatmap else {}
    classifier = load_classifier(options.model)
    answers: list[dict[str, Any]] = []
    unread = 0
    for path in options.images:
        try:
            classification = _answer(classifier, path, heatmap=maps.get(path))
        except PhotoError as error:
            print(f"error: {path}: {error}", file=sys.stderr)
            unread += 1
            continue
        if options.json:
            answers.append(_as_json(path, classification))
        else:
            print(f"{path}: {_line(classification)}")
    if options.json:
        print(json.dumps(answers, indent=1, ensure_ascii=False))
    if unread:
        raise SourceError(f"{unread} of {len(options.images)} photos could not be read; the reasons stand above.")


def _heatmap_files(images: list[Path], out: Path) -> dict[Path, Path]:
    """Where each photo's map goes: `out` itself for one photo, a file named after the photo in the folder for several.

    Raises SourceError for a name that does not fit the number of photos.
    """
    is_folder = out.is_dir() or out.suffix == ""
    if not is_folder and out.suffix.lower() != ".png":
        raise SourceError(f"--heatmap {out}: class activation maps are PNG files. Give OUT.png, or a folder.")
    if len(images) > 1 and not is_folder:
        raise SourceError(f"--heatmap {out} is one file, but there are {len(images)} photos. Give a folder.")
    files = {path: out / f"{path.stem}.png" if is_folder else out for path in images}
    if len(set(files.values())) < len(files):
        raise SourceError(f"--heatmap {out}: some photos share a name, and so would their maps. Predict them apart.")
    if {path.resolve() for path in files.values()} & {path.resolve() for path in images}:
        raise SourceError(f"--heatmap {out} would overwrite a photo. Give another name.")
    return files


def _answer(classifier: "Classifier", path: Path, *, heatmap: Path | None) -> Classification:
    from ml_models.image_io import PhotoLimits, read_photo

    try:
        content = path.read_bytes()
    except OSError as error:
        raise PhotoError(f"The file cannot be read: {error.strerror}.") from error
    photo = read_photo(content, model_input_px=classifier.document.input.size_px, limits=PhotoLimits())
    classification = classifier.classify(photo.rgb, explain=heatmap is not None)
    if heatmap and classification.photos[0].activations is None:
        print(f"{path}: no class activation map, because the photo is not usable", file=sys.stderr)
    elif heatmap:
        _write_heatmap(heatmap, content, classification)
    return classification


def _write_heatmap(out: Path, content: bytes, classification: Classification) -> None:
    """The answer's map over the photo, upright, with a legend, the longer side at most 1024 px."""
    from PIL import Image

    from ml_models.explanation import MAX_SIDE_PX, explanation_picture, heat
    from ml_models.image_io import PhotoLimits, read_photo
    from ml_models.legend import Legend

    photo = read_photo(content, model_input_px=MAX_SIDE_PX, limits=PhotoLimits())
    answer = classification.top[0]
    legend = Legend(
        f"Evidence for: {answer.name}", note=f"{100 * answer.probability:.1f} %", low="none", high="strongest"
    )
    activations = classification.photos[0].activations or {}
    drawn = Image.fromarray(explanation_picture(photo.rgb, heat(activations[answer.code]), legend=legend))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        drawn.save(out)
    except OSError as error:
        raise SourceError(f"--heatmap: {out} cannot be written: {error.strerror}. Give another name.") from error


def _line(classification: Classification) -> str:
    decision = classification.decision
    if decision.label is None:
        return f"{decision.status}: {' '.join(reason.text for reason in decision.reasons)}"
    return (
        f"{decision.label} {decision.confidence_percent:.1f} %, {decision.status}, severity {decision.severity}, "
        f"{_malignancy(decision.malignancy)}: {decision.diagnosis}"
    )


def _malignancy(malignancy: Malignancy) -> str:
    if malignancy.probability is None:
        return "malignancy unknown"
    warning = "no threshold" if malignancy.threshold is None else f"warning from {100 * malignancy.threshold:.1f} %"
    return f"malignant {100 * malignancy.probability:.1f} % ({warning})"


def _as_json(path: Path, classification: Classification) -> dict[str, Any]:
    return {
        "photo": str(path),
        **asdict(classification.decision),
        "probabilities": classification.probabilities,
        "modality": classification.modality,
        "gate_scores": classification.photos[0].gate_scores,
        "model": asdict(classification.model),
    }
