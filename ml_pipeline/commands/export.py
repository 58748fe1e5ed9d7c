"""`export`: a trained run to a model folder, with what was chosen and measured on the way."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ml_pipeline.gating.options import add_options, folders_from

Commands = Any  # argparse names this type only privately


def add_commands(commands: Commands, *, needs: tuple[str, ...]) -> None:
    """Add `export`, which needs these packages."""
    export = commands.add_parser("export", help="calibrate, measure and write a run as a model folder")
    export.add_argument("--run", type=Path, required=True, metavar="DIR", dest="run_folder", help="folder of `train`")
    export.add_argument("--records", type=Path, required=True, metavar="CSV", help="the table of the training")
    export.add_argument("--version", required=True, metavar="X.Y.Z")
    export.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="ml_models/trained/NAME or MODEL_DIR/NAME"
    )
    add_options(export)
    export.add_argument(
        "--int8-experiment",
        action="store_true",
        help="also compare a model in whole numbers; written to int8.json of the run, never shipped",
    )
    export.set_defaults(run=_export, needs=needs)


def _export(options: argparse.Namespace) -> None:
    from ml_pipeline.data.records import read_records
    from ml_pipeline.export import export
    from ml_pipeline.progress import bars
    from ml_pipeline.training.run_folder import load_run

    records, trained = read_records(options.records), load_run(options.run_folder)
    report = export(
        trained,
        records,
        model_version=options.version,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        out=options.out,
        gating_photos=folders_from(vars(options)).photos(),
        progress=bars,
    )
    # The card has everything: thresholds with their bounds, melanoma's own sensitivity, each domain's figures.
    print((report.folder / "MODEL_CARD.md").read_text(encoding="utf-8"))
    print(f"wrote {report.folder}; Keras and LiteRT agree within {report.parity:.1e} of the largest logit")
    if options.int8_experiment:
        from ml_pipeline.int8 import int8_experiment

        print(int8_experiment(trained, records, model=report.folder, out=options.run_folder))
