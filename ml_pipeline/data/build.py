"""Data sets in, one trustworthy table out: verify, merge, find copies, split, prove, write."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ml_models.labels import Label
from ml_pipeline.data.cache import Cache
from ml_pipeline.data.deduplicate import File, Limits, Pair, clusters, find_copies
from ml_pipeline.data.label_table import labels_from
from ml_pipeline.data.labelled_pairs import Measured, measure
from ml_pipeline.data.merge import Merged, agreed_labels, merge
from ml_pipeline.data.proof import refuse_leakage
from ml_pipeline.data.quarantine import Kind, Quarantined
from ml_pipeline.data.records import Record, Split, read_records
from ml_pipeline.data.sources.source import Reading
from ml_pipeline.data.split import Link, SplitPlan, split_records
from ml_pipeline.data.survey import survey
from ml_pipeline.errors import SourceError
from ml_pipeline.progress import Progress

_NAMED = 3  # photos named in a complaint


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a person chooses. `max_missing` is the share of a source's listed photos that may be absent."""

    plan: SplitPlan = field(default_factory=SplitPlan)
    limits: Limits = field(default_factory=Limits)
    allow_missing: bool = False
    max_missing: float = 0.01
    previous: Path | None = None
    labelled_pairs: int = 200
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Build:
    """Everything that the outputs and the report show.

    `labels` are the rows of the classes that occur in `records`; `measured` is None where it was not asked for.
    """

    readings: tuple[Reading, ...]
    options: BuildOptions
    previous: tuple[Record, ...]
    records: tuple[Record, ...]
    labels: tuple[Label, ...]
    quarantined: tuple[Quarantined, ...]
    merged: Merged
    pairs: tuple[Pair, ...]
    measured: Measured | None

    @property
    def files(self) -> tuple[File, ...]:
        """What `pairs` point into."""
        return self.merged.files

    @property
    def merged_records(self) -> dict[str, Record]:
        """All merged records by image id, the quarantined too."""
        return {record.image_id: record for record in self.merged.records}


def build(readings: Sequence[Reading], options: BuildOptions, *, cache: Path, progress: Progress) -> Build:
    """Run all steps; photos of the same lesion, patient or picture never come apart.

    Raises SourceError for what a person has to mend and LeakageError for a split that cannot be.
    """
    refuse_missing(readings, options)
    previous = read_records(options.previous) if options.previous else ()
    read = [record for reading in readings for record in reading.records]
    # Before the photos are opened: a contradiction between mappings must not be found after hours.
    labels = labels_from((record.label for record in read), (facts for each in readings for facts in each.labels))
    paths = [record.path for record in read if record.path]
    merged = merge(read, survey(paths, cache=cache, workers=options.workers, progress=progress))
    store = Cache(cache)
    try:
        pairs = find_copies(
            merged.files, limits=options.limits, workers=options.workers, cache=store, progress=progress
        )
    finally:
        store.close()
    links = _links(merged.files, pairs)
    kept, in_conflict = _without_conflicts(merged, links, frozenset(record.image_id for record in previous))
    split = split_records(kept, links, plan=options.plan, previous=previous)
    records = _clustered(split.records, links)
    refuse_leakage(records, links)
    between = [Quarantined.of(record, Kind.BETWEEN_SPLITS, reason) for record, reason in split.refused]
    return Build(
        tuple(readings),
        options,
        previous,
        records,
        _occurring(labels, records),
        (*merged.quarantined, *in_conflict, *between, *_absent(readings)),
        merged,
        pairs,
        _measured(records, options, progress),
    )


def refuse_missing(readings: Sequence[Reading], options: BuildOptions) -> None:
    """Raise SourceError when a source lacks more of its photos than `max_missing`, unless that is allowed."""
    for reading in readings:
        missing, listed = reading.missing, len(reading.records)
        if options.allow_missing or len(missing) <= options.max_missing * listed:
            continue
        named = ", ".join(record.image_id for record in missing[:_NAMED])
        raise SourceError(
            f"{reading.source}: {len(missing)} of {listed} listed photos are not there ({named}, ...), which is more "
            f"than {options.max_missing:.0%}. Finish the download, or go on with what is there: --allow-missing."
        )


def _absent(readings: Sequence[Reading]) -> list[Quarantined]:
    """Rows without a photo in any source, and photos without a row."""
    there = {record.image_id for reading in readings for record in reading.records if record.path}
    no_file = [
        Quarantined.of(record, Kind.NO_FILE, "listed, but not there")
        for reading in readings
        for record in reading.missing
        if record.image_id not in there
    ]
    not_listed = [
        Quarantined(reading.source, path.stem, str(path), "", Kind.NOT_LISTED, "no usable row names it")
        for reading in readings
        for path in reading.unlisted
    ]
    return no_file + not_listed


def _without_conflicts(
    merged: Merged, links: Sequence[Link], earlier: frozenset[str]
) -> tuple[list[Record], list[Quarantined]]:
    """Records without those whose copies have other labels; an akiec whose copy is known to be scc becomes scc.

    Of copies of an earlier build's photo only the new ones leave, so that it keeps its place.
    """
    cluster_of = clusters(links)
    members: dict[str, list[Record]] = defaultdict(list)
    for record in merged.records:
        members[cluster_of.get(record.image_id, record.image_id)].append(record)
    kept: list[Record] = []
    quarantined: list[Quarantined] = []
    for alike in members.values():
        old = [record for record in alike if record.image_id in earlier]
        staying = next(each for each in (alike, old, []) if len(agreed_labels(each, merged.coarse)) <= 1)
        label = "".join(agreed_labels(staying, merged.coarse))
        kept += [replace(record, label=label) for record in staying]
        said = ", ".join(f"{record.image_id} is {record.label}" for record in alike)
        quarantined += [
            Quarantined.of(record, Kind.CONFLICTING_LABELS, f"copies of one photograph: {said}")
            for record in alike
            if record not in staying
        ]
    return kept, quarantined


def _clustered(records: Sequence[Record], links: Sequence[Link]) -> tuple[Record, ...]:
    """Records that name their cluster, made of the copies that are still here: one that left joins nothing."""
    here = {record.image_id for record in records}
    cluster_of = clusters(link for link in links if here.issuperset(link))
    return tuple(replace(record, cluster=cluster_of.get(record.image_id, "")) for record in records)


def _occurring(labels: Sequence[Label], records: Sequence[Record]) -> tuple[Label, ...]:
    codes = {record.label for record in records}
    return tuple(label for label in labels if label.code in codes)


def _links(files: Sequence[File], pairs: Sequence[Pair]) -> list[Link]:
    links = {(files[pair.left].image_id, files[pair.right].image_id) for pair in pairs if pair.is_copy}
    return sorted(link for link in links if link[0] != link[1])


def _measured(records: Sequence[Record], options: BuildOptions, progress: Progress) -> Measured | None:
    """Labelled pairs from one photo of each of some groups, spread over the table; of training photos only."""
    first = {record.group: record for record in reversed(records) if record.split is Split.TRAIN}
    groups = sorted(first)
    step = max(1, len(groups) // options.labelled_pairs) if options.labelled_pairs else 0
    chosen = groups[::step][: options.labelled_pairs] if step else []
    if not chosen:
        return None
    paths = [Path(first[group].path) for group in chosen]
    plan = options.plan
    return measure(paths, limits=options.limits, seed=plan.seed, workers=options.workers, progress=progress)
