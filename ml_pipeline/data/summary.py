"""`dataset.json`: what went in, what came out, and by which rules; equal builds give equal bytes."""

import dataclasses
import hashlib
import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from ml_pipeline.data import match, verify
from ml_pipeline.data.build import Build
from ml_pipeline.data.deduplicate import Evidence, Pair
from ml_pipeline.data.naive import leak_by_image, leak_by_lesion_id
from ml_pipeline.data.records import SEPARATOR, Record, Split, records_digest
from ml_pipeline.data.sources.source import Reading

_LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "pillow-heif", "scipy")


def summarise(build: Build) -> dict[str, Any]:
    """Counts, digests of every input, options and versions; only JSON's types."""
    options = build.options
    return {
        "records": len(build.records),
        "records_sha256": records_digest(build.records),
        "groups": len({record.group for record in build.records}),
        "counts": {
            "split": _counts(build.records, "split"),
            "label": _crossed(build.records, "label"),
            "source": _crossed(build.records, "sources"),
            "modality": _crossed(build.records, "modality"),
        },
        "sources": {
            reading.source: _reading(reading) for reading in sorted(build.readings, key=lambda reading: reading.source)
        },
        "photos_sha256": _digest_of(f"{file.image_id} {file.facts.sha256}" for file in build.files),
        "quarantined": dict(sorted(Counter(str(entry.kind) for entry in build.quarantined).items())),
        "akiec_that_may_be_scc": len(build.merged.coarse),
        "copies": _copies(build),
        "naive_split_would_leak": {
            "by image": dataclasses.asdict(
                leak_by_image(build.records, test=options.plan.test, seed=options.plan.seed)
            ),
            "by lesion id": dataclasses.asdict(
                leak_by_lesion_id(build.records, test=options.plan.test, seed=options.plan.seed)
            ),
        },
        "labelled_pairs": build.measured.as_json() if build.measured else None,
        "previous": _previous(build),
        "options": _options(build),
        "versions": {
            "python": platform.python_version(),
            "facts": verify.VERSION,
            "match": match.VERSION,
            **{name: version(name) for name in _LIBRARIES},
        },
    }


def wrongly_joined(build: Build) -> list[Pair]:
    """Copies found on pixels whose lesions are both known and differ: wrong joins, or one lesion under two ids."""
    records = build.merged_records
    lesions = [set(filter(None, records[file.image_id].lesion_id.split(SEPARATOR))) for file in build.files]
    return [
        pair
        for pair in build.pairs
        if pair.is_copy and pair.evidence is Evidence.PIXELS_COMPARED
        if lesions[pair.left] and lesions[pair.right] and lesions[pair.left].isdisjoint(lesions[pair.right])
    ]


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "listed": len(reading.records),
        "missing": len(reading.missing),
        "not_listed": len(reading.unlisted),
        "without_lesion_or_patient": sum(not (record.lesion_id or record.patient_id) for record in reading.records),
        "tables": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in reading.tables},
        "licences": sorted({record.licence for record in reading.records}),
    }


def _copies(build: Build) -> dict[str, Any]:
    same_id = [pair for pair in build.pairs if pair.evidence is Evidence.SAME_ID]
    limit = build.options.limits.correlation
    apart = wrongly_joined(build)
    lesions = build.merged_records
    return {
        "pairs": dict(sorted(Counter(str(pair.evidence) for pair in build.pairs if pair.is_copy).items())),
        "candidates_that_are_no_copies": sum(not pair.is_copy for pair in build.pairs),
        "clusters": len({record.cluster for record in build.records if record.cluster}),
        "same_id_pairs": len(same_id),
        "same_id_pairs_found_by_pixels": sum((pair.correlation or 0) >= limit for pair in same_id),
        "pairs_of_different_lesion_ids": len(apart),
        "lesions_joined_under_different_ids": len(
            {lesions[build.files[index].image_id].lesion_id for pair in apart for index in pair.files}
        ),
    }


def _previous(build: Build) -> dict[str, Any] | None:
    if not build.previous:
        return None
    kept = {record.image_id: record.split for record in build.records}
    return {
        "records": len(build.previous),
        "records_sha256": records_digest(build.previous),
        "kept": sum(kept.get(record.image_id) is record.split for record in build.previous),
        "not_in_this_build": sum(record.image_id not in kept for record in build.previous),
    }


def _options(build: Build) -> dict[str, Any]:
    options = dataclasses.asdict(build.options)
    for machine_bound in ("workers", "previous"):  # outputs do not depend on them, or on where a file lies
        del options[machine_bound]
    return options


def _counts(records: Iterable[Record], name: str) -> dict[str, int]:
    return dict(sorted(Counter(str(getattr(record, name)) for record in records).items()))


def _crossed(records: Sequence[Record], name: str) -> dict[str, dict[str, int]]:
    values: dict[str, dict[str, int]] = {}
    for record in records:
        for value in str(getattr(record, name)).split(SEPARATOR):
            counts = values.setdefault(value, {str(split): 0 for split in Split})
            counts[str(record.split)] += 1
    return dict(sorted(values.items()))


def _digest_of(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
