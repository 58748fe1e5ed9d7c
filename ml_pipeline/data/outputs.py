"""The folder that a build leaves: each file whole, and the summary last, so that a folder without it is unfinished."""

import hashlib
import json
from pathlib import Path
from typing import Any

from ml_pipeline.data.build import Build
from ml_pipeline.data.deduplicate import write_duplicates
from ml_pipeline.data.label_table import TABLE, write_labels
from ml_pipeline.data.quarantine import write_quarantine
from ml_pipeline.data.records import write_records
from ml_pipeline.data.report import write_report
from ml_pipeline.data.summary import summarise
from ml_pipeline.files import replacing

RECORDS, QUARANTINE, DUPLICATES, REPORT, SUMMARY = (
    *("records.csv", "quarantine.csv", "duplicates.csv", "report.html", "dataset.json"),
)
_TABLES = (RECORDS, TABLE, QUARANTINE, DUPLICATES)


def write_build(build: Build, out: Path, *, report: bool) -> dict[str, Any]:
    """Write all outputs and return the summary, which also holds the digests of the tables."""
    out.mkdir(parents=True, exist_ok=True)
    (out / SUMMARY).unlink(missing_ok=True)
    records = build.merged_records
    write_records(build.records, out / RECORDS)
    write_labels(build.labels, out / TABLE)
    write_quarantine(out / QUARANTINE, build.quarantined)
    write_duplicates(out / DUPLICATES, build.files, build.pairs, lambda image_id: records[image_id].lesion_id)
    digests = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in _TABLES}
    summary = {**summarise(build), "tables": digests}
    if report:
        write_report(build, summary, out / REPORT)
    with replacing(out / SUMMARY) as file:
        json.dump(summary, file, indent=1, ensure_ascii=False)
        file.write("\n")
    return summary
