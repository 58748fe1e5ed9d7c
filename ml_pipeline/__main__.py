"""`python -m ml_pipeline COMMAND`: data sets to a table, a table to a model, a model to its figures."""

import argparse
import importlib.util
import os
import sys
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path

from ml_models.errors import SkinModelError
from ml_pipeline.commands import data
from ml_pipeline.errors import LeakageError, PipelineError

_TRAINING_PACKAGES = (*data.NEEDS, "sklearn", "keras", os.environ.get("KERAS_BACKEND", "tensorflow"))


class ExitStatus(IntEnum):
    """What a command's end means."""

    DONE = 0
    FOUND = 1  # `verify` found unusable files
    ERROR = 2  # bad input; the message says what to mend
    LEAKAGE = 3  # a split would leak, or a table is not the one that a model was trained on
    STOPPED = 130  # Ctrl-C


_EPILOG = """exit status: 0 done; 1 verify found unusable files; 2 bad input, the message says what to mend;
3 a split leaks, or is not the one that a model was trained on; 130 stopped by Ctrl-C, run again to go on"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; an expected error is one line on stderr."""
    options = _parser().parse_args(arguments)
    missing = [name for name in options.needs if importlib.util.find_spec(name) is None]
    if missing:
        print(f"error: {', '.join(missing)} not installed: pip install -r requirements.txt", file=sys.stderr)
        return ExitStatus.ERROR
    try:
        return int(options.run(options) or ExitStatus.DONE)
    except LeakageError as error:
        print(f"error: {error}", file=sys.stderr)
        return ExitStatus.LEAKAGE
    except (PipelineError, SkinModelError) as error:
        print(f"error: {error}", file=sys.stderr)
        return ExitStatus.ERROR
    except KeyboardInterrupt:
        print("\nstopped; nothing is half-written. Run the same command again to go on.", file=sys.stderr)
        return ExitStatus.STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml_pipeline", description=__doc__, epilog=_EPILOG)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    data.add_commands(commands)

    train = commands.add_parser("train", help="train a recipe; run again to resume")
    train.add_argument("--records", type=Path, required=True, metavar="CSV")
    train.add_argument("--recipe", required=True)
    _add_backbone_weights(train)
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="run folder (git-ignored runs/...)")
    train.set_defaults(run=_train, needs=_TRAINING_PACKAGES)

    export = commands.add_parser("export", help="calibrate, measure and write a run as a model folder")
    export.add_argument("--run", type=Path, required=True, metavar="DIR", dest="run_folder", help="folder of `train`")
    export.add_argument("--recipe", required=True)
    export.add_argument("--records", type=Path, required=True, metavar="CSV")
    export.add_argument("--version", required=True, metavar="X.Y.Z")
    export.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="ml_models/trained/NAME or MODEL_DIR/NAME"
    )
    export.set_defaults(run=_export, needs=_TRAINING_PACKAGES)

    evaluate = commands.add_parser("evaluate", help="held-out figures of a model beside a linear probe's")
    evaluate.add_argument("--model", type=Path, required=True, metavar="DIR")
    evaluate.add_argument("--records", type=Path, required=True, metavar="CSV")
    _add_backbone_weights(evaluate)
    evaluate.set_defaults(run=_evaluate, needs=_TRAINING_PACKAGES)

    samples = commands.add_parser("samples", help="draw the synthetic sample photos")
    samples.add_argument("--out", type=Path, default=Path("sample_images"), metavar="DIR")
    samples.set_defaults(run=_samples, needs=())
    return parser


def _add_backbone_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backbone-weights", required=True, metavar="FILE|imagenet|none", help="where the backbone starts from"
    )


def _train(options: argparse.Namespace) -> None:
    from ml_pipeline.data.records import read_records
    from ml_pipeline.evaluation.report import write_curves
    from ml_pipeline.training.history import read_history
    from ml_pipeline.training.recipes import recipe_named
    from ml_pipeline.training.train import train

    result = train(
        read_records(options.records),
        recipe_named(options.recipe),
        out=options.out,
        backbone_weights=_backbone_weights(options),
    )
    write_curves(options.out / "curves.png", read_history(options.out))
    print(f"best epoch {result.epoch + 1}: validation balanced accuracy {result.validation_balanced_accuracy:.4f}")


def _export(options: argparse.Namespace) -> None:
    from ml_pipeline.data.records import read_records
    from ml_pipeline.export import export
    from ml_pipeline.training.recipes import recipe_named
    from ml_pipeline.training.train import load_run

    report = export(
        load_run(options.run_folder, recipe_named(options.recipe)),
        read_records(options.records),
        name=options.out.name,
        model_version=options.version,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        out=options.out,
    )
    print(f"wrote {report.folder}; Keras and LiteRT agree within {report.parity:.1e} of the largest logit")
    print((report.folder / "MODEL_CARD.md").read_text(encoding="utf-8"))


def _evaluate(options: argparse.Namespace) -> None:
    from ml_models.classifier import load_classifier
    from ml_pipeline.data.proof import refuse_leakage, refuse_other_data
    from ml_pipeline.data.records import Split, of_split, read_records
    from ml_pipeline.evaluation.evaluate import answers_from, logits_for
    from ml_pipeline.evaluation.metrics import balanced_accuracy, difference, estimate, metrics
    from ml_pipeline.evaluation.probe import linear_probe

    records, classifier = read_records(options.records), load_classifier(options.model)
    test, document = of_split(records, Split.TEST), classifier.document
    refuse_leakage(records)
    refuse_other_data(records, document.provenance["data_sha256"])
    answers = answers_from(document, logits_for(classifier, test), test)
    probe = linear_probe(
        records,
        backbone=document.provenance["recipe"]["backbone"],
        size_px=document.input.size_px,
        weights=_backbone_weights(options),
        like=answers,
    )
    print(f"test split: {len(test)} photos of {len(set(answers.groups))} held-out lesions, 95 % bootstrap by lesion")
    threshold = min(document.malignancy_thresholds.values(), default=None)
    of_probe = estimate(probe, metrics(probe.codes))
    print(f"{'':36}{document.name + ' ' + document.version:28}linear probe on the frozen backbone")
    for name, each in estimate(answers, metrics(answers.codes, threshold)).items():
        print(f"{name:36}{each!s:28}{of_probe.get(name, '')!s}")
    print(f"balanced accuracy gained over the probe: {difference(answers, probe, balanced_accuracy)} (paired)")


def _samples(options: argparse.Namespace) -> None:
    from ml_pipeline.synthetic import write_samples

    write_samples(options.out)
    print(f"wrote {options.out}")


def _backbone_weights(options: argparse.Namespace) -> str | None:
    return None if options.backbone_weights == "none" else options.backbone_weights


if __name__ == "__main__":
    sys.exit(main())
