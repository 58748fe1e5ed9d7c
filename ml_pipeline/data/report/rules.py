"""An earlier build beside this one, and all that is needed to make this one again."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ml_pipeline.data.build import Build
from ml_pipeline.data.quarantine import Kind
from ml_pipeline.data.records import Split
from ml_pipeline.report_page.page import Cell, Column, Heading, Row, Section, Table, Text, names_and_numbers, row
from ml_pipeline.report_page.words import NONE, count, number_of, of


def previous(build: Build) -> Section | None:
    """What became of the photos of an earlier build; None without one."""
    if not build.previous:
        return None
    now = {record.image_id: record.split for record in build.records}
    before = {record.image_id: record.split for record in build.previous}
    kept = sum(now.get(image_id) is split for image_id, split in before.items())
    moved = sum(image_id in now and now[image_id] is not split for image_id, split in before.items())
    new = Counter(split for image_id, split in now.items() if image_id not in before)
    old = Counter(before.values())
    gone = Counter(split for image_id, split in before.items() if image_id not in now)
    refused = sum(entry.kind is Kind.BETWEEN_SPLITS for entry in build.quarantined)
    see = (
        f"{of(kept, len(before))} photos of the previous table are in the split they were in, {count(moved)} are in "
        f"another, and {count(sum(gone.values()))} are not in this build. {number_of(refused, 'new photo')} would have "
        "joined groups of different splits, and was left out."
    )
    present = Counter(now.values())
    columns = (old, gone, new, present)
    rows = [row(str(split), *(count(numbers[split]) for numbers in columns)) for split in Split]
    table = Table(names_and_numbers("split", "before", "gone", "new", "now"), tuple(rows))
    return Section("previous", "Beside the previous build", (Text(see, "see"), table))


def rules(summary: Mapping[str, Any]) -> Section:
    """Options, versions and digests: equal ones give this build again, byte for byte."""
    options = [row(name, value) for name, value in _flat(summary["options"])]
    versions = [row(name, str(value)) for name, value in summary["versions"].items()]
    digests = [
        *((name, digest) for name, digest in summary.get("tables", {}).items()),
        ("records (ids, labels, groups, splits)", summary["records_sha256"]),
        ("all photos", summary["photos_sha256"]),
        *(
            (f"{source}: {name}", digest)
            for source, reading in summary["sources"].items()
            for name, digest in reading["tables"].items()
        ),
    ]
    name_and_value = Column("", numeric=False), Column("", numeric=False)
    return Section(
        "rules",
        "To make it again",
        (
            Heading("Options"),
            Table(name_and_value, tuple(options)),
            Heading("Versions"),
            Table(name_and_value, tuple(versions)),
            Heading("Digests (sha256)"),
            Table(name_and_value, tuple(Row((Cell(name), Cell(digest, code=True))) for name, digest in digests)),
        ),
    )


def _flat(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _said(value)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NONE if value in ("", None) else str(value)
