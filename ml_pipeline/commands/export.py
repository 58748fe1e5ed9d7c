"""`export`: a trained run to a model folder, with what was chosen and measured on the way."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from ml_pipeline.gating.choose import GatingPhotos

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
    gates = export.add_argument_group("gates, without which no answer is ever called safe")
    gates.add_argument(
        "--negatives",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="photos without a lesion, a source a folder",
    )
    gates.add_argument(
        "--held-out-negatives",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="the same, kept out of all choices",
    )
    gates.add_argument("--masks", type=Path, metavar="DIR", help="lesion masks named after photos of the table")
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
        gating_photos=_gating_photos(options),
        progress=bars,
    )
    # The card has everything: thresholds with their bounds, melanoma's own sensitivity, each domain's figures.
    print((report.folder / "MODEL_CARD.md").read_text(encoding="utf-8"))
    print(f"wrote {report.folder}; Keras and LiteRT agree within {report.parity:.1e} of the largest logit")
    if options.int8_experiment:
        from ml_pipeline.int8 import int8_experiment

        print(int8_experiment(trained, records, model=report.folder, out=options.run_folder))


def _gating_photos(options: argparse.Namespace) -> "GatingPhotos | None":
    from ml_pipeline.gating.choose import GatingPhotos
    from ml_pipeline.gating.negatives import find_negatives

    if not (options.negatives or options.masks or options.held_out_negatives):
        return None
    if not (options.negatives and options.masks):
        raise PipelineError("Gates need both --negatives DIR and --masks DIR; leave all three out for a model without.")
    return GatingPhotos(
        tuple(find_negatives(folder) for folder in options.negatives)
        + tuple(find_negatives(folder, held_out=True) for folder in options.held_out_negatives),
        options.masks,
    )
