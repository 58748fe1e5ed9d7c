"""`python -m ml_pipeline COMMAND`: data sets to records, records to a model, a model to its figures."""

import argparse
import importlib.util
import sys
from collections import Counter
from pathlib import Path

from ml_pipeline.errors import PipelineError

_TRAINING_PACKAGES = ("keras", "sklearn", "scipy", "matplotlib")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; expected errors go to stderr as one line, exit code 2."""
    parser = _parser()
    options = parser.parse_args(arguments)
    missing = [name for name in _TRAINING_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        print(f"error: {', '.join(missing)} not installed: pip install -r requirements.txt", file=sys.stderr)
        return 2
    try:
        options.run(options)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml_pipeline", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    records = commands.add_parser("records", help="read a data set, split it by lesion, write the table of records")
    records.add_argument("--ham10000", type=Path, required=True, metavar="DIR", help="folder with metadata and images")
    records.add_argument("--isic2019-labels", type=Path, required=True, metavar="CSV", help="ISIC 2019 ground truth")
    records.add_argument("--seed", type=int, default=2019)
    records.add_argument("--out", type=Path, required=True, metavar="CSV")
    records.set_defaults(run=_records)

    train = commands.add_parser("train", help="train a recipe; run again to resume")
    train.add_argument("--records", type=Path, required=True, metavar="CSV")
    train.add_argument("--recipe", required=True)
    _add_backbone_weights(train)
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="run folder (git-ignored runs/...)")
    train.set_defaults(run=_train)
    return parser


def _add_backbone_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backbone-weights", required=True, metavar="FILE|imagenet|none", help="where the backbone starts from"
    )


def _records(options: argparse.Namespace) -> None:
    from ml_pipeline.data.records import Split, of_split, write_records
    from ml_pipeline.data.sources.ham10000 import read_ham10000
    from ml_pipeline.data.split import SplitShares, split_records

    records = split_records(
        read_ham10000(options.ham10000, options.isic2019_labels), shares=SplitShares(), seed=options.seed
    )
    write_records(records, options.out)
    for split in Split:
        part = of_split(records, split)
        counts = Counter(record.label for record in part)
        classes = ", ".join(f"{code} {counts[code]}" for code in sorted(counts))
        print(f"{split}: {len(part)} photos of {len({r.group for r in part})} lesions ({classes})")


def _train(options: argparse.Namespace) -> None:
    from ml_pipeline.data.records import read_records
    from ml_pipeline.training.recipes import recipe_named
    from ml_pipeline.training.train import train

    weights = None if options.backbone_weights == "none" else options.backbone_weights
    result = train(
        read_records(options.records), recipe_named(options.recipe), out=options.out, backbone_weights=weights
    )
    print(f"best epoch {result.epoch + 1}: validation balanced accuracy {result.validation_balanced_accuracy:.4f}")


if __name__ == "__main__":
    sys.exit(main())
