"""`report.html`: what a build holds, how far it can be believed, and what it looks like, in one file.

Everything shown is chosen by the build's seed; equal builds give equal bytes.
"""

from pathlib import Path
from typing import Any

from ml_pipeline.data.build import Build
from ml_pipeline.data.report.balance import balance
from ml_pipeline.data.report.copies import copies
from ml_pipeline.data.report.leak import leak
from ml_pipeline.data.report.left_out import left_out
from ml_pipeline.data.report.measured import measured
from ml_pipeline.data.report.montage import montage
from ml_pipeline.data.report.overview import headline, sources
from ml_pipeline.data.report.people import people
from ml_pipeline.data.report.pixels import pixels
from ml_pipeline.data.report.rules import previous, rules
from ml_pipeline.report_page.page import write_page
from ml_pipeline.report_page.words import listed, number_of

__all__ = ["write_report"]


def write_report(build: Build, summary: dict[str, Any], path: Path) -> None:
    """Write the report of a build with the summary that `summarise` gives. Raises LeakageError if the build leaks."""
    sections = (
        headline(build, summary),
        sources(build, summary),
        balance(build),
        leak(build, summary),
        copies(build),
        measured(build),
        left_out(build),
        montage(build),
        pixels(build),
        people(build),
        previous(build),
        rules(summary),
    )
    names = listed([reading.source for reading in build.readings])
    subtitle = f"{number_of(len(build.records), 'photo')} from {names}, seed {build.options.plan.seed}"
    write_page(
        path,
        title="Data set report",
        subtitle=subtitle,
        sections=tuple(each for each in sections if each),
        footer="Photos are shown for checking the data set, under the licences above. Not a medical device.",
    )
