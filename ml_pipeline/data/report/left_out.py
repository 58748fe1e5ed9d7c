"""What is quarantined, why, and what it looks like."""

from collections import Counter, defaultdict
from pathlib import Path

from ml_pipeline.data.build import Build
from ml_pipeline.data.quarantine import Kind, Quarantined
from ml_pipeline.data.report.overview import NOT_ON_DISK
from ml_pipeline.data.report.photos import chosen
from ml_pipeline.data.report.thumbnails import thumbnail
from ml_pipeline.report_page.page import (
    Album,
    Albums,
    Block,
    Heading,
    Photo,
    Section,
    Table,
    Text,
    names_and_numbers,
    row,
)
from ml_pipeline.report_page.words import count, number_of

_EXAMPLES, _CONFLICTS, _SHOWN_OF_CONFLICT = 8, 24, 8


def left_out(build: Build) -> Section:
    """Counts by kind and source, contradictions side by side, and examples of the rest."""
    if not build.quarantined:
        return Section("quarantine", "Left out", (Text("Nothing was left out.", "see"),))
    on_disk = sum(entry.kind not in NOT_ON_DISK for entry in build.quarantined)
    see = (
        f"{number_of(on_disk, 'file')} that cannot be used or trusted, and "
        f"{number_of(len(build.quarantined) - on_disk, 'entry', 'entries')} of tables and folders that do not match. "
        "quarantine.csv has each with its reason; no file was touched. A listed photo without a file counts only "
        "where no other source has it."
    )
    return Section("quarantine", "Left out", (Text(see, "see"), _counts(build), *_conflicts(build), *_examples(build)))


def _counts(build: Build) -> Table:
    sources = sorted({entry.source for entry in build.quarantined})
    counts = Counter((entry.kind, entry.source) for entry in build.quarantined)
    rows = [
        row(
            kind.value,
            *(count(counts[kind, source]) for source in sources),
            count(sum(counts[kind, source] for source in sources)),
        )
        for kind in Kind
        if any(counts[kind, source] for source in sources)
    ]
    return Table(names_and_numbers("why", *sources, "all"), tuple(rows))


def _conflicts(build: Build) -> tuple[Block, ...]:
    by_reason: dict[str, list[Quarantined]] = defaultdict(list)
    for entry in build.quarantined:
        if entry.kind is Kind.CONFLICTING_LABELS:
            by_reason[entry.reason].append(entry)
    if not by_reason:
        return ()
    reasons = sorted(by_reason)
    albums = tuple(_conflict(reason, by_reason[reason]) for reason in reasons[:_CONFLICTS])
    stays = "; photos of the previous build stay as they are" if build.previous else ""
    see = (
        f"{number_of(len(reasons), 'picture')} with contradicting labels. Nobody can tell which is right, so none is "
        f"used{stays}."
    )
    return Heading("Conflicting labels, side by side"), Text(see, "see"), Albums(albums)


def _conflict(reason: str, entries: list[Quarantined]) -> Album:
    photos = tuple(_photo(entry, entry.label, entry.source) for entry in entries[:_SHOWN_OF_CONFLICT])
    note = f"and {count(len(entries) - len(photos))} more" if len(entries) > len(photos) else ""
    return Album(photos, note=reason if len(entries) == 1 else note)  # a single one contradicts the previous build


def _examples(build: Build) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for kind in Kind:
        entries = [entry for entry in build.quarantined if entry.kind is kind and entry.path]
        if not entries or kind is Kind.CONFLICTING_LABELS:
            continue
        shown = chosen(entries, _EXAMPLES, seed=build.options.plan.seed, purpose=kind.value)
        photos = tuple(_photo(entry, Path(entry.path).name, entry.reason) for entry in shown)
        title = f"{kind.value}, {len(shown)} of {count(len(entries))}"
        blocks.append(Albums((Album(photos, title=title),), large=True))
    return (Heading("Examples of the rest"), *blocks) if blocks else ()


def _photo(entry: Quarantined, *lines: str) -> Photo:
    return Photo(thumbnail(Path(entry.path)).uri if entry.path else "", entry.image_id, lines)
