"""One record for every photo, whatever number of data sets hold it: by id, with one label and the best copy."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ml_pipeline.data.deduplicate import File
from ml_pipeline.data.quarantine import Kind, Quarantined
from ml_pipeline.data.records import SEPARATOR, Record
from ml_pipeline.data.sources import ham10000, isic2018
from ml_pipeline.data.verify import FileFacts, FileStatus

# HAM10000's and ISIC 2018's akiec holds both of ISIC 2019's AK and SCC; only the photo's id tells which.
_COARSE_SOURCES = frozenset({ham10000.SOURCE, isic2018.SOURCE})
_COARSE, _FINER = "akiec", "scc"


@dataclass(frozen=True, slots=True)
class Merged:
    """`records` of usable photos sorted by id, all their usable `files` (copies too), and what was put aside.

    `coarse` are the ids whose akiec may be scc, because no other source tells.
    """

    records: tuple[Record, ...]
    files: tuple[File, ...]
    quarantined: tuple[Quarantined, ...]
    coarse: frozenset[str]


def merge(records: Iterable[Record], facts: Mapping[str, FileFacts]) -> Merged:
    """Join records of all sources by image id; `facts` are by path.

    A label known for an id counts even where that source's file is missing. Photos whose sources disagree are
    quarantined, and so is every unusable file; a photo stays as long as one copy of it is usable.
    """
    by_id: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_id[record.image_id].append(record)
    merged, files, quarantined, coarse = [], [], [], set()
    for image_id in sorted(by_id):
        copies = sorted(by_id[image_id], key=lambda copy: (copy.source, copy.path))
        usable = []
        for copy in copies:
            if not copy.path:
                continue
            if facts[copy.path].status is FileStatus.OK:
                usable.append(copy)
            else:
                found = facts[copy.path]
                quarantined.append(Quarantined.of(copy, Kind(found.status.value), found.reason))
        if not usable:
            continue
        labels = agreed_labels(copies)
        if len(labels) != 1:
            said = ", ".join(sorted({f"{copy.label} in {copy.source}" for copy in copies}))
            quarantined += [Quarantined.of(copy, Kind.CONFLICTING_LABELS, f"the same id is {said}") for copy in usable]
            continue
        if all(_is_coarse(copy) for copy in copies):
            coarse.add(image_id)
        merged.append(_joined(copies, usable, labels.pop(), facts))
        files += [File(image_id, Path(copy.path), facts[copy.path]) for copy in usable]
    return Merged(tuple(merged), tuple(files), tuple(quarantined), frozenset(coarse))


def agreed_labels(copies: Sequence[Record], coarse: frozenset[str] | None = None) -> set[str]:
    """The labels that remain when a coarse akiec gives way to scc; more than one is a conflict.

    Which records are coarse is known by their source, or, once they are merged, by their ids in `coarse`.
    """
    is_coarse = _is_coarse if coarse is None else lambda copy: copy.image_id in coarse
    labels = {copy.label for copy in copies}
    fine = {copy.label for copy in copies if not is_coarse(copy)}
    return {_FINER} if labels == {_COARSE, _FINER} and fine <= {_FINER} else labels


def _is_coarse(record: Record) -> bool:
    return record.label == _COARSE and record.source in _COARSE_SOURCES


def _joined(copies: Sequence[Record], usable: Sequence[Record], label: str, facts: Mapping[str, FileFacts]) -> Record:
    """The best usable copy, with what the others know and it does not."""
    best = max(usable, key=lambda copy: (_quality(facts[copy.path]), copy.path))
    found = facts[best.path]
    ages, types = ([getattr(copy, name) for copy in (best, *copies)] for name in ("age_years", "fitzpatrick_type"))
    return replace(
        best,
        label=label,
        lesion_id=_all(copies, "lesion_id"),
        patient_id=_all(copies, "patient_id"),
        diagnosis_method=_first(copies, "diagnosis_method"),
        sex=_first((best, *copies), "sex"),
        site=_first((best, *copies), "site"),
        age_years=next((age for age in ages if age is not None), None),
        fitzpatrick_type=next((each for each in types if each is not None), None),
        licence=_all(copies, "licence"),
        train_only=any(copy.train_only for copy in copies),
        sources=_all(copies, "source"),
        width_px=found.width_px,
        height_px=found.height_px,
        sha256=found.sha256,
    )


def _quality(facts: FileFacts) -> tuple[int, float, float]:
    """Pixels, then bytes per pixel, then how far from a square, to which the whole frame is usually cut."""
    pixels = facts.width_px * facts.height_px
    long, short = max(facts.width_px, facts.height_px), min(facts.width_px, facts.height_px)
    return pixels, facts.size_bytes / pixels, long / short


def _all(copies: Iterable[Record], name: str) -> str:
    return SEPARATOR.join(sorted({getattr(copy, name) for copy in copies} - {""}))


def _first(copies: Iterable[Record], name: str) -> str:
    return next((value for copy in copies if (value := getattr(copy, name))), "")
