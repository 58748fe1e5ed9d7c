"""`promote`: may a candidate take the place of the model that serves? Exit status 1 says no."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from ml_pipeline.commands import data
from ml_pipeline.executor import available_cores

Commands = Any  # argparse names this type only privately


def add_commands(commands: Commands) -> None:
    """Add `promote`."""
    promote = commands.add_parser("promote", help="candidate beside champion by stated rules; exit status 1 if refused")
    promote.add_argument("--candidate", type=Path, required=True, metavar="DIR", help="model folder")
    promote.add_argument("--champion", type=Path, required=True, metavar="DIR", help="folder of the model that serves")
    promote.add_argument("--records", type=Path, required=True, metavar="CSV", help="table with the frozen test split")
    for role in ("candidate", "champion"):
        promote.add_argument(
            f"--{role}-records",
            type=Path,
            metavar="CSV",
            help=f"what the {role} was trained on, if that is neither in its folder nor --records",
        )
    promote.add_argument("--out", type=Path, metavar="DIR", help="write verdict.json and verdict.html there")
    promote.add_argument("--cache", type=Path, metavar="FILE", help="what is known of files, such as that of `build`")
    promote.add_argument("--workers", type=int, default=available_cores(), metavar="N")
    promote.add_argument("--json", action="store_true", help="print the verdict as JSON")
    promote.set_defaults(run=_promote, needs=(*data.NEEDS, "sklearn"))


def _promote(options: argparse.Namespace) -> int:
    from ml_pipeline.data.lineage import lineage_of
    from ml_pipeline.data.records import read_records
    from ml_pipeline.evaluation.evaluation import json_text
    from ml_pipeline.progress import bars
    from ml_pipeline.promotion.promote import Entrant, Work, promote
    from ml_pipeline.promotion.report_html import printed_verdict, write_verdict

    candidate, champion = (
        Entrant(folder, lineage_of(folder, table=table))
        for folder, table in (
            (options.candidate, options.candidate_records),
            (options.champion, options.champion_records),
        )
    )
    with tempfile.TemporaryDirectory() as scratch:
        work = Work(options.cache or Path(scratch) / "cache.sqlite3", options.workers, bars)
        verdict = promote(candidate, champion, read_records(options.records), work=work)
    if options.out:
        write_verdict(options.out, verdict)
    print(json_text(verdict.as_json()).rstrip() if options.json else printed_verdict(verdict))
    return 0 if verdict.passed else 1
