"""Validation photos as arrays: what the network said, what is true, what was known beside the photo."""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import ModelDocument
from ml_models.classification import Modality
from ml_models.labels import Label
from ml_models.patient import NOBODY, PatientFacts
from ml_pipeline.data.records import Record
from ml_pipeline.errors import PipelineError


@dataclass(frozen=True, slots=True)
class Cases:
    """n photos: logits [n, classes], label positions int [n], lesion groups [n], modality and facts of each."""

    logits: NDArray[np.float64]
    labels: NDArray[np.int32]
    groups: NDArray[np.str_]
    modalities: tuple[Modality, ...]
    patients: tuple[PatientFacts, ...]
    classes: tuple[Label, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The class codes in output order."""
        return tuple(label.code for label in self.classes)

    @property
    def is_malignant(self) -> NDArray[np.bool_]:
        """Whether the true class is known to be malignant, [n]."""
        return self._malignant[self.labels]

    @property
    def is_melanoma(self) -> NDArray[np.bool_]:
        """Whether the true class is melanoma, [n]; nowhere for labels without one."""
        return np.array([code == "mel" for code in self.codes])[self.labels]

    def malignant_probability(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Summed over the classes known to be malignant, [n]."""
        return np.asarray(probabilities[:, self._malignant].sum(axis=1))

    @property
    def domains(self) -> tuple[Modality, ...]:
        """The modalities that have photos."""
        return tuple(modality for modality in Modality if modality in self.modalities)

    def rows(self, modality: Modality) -> NDArray[np.intp]:
        """The photos of one modality."""
        return np.flatnonzero([each is modality for each in self.modalities])

    def take(self, rows: NDArray[np.intp]) -> "Cases":
        """Some of the photos."""
        return Cases(
            logits=self.logits[rows],
            labels=self.labels[rows],
            groups=self.groups[rows],
            modalities=tuple(self.modalities[row] for row in rows),
            patients=tuple(self.patients[row] for row in rows),
            classes=self.classes,
        )

    @property
    def _malignant(self) -> NDArray[np.bool_]:
        return np.array([label.malignant is True for label in self.classes])


def cases_from(document: ModelDocument, logits: NDArray[np.floating], records: Sequence[Record]) -> Cases:
    """The records beside the network's logits [n, classes].

    Raises PipelineError for a label that the model does not have.
    """
    codes = document.codes
    unknown = {record.label for record in records} - set(codes)
    if unknown:
        raise PipelineError(f"Labels {sorted(unknown)} are not among the model's: {', '.join(codes)}.")
    return Cases(
        logits=np.asarray(logits, np.float64),
        labels=np.array([codes.index(record.label) for record in records], dtype=np.int32),
        groups=np.array([record.group for record in records]),
        modalities=tuple(record.modality for record in records),
        patients=tuple(facts_of(record) for record in records),
        classes=document.labels,
    )


def facts_of(record: Record) -> PatientFacts:
    """What a record tells of its person, in the words that the model knows."""
    return PatientFacts.from_words(age_years=record.age_years, sex=record.sex, site=record.site)


def answered(
    document: ModelDocument, cases: Cases, *, told: Collection[str] = (), modality_known: bool = True
) -> NDArray[np.float64]:
    """The probabilities [n, classes] that the document's rules give; without a modality as cautiously as a server.

    `told` are the facts that each person tells, where they are known: `age_years`, `sex`, `site`.
    """
    rows = zip(cases.logits, cases.modalities, cases.patients, strict=True)
    return np.stack(
        [
            document.probabilities(
                logits, modality=modality if modality_known else None, patient=_telling(patient, told)
            )
            for logits, modality, patient in rows
        ]
    )


def _telling(patient: PatientFacts, told: Collection[str]) -> PatientFacts:
    return dataclasses.replace(NOBODY, **{fact: getattr(patient, fact) for fact in told})
