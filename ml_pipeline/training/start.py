"""What a training starts from, and that it has not seen the test split."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_models.artefact import DOCUMENT, file_digest
from ml_pipeline.data.lineage import Lineage, document_of
from ml_pipeline.data.proof import refuse_moved, refuse_other_data
from ml_pipeline.data.records import Record
from ml_pipeline.errors import LeakageError, TrainingError
from ml_pipeline.training.backbones import IMAGENET, LOGITS


@dataclass(frozen=True, slots=True)
class Start:
    """Weights as `build_classifier` takes them, whether their head fits, and their sha256 (the name for imagenet)."""

    weights: str | None
    with_head: bool
    digest: str | None


NOWHERE = Start(None, with_head=False, digest=None)


def start_of(
    weights: str | None, records: Sequence[Record], codes: Sequence[str], *, earlier: Lineage | None = None
) -> Start:
    """Where to start from: a backbone file, "imagenet", None, or the `model.keras` in the folder of an earlier model.

    An earlier model's head is taken over where its classes are the same. It must have been trained on these records, or
    on those of `earlier`, whose photos are then proven to be in their split still. Raises LeakageError otherwise, or
    when nobody can tell: it may have seen photos of this test split.
    """
    if weights is None or weights == IMAGENET:
        return Start(weights, with_head=False, digest=weights)
    path = Path(weights)
    if not path.is_file():
        raise TrainingError(f"No backbone weights at {path}. Give a .keras file, 'imagenet' or 'none'.")
    digest = file_digest(path)
    if not _is_classifier(path):
        return Start(weights, with_head=False, digest=digest)
    place = path.with_name(DOCUMENT)
    if not place.is_file():
        raise LeakageError(
            f"{path} is a trained classifier without {DOCUMENT} beside it, so what it was trained on is unknown. Give "
            "the file in its model folder, or a bare backbone."
        )
    document = document_of(path.parent)
    if earlier is None:
        refuse_other_data(records, document.provenance["data_sha256"])
    else:
        refuse_other_data(earlier.table, document.provenance["data_sha256"])
        refuse_moved(records, earlier.rows)
    return Start(weights, with_head=document.codes == tuple(codes), digest=digest)


def _is_classifier(path: Path) -> bool:
    """Whether the network in a `.keras` file has our head."""
    try:
        with zipfile.ZipFile(path) as archive:
            network = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise TrainingError(f"{path} is no .keras file: {error}. Give one that Keras 3 saved.") from error
    return any(layer.get("config", {}).get("name") == LOGITS for layer in network["config"].get("layers", ()))
