"""`explain`: whether a model's class activation maps lie on the lesions."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_pipeline.errors import LeakageError, PipelineError

if TYPE_CHECKING:
    from ml_models.artefact import ModelDocument
    from ml_pipeline.data.records import Record

_SPLITS = ("validation", "test", "train")
_EPILOG = """Masks are pictures of whole photos, named after them, black beside the lesion. The photos are those of the
table as the model was trained on them; crops, which masks of whole photos do not fit, are left out. With --images they
are the copies of the same ids in a folder, and the table may be another than the model's."""
Commands = Any  # argparse names this type only privately


def add_commands(commands: Commands, *, needs: Sequence[str]) -> None:
    """Add `explain`; it draws weights with Keras, so it needs what training needs."""
    explain = commands.add_parser("explain", help="do a model's maps lie on the lesions?", epilog=_EPILOG)
    explain.add_argument("--model", type=Path, required=True, metavar="DIR")
    explain.add_argument("--records", type=Path, required=True, metavar="CSV", help="records.csv of `build`")
    explain.add_argument("--masks", type=Path, required=True, metavar="DIR", help="lesion masks named after the photos")
    explain.add_argument("--images", type=Path, metavar="DIR", help="take the photos from here instead of the table")
    explain.add_argument("--split", choices=_SPLITS, default=_SPLITS[0], help="default %(default)s")
    explain.add_argument("--limit", type=int, metavar="N", help="at most so many photos, drawn at random")
    explain.add_argument(
        "--networks", type=int, default=5, metavar="N", help="with random weights (default %(default)s)"
    )
    explain.set_defaults(run=_explain, needs=needs)


def _explain(options: argparse.Namespace) -> None:
    import numpy as np

    from ml_models.artefact import KERAS_MODEL
    from ml_models.classifier import load_classifier
    from ml_models.explanation import heat
    from ml_pipeline.data.photos import read_rgb
    from ml_pipeline.evaluation.random_weights import random_maps
    from ml_pipeline.evaluation.saliency import masked_photos, measure_saliency, printed_saliency
    from ml_pipeline.progress import bars
    from ml_pipeline.training.batches import load_inputs

    for name in ("limit", "networks"):
        if (number := getattr(options, name)) is not None and number < 1:
            raise PipelineError(f"--{name} {number} is less than 1. Give how many are wanted.")
    classifier = load_classifier(options.model)
    document = classifier.document
    found = masked_photos(_records(options, document), options.masks, limit=options.limit)
    explained, maps, classes = [], [], []
    for photo in bars(found.photos, what="asking the model", total=len(found.photos), unit="photos"):
        rgb = read_rgb(photo.record, model_input_px=document.input.size_px)
        answer = classifier.classify(rgb, explain=True)
        activations = answer.photos[0].activations
        if activations is None or answer.decision.label is None:
            continue  # not usable: the server shows no map of it either
        explained.append(photo)
        maps.append(heat(activations[answer.decision.label]))
        classes.append(document.codes.index(answer.decision.label))
    if not explained:
        raise PipelineError(f"The model's gates reject all {len(found.photos)} photos, so it makes no map of any.")
    inputs = load_inputs([photo.record for photo in explained], document.input)
    random = random_maps(options.model / KERAS_MODEL, inputs, classes, networks=options.networks)
    print(f"{document.name} {document.version}, {options.split} split of {options.records.name}: maps of the answers")
    print(
        f"left out: {found.without_mask} photos without a mask, {found.misfits} whose mask does not fit, "
        f"{len(found.photos) - len(explained)} not usable"
    )
    print(printed_saliency(measure_saliency(explained, np.stack(maps), random)))


def _records(options: argparse.Namespace, document: "ModelDocument") -> tuple["Record", ...]:
    """The split's records, pointing to the photos that are looked at.

    Raises LeakageError for a table that is not the model's, unless the photos come from elsewhere; then it is said.
    """
    from ml_pipeline.data.proof import refuse_other_data
    from ml_pipeline.data.records import Split, of_split, read_records
    from ml_pipeline.evaluation.copies import copies_in
    from ml_pipeline.evaluation.trained_table import table_of

    records, split = read_records(options.records), Split(options.split)
    if options.images is None:
        return of_split(table_of(records, document).records, split)
    try:
        refuse_other_data(records, document.provenance.get("data_sha256", ""))
    except LeakageError:
        print("The table is not the model's: it may have been trained on these photos, and its maps may flatter it.")
    return tuple(copies_in(of_split(records, split), options.images).values())
