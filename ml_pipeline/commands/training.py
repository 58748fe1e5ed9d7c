"""Commands that train: `train` a recipe, `ablate` to judge single changes."""

import argparse
from pathlib import Path
from typing import Any

Commands = Any  # argparse names this type only privately


def add_commands(commands: Commands, *, needs: tuple[str, ...]) -> None:
    """Add `train` and `ablate`, which need these packages."""
    train = commands.add_parser("train", help="train a recipe; run again to resume")
    train.add_argument("--records", type=Path, required=True, metavar="CSV")
    train.add_argument("--recipe", required=True)
    train.add_argument(
        "--backbone-weights",
        required=True,
        metavar="FILE|imagenet|none",
        help="where the backbone starts from; the model.keras of an earlier model starts from that",
    )
    train.add_argument(
        "--previous", type=Path, metavar="CSV", help="the earlier model's table, which these records were built on"
    )
    train.add_argument(
        "--teacher",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="finished run that a recipe with distillation learns from; repeatable",
    )
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="run folder (git-ignored runs/...)")
    train.set_defaults(run=_train, needs=needs)

    ablate = commands.add_parser("ablate", help="judge single changes of a recipe on validation; run again to go on")
    ablate.add_argument("--records", type=Path, required=True, metavar="CSV")
    ablate.add_argument("--mobilenetv2", required=True, metavar="FILE|imagenet", help="its start")
    ablate.add_argument("--lite0", required=True, metavar="FILE", help="EfficientNet-Lite0's start")
    ablate.add_argument("--only", action="append", default=[], metavar="NAME", help="recipe of one change; repeatable")
    ablate.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the runs and of ablation.md")
    ablate.set_defaults(run=_ablate, needs=needs)


def _train(options: argparse.Namespace) -> None:
    from ml_pipeline.data.label_table import TABLE, labels_of
    from ml_pipeline.data.lineage import Lineage
    from ml_pipeline.data.records import read_records
    from ml_pipeline.training.curves import write_curves
    from ml_pipeline.training.history import read_history
    from ml_pipeline.training.recipes import recipe_named
    from ml_pipeline.training.train import train

    records = read_records(options.records)
    result = train(
        records,
        recipe_named(options.recipe),
        labels=labels_of(records, options.records.with_name(TABLE)),
        out=options.out,
        backbone_weights=None if options.backbone_weights == "none" else options.backbone_weights,
        teachers=options.teacher,
        earlier=Lineage(read_records(options.previous)) if options.previous else None,
    )
    write_curves(options.out / "curves.png", read_history(options.out))
    print(f"best epoch {result.epoch + 1}: validation balanced accuracy {result.validation_balanced_accuracy:.4f}")


def _ablate(options: argparse.Namespace) -> None:
    from ml_pipeline.ablation import ablate, table

    starts = {"mobilenetv2": options.mobilenetv2, "lite0": options.lite0, "none": "none"}
    rows = ablate(options.records, starts=starts, only=options.only, out=options.out)
    text = table(rows)
    (options.out / "ablation.md").write_text(text, encoding="utf-8")
    print(text)
