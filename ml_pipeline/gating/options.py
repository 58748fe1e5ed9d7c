"""The folders that gates need, as options of every command that exports a model. Imports no training package."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from ml_pipeline.gating.choose import GatingPhotos


@dataclass(frozen=True, slots=True)
class GatingFolders:
    """Sources of photos without a lesion, those held out of every choice, and outlines; all empty: no gates."""

    negatives: tuple[Path, ...] = ()
    held_out: tuple[Path, ...] = ()
    masks: Path | None = None

    def as_json(self) -> list[list[str]]:
        """What tells one set of folders from another."""
        return [sorted(map(str, self.negatives)), sorted(map(str, self.held_out)), [str(self.masks or "")]]

    def photos(self) -> "GatingPhotos | None":
        """The photos in the folders, None for no folders. Raises PipelineError for half of what is needed."""
        from ml_pipeline.data.records import Split  # noqa: PLC0415
        from ml_pipeline.gating.choose import GatingPhotos  # noqa: PLC0415 - for whoever only reads options
        from ml_pipeline.gating.negatives import find_negatives  # noqa: PLC0415

        if not (self.negatives or self.held_out or self.masks):
            return None
        if not (self.negatives and self.masks):
            raise PipelineError("Gates need both --negatives and --masks; leave all folders out for a model without.")
        names = [folder.name for folder in (*self.negatives, *self.held_out)]
        if len(set(names)) < len(names):
            raise PipelineError(f"Folders of photos without a lesion must differ in name, not {', '.join(names)}.")
        sources = [find_negatives(folder) for folder in self.negatives]
        for source in sources:
            if not all(source.of_split(split) for split in Split):
                raise PipelineError(f"{source.name} has too few photos to fit, choose and judge by. Give more.")
        held_out = (find_negatives(folder, held_out=True) for folder in self.held_out)
        return GatingPhotos((*sources, *held_out), self.masks)


NO_GATING = GatingFolders()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    gates = parser.add_argument_group("gates, without which no answer is ever called safe")
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


def folders_from(options: Mapping[str, Any]) -> GatingFolders:
    """What was given."""
    return GatingFolders(tuple(options["negatives"]), tuple(options["held_out_negatives"]), options["masks"])
