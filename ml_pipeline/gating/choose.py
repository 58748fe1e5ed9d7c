"""Everything that decides when a model does not answer, chosen on validation photos, and what spoke for it."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import ModelDocument
from ml_models.classification import Modality, SeenPhoto
from ml_models.classifier import Classifier
from ml_pipeline.data.records import Record, Split
from ml_pipeline.evaluation.evaluate import ask
from ml_pipeline.gating.degradations import DEGRADATIONS
from ml_pipeline.gating.domain import DomainChoice, choose_domain, detectors
from ml_pipeline.gating.negatives import Negatives, read_negative
from ml_pipeline.gating.quality import GateChoice, choose_gate, gates_of, grade_photos, spread_over_classes
from ml_pipeline.progress import Progress, silence


@dataclass(frozen=True, slots=True)
class GatingPhotos:
    """What gating is fitted and chosen on beside the table.

    Sources of photos without a lesion, one of which should be held out of every choice, and a folder of outlines.
    """

    negatives: tuple[Negatives, ...]
    masks: Path

    @property
    def chosen_on(self) -> tuple[Negatives, ...]:
        """The sources that choices are made on."""
        return tuple(each for each in self.negatives if each.of_split(Split.VALIDATION))

    def as_json(self) -> dict[str, Any]:
        """For the provenance: which sources had a say, and which had none."""
        return {
            "chosen_on": [each.name for each in self.negatives if not each.is_held_out],
            "held_out": [each.name for each in self.negatives if each.is_held_out],
        }


@dataclass(frozen=True, slots=True)
class GatingChoices:
    """The domain gate and, for each modality, what was found of every degradation."""

    domain: DomainChoice
    quality: Mapping[Modality, tuple[GateChoice, ...]]

    def as_json(self) -> dict[str, Any]:
        """For the provenance in `model.json`."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class TrainingFeatures:
    """Embeddings [n, dimensions] of the training photos and the class of each within its modality [n]."""

    embeddings: NDArray[np.float32]
    classes: NDArray[np.str_]


def choose_gating(
    make: Callable[[ModelDocument], Classifier],
    draft: ModelDocument,
    photos: GatingPhotos,
    validation: Sequence[Record],
    training: TrainingFeatures,
    *,
    workers: int = 1,
    progress: Progress = silence,
) -> tuple[ModelDocument, GatingChoices]:
    """The draft with its gates; `make` gives a classifier for a document."""
    # Believing every modality, and with no gate but that for blank photos: so every photo has the likelier modality.
    classifier = make(dataclasses.replace(draft, modality_certainty=0.0))
    seen = [each.photos[0] for each in ask(classifier, validation, workers=workers, progress=progress)]
    others = {
        source.name: see(classifier, source.of_split(Split.VALIDATION), workers=workers) for source in photos.chosen_on
    }
    modalities = [record.modality for record in validation]
    domain = choose_domain(detectors(training.embeddings, training.classes), seen, modalities, others)
    quality = {}
    for modality in dict.fromkeys(modalities):
        records = spread_over_classes([record for record in validation if record.modality is modality])
        graded = grade_photos(classifier, records, workers=workers, progress=progress)
        quality[modality] = tuple(choose_gate(each, modality, graded[each.name]) for each in DEGRADATIONS)
    document = dataclasses.replace(
        draft,
        modality_certainty=domain.certainty,
        gates=(*draft.gates, domain.gate, *gates_of(each for choices in quality.values() for each in choices)),
        gated=tuple(quality),
    )
    return document, GatingChoices(domain, quality)


def see(classifier: Classifier, paths: Sequence[Path], *, workers: int = 1) -> list[SeenPhoto]:
    """Ask about photo files that are in no table."""
    size_px = classifier.document.input.size_px

    def ask(path: Path) -> SeenPhoto:
        return classifier.classify(read_negative(path, model_input_px=size_px)).photos[0]

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(ask, paths))
