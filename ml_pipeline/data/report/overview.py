"""What came out, what to be careful about, and what went in."""

from collections import Counter, defaultdict
from typing import Any

from ml_pipeline.data.build import Build
from ml_pipeline.data.quarantine import Kind
from ml_pipeline.data.records import SEPARATOR, Record, Split
from ml_pipeline.data.summary import wrongly_joined
from ml_pipeline.report_page.page import Column, Fact, Facts, Points, Section, Table, Text, row
from ml_pipeline.report_page.words import count, listed, number_of, of, percent

NOT_ON_DISK = frozenset({Kind.NO_FILE, Kind.NOT_LISTED})
_FEW_TEST_GROUPS = 30
_LOW_RECALL = 0.9


def headline(build: Build, summary: dict[str, Any]) -> Section:
    """The build in six numbers, and what they do not say."""
    records = build.records
    splits = " · ".join(f"{split} {count(sum(record.split is split for record in records))}" for split in Split)
    lesions = {each for record in records for each in record.lesion_id.split(SEPARATOR)} - {""}
    patients = {each for record in records for each in record.patient_id.split(SEPARATOR)} - {""}
    left_out = [entry for entry in build.quarantined if entry.kind not in NOT_ON_DISK]
    kinds = Counter(entry.kind for entry in build.quarantined)
    in_clusters = [record.cluster for record in records if record.cluster]
    naive = summary["naive_split_would_leak"]["by image"]
    facts = Facts(
        (
            Fact(count(len(records)), "photos", splits),
            Fact(
                count(len({record.group for record in records})),
                "groups that stay together",
                f"from {number_of(len(lesions), 'lesion id')} and {number_of(len(patients), 'patient id')}",
            ),
            Fact(count(len(build.readings)), "sources", listed([reading.source for reading in build.readings])),
            Fact(
                count(len(in_clusters)),
                "photos with a copy under another id",
                f"in {number_of(len(set(in_clusters)), 'cluster')}",
            ),
            Fact(
                count(len(left_out)),
                "file quarantined" if len(left_out) == 1 else "files quarantined",
                f"besides {count(kinds[Kind.NO_FILE])} photos that are listed but not there, and "
                f"{count(kinds[Kind.NOT_LISTED])} that no table lists",
            ),
            Fact(
                "0 leaked",
                "test photos with a relative in training",
                f"proven; a random split by photo leaks {percent(naive['leaked'], naive['test'])}",
                good=True,
            ),
        )
    )
    warnings = _cautions(build)
    blocks = (facts, Text("Before you believe a number made from this table:", "lead"), Points(warnings))
    return Section("headline", "In short", blocks if warnings else blocks[:1])


def sources(build: Build, summary: dict[str, Any]) -> Section:
    """What each data set brought."""
    kept: dict[str, int] = defaultdict(int)
    best: dict[str, int] = defaultdict(int)
    for record in build.records:
        best[record.source] += 1
        for source in record.sources.split(SEPARATOR):
            kept[source] += 1
    rows = []
    for reading in build.readings:
        listed_count, missing = len(reading.records), len(reading.missing)
        rows.append(
            row(
                reading.source,
                *(count(number) for number in (listed_count, missing)),
                percent(missing, listed_count),
                *(count(number) for number in (len(reading.unlisted), kept[reading.source], best[reading.source])),
                role="weak" if missing else "",
            )
        )
    columns = (
        Column("source", numeric=False),
        *(Column(name) for name in ("listed", "missing", "share", "not listed", "photos kept", "best copy from here")),
    )
    shared = sum(SEPARATOR in record.sources for record in build.records)
    told = (
        f"{of(shared, len(build.records))} of the photos are in several sources; each is one row, with the best copy "
        "of it (most pixels, then most bytes per pixel, then the whole frame)."
    )
    papers = [_papers(source, each) for source, each in summary["sources"].items()]
    blocks = (Text(told, "see"), Table(columns, tuple(rows)), Text("Tables that were read, and licences:"))
    return Section("sources", "What went in", (*blocks, Points(tuple(papers))))


def _papers(source: str, reading: dict[str, Any]) -> str:
    tables = listed([f"{name} (sha256 {digest[:12]}…)" for name, digest in reading["tables"].items()])
    return f"{source}: {tables or 'no table, folders name the classes'}. {listed(reading['licences'])}."


def _cautions(build: Build) -> tuple[str, ...]:
    """Everything in this build that weakens what can be said with it."""
    return tuple(sentence for sentence in (*_about_data(build), *_about_copies(build)) if sentence)


def _about_data(build: Build) -> list[str]:
    records = build.records
    partial = [
        f"{reading.source} lacks {of(len(reading.missing), len(reading.records))} of its listed photos"
        for reading in build.readings
        if reading.missing
    ]
    return [
        f"{listed(partial)}: classes and sites are not those of the published data." if partial else "",
        _rare_classes(records),
        _without_ids(records),
        _skin_types(records),
        _several_labels(build),
    ]


def _rare_classes(records: tuple[Record, ...]) -> str:
    groups: dict[str, set[str]] = {record.label: set() for record in records}
    for record in records:
        if record.split is Split.TEST:
            groups[record.label].add(record.group)
    rare = [f"{label} {len(names)}" for label, names in sorted(groups.items()) if len(names) < _FEW_TEST_GROUPS]
    if not rare:
        return ""
    return (
        f"Fewer than {_FEW_TEST_GROUPS} independent test groups: {listed(rare)}. "
        "A recall measured on 30 has a 95 % interval of up to ± 18 points."
    )


def _without_ids(records: tuple[Record, ...]) -> str:
    without = sum(not record.lesion_id and not record.patient_id for record in records)
    if not without:
        return ""
    return (
        f"{of(without, len(records))} of the photos have neither a lesion nor a patient id: only copies of one picture "
        "are kept together there, not different pictures of one lesion or person."
    )


def _skin_types(records: tuple[Record, ...]) -> str:
    known = [record.fitzpatrick_type for record in records if record.fitzpatrick_type]
    dark = sum(skin_type in (5, 6) for skin_type in known)
    if not known:
        return "No photo has a known skin type: nothing can be said about darker skin."
    return (
        f"Skin type is known for {of(len(known), len(records))} of the photos; "
        f"{number_of(dark, 'of these is', 'of these are')} of Fitzpatrick type V or VI."
    )


def _several_labels(build: Build) -> str:
    coarse = len(build.merged.coarse)
    if not coarse:
        return ""
    return f"{number_of(coarse, 'photo')} labelled akiec may be scc: no source with both classes holds the id."


def _about_copies(build: Build) -> list[str]:
    apart = len(wrongly_joined(build))
    lines = []
    if apart:
        lines.append(
            f"{number_of(apart, 'pair')} joined on pixels have different lesion ids: wrong joins, or one lesion under "
            "two ids. They are shown below; look at them."
        )
    if build.measured is None:
        return [*lines, "Recall of the search for copies was not measured in this build."]
    weak = [each for each in build.measured.recalls if each.joined < _LOW_RECALL * each.copies]
    if weak:
        worst = sorted(weak, key=lambda each: each.joined / each.copies)
        named = [f"{each.change} {percent(each.joined, each.copies)}" for each in worst]
        lines.append(
            f"Copies are not always found: fewer than 90 % for {len(weak)} of {len(build.measured.recalls)} changes, "
            f"worst {listed(named, most=4)}. Such copies without a common id may still lie in two splits."
        )
    return lines
