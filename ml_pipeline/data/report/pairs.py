"""Pairs of files as they stand in the report: both photos, what was compared, and what the ids say."""

from dataclasses import dataclass

from ml_pipeline.data.build import Build
from ml_pipeline.data.deduplicate import Evidence, File, Pair
from ml_pipeline.data.records import SEPARATOR, Record
from ml_pipeline.data.report.photos import COLOUR
from ml_pipeline.data.report.thumbnails import thumbnail
from ml_pipeline.report_page.page import Album, Photo
from ml_pipeline.report_page.words import size_px


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of a build beside its records: `kept` are those with a split, `merged` the quarantined too."""

    build: Build
    kept: dict[str, Record]
    merged: dict[str, Record]

    @classmethod
    def of(cls, build: Build) -> "Pairs":
        return cls(build, {record.image_id: record for record in build.records}, build.merged_records)

    @property
    def compared(self) -> list[Pair]:
        """Those that pixels alone decided."""
        return [
            pair
            for pair in self.build.pairs
            if pair.evidence is Evidence.PIXELS_COMPARED and pair.correlation is not None
        ]

    def ids(self, pair: Pair) -> tuple[str, str]:
        """Both image ids, sorted."""
        left, right = sorted(self.build.files[index].image_id for index in pair.files)
        return left, right

    def are_across(self, pair: Pair) -> bool:
        """Whether the photos are in different splits."""
        left, right = (self.kept.get(image_id) for image_id in self.ids(pair))
        return left is not None and right is not None and left.split is not right.split

    def are_joined(self, pair: Pair) -> bool:
        """Whether the photos are copies by this pair or by any others."""
        left, right = (self.kept.get(image_id) for image_id in self.ids(pair))
        return pair.is_copy or (left is not None and right is not None and left.cluster == right.cluster != "")

    def relation(self, pair: Pair) -> str:
        """What the ids say."""
        left, right = (set(self.merged[image_id].lesion_id.split(SEPARATOR)) - {""} for image_id in self.ids(pair))
        if not left or not right:
            return "lesion not known"
        return "same lesion id" if left & right else "lesion ids differ"

    def album(self, pair: Pair, *, note: str = "") -> Album:
        """Both files, with the windows through which they were compared."""
        views = pair.views or ("", "")
        files = [self.build.files[index] for index in pair.files]
        return Album(tuple(self._photo(file, view) for file, view in zip(files, views, strict=True)), note=note)

    def _photo(self, file: File, view: str) -> Photo:
        small = thumbnail(file.path)
        record = self.kept.get(file.image_id)
        placed = str(record.split) if record else "left out"
        return Photo(
            small.uri,
            file.image_id,
            (f"{self.merged[file.image_id].label}, {placed}", size_px(file.facts.width_px, file.facts.height_px)),
            COLOUR[record.split] if record and record.split else "",
            small.window(view) if view else None,
        )


def how_compared(pair: Pair) -> str:
    """Correlation, hash distance and flip of a pair in words."""
    if pair.correlation is None:
        return "never proposed by the search"
    turned = ", flipped or turned" if pair.orientation else ""
    return f"correlation {pair.correlation:.3f}, {pair.signature_bits} of 256 bits differ{turned}"
