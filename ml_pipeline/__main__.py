"""`python -m ml_pipeline COMMAND`: data sets to a table, a table to a model, a model to its figures."""

import argparse
import importlib.util
import os
import sys
from enum import IntEnum
from pathlib import Path

from ml_models.errors import SkinModelError
from ml_pipeline.commands import data, evaluation, explain, export, predict, promotion, training
from ml_pipeline.errors import LeakageError, PipelineError

_TRAINING_PACKAGES = (*data.NEEDS, "sklearn", "keras", os.environ.get("KERAS_BACKEND", "tensorflow"))


class ExitStatus(IntEnum):
    """What a command's end means."""

    DONE = 0
    FOUND = 1  # `verify` found unusable files, or `promote` refused the candidate
    ERROR = 2  # bad input; the message says what to mend
    LEAKAGE = 3  # a split would leak, or a table is not the one that a model was trained on
    STOPPED = 130  # Ctrl-C


_EPILOG = """exit status: 0 done; 1 verify found unusable files, or promote refused; 2 bad input, the message says
what to mend; 3 a split leaks, or is not the one that a model was trained on; 130 stopped by Ctrl-C, run it again"""


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

    training.add_commands(commands, needs=_TRAINING_PACKAGES)

    export.add_commands(commands, needs=_TRAINING_PACKAGES)

    evaluation.add_commands(commands)

    explain.add_commands(commands, needs=(*evaluation.NEEDS, *_TRAINING_PACKAGES))

    predict.add_commands(commands)

    promotion.add_commands(commands)

    samples = commands.add_parser("samples", help="draw the synthetic sample photos")
    samples.add_argument("--out", type=Path, default=Path("sample_images"), metavar="DIR")
    samples.set_defaults(run=_samples, needs=())
    return parser


def _samples(options: argparse.Namespace) -> None:
    from ml_pipeline.synthetic import write_samples

    write_samples(options.out)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    sys.exit(main())
