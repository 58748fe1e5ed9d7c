"""What the classes look like, source by source and split by split."""

from collections import Counter, defaultdict

from ml_pipeline.data.build import Build
from ml_pipeline.data.records import Record, Split
from ml_pipeline.data.report.balance import LEGEND
from ml_pipeline.data.report.photos import chosen, photo, sources_of
from ml_pipeline.report_page.page import Album, Albums, Section, Text
from ml_pipeline.report_page.words import count, number_of

_TILES, _MOST_PER_SPLIT, _MOST_ALBUMS = 500, 3, 150


def montage(build: Build) -> Section:
    """A few photos of every class from each source and split, of different groups."""
    sizes = Counter((record.label, sources_of(record)) for record in build.records)
    largest = sorted(sizes, key=lambda key: (-sizes[key], key))
    members: dict[tuple[str, str, Split | None], dict[str, Record]] = defaultdict(dict)
    for record in build.records:
        members[record.label, sources_of(record), record.split].setdefault(record.group, record)
    shown = sorted(largest[:_MOST_ALBUMS])
    per_split = max(1, min(_MOST_PER_SPLIT, _TILES // (len(Split) * len(shown))))
    albums = []
    for label, sources in shown:
        photos = [
            photo(record)
            for split in Split
            for record in chosen(
                members[label, sources, split].values(),
                per_split,
                seed=build.options.plan.seed,
                purpose=f"{label} {sources} {split}",
            )
        ]
        note = f"{sources}, {number_of(sizes[label, sources], 'photo')}"
        albums.append(Album(tuple(photos), title=label, note=note))
    more = len(sizes) - len(shown)
    left_over = f" {count(more)} smaller sets of one class and source are not shown." if more else ""
    see = (
        "Photos drawn by the seed, each of another group. Look for classes that differ in sharpness, framing, rulers "
        f"or ink rather than in the lesion: a model will use that.{left_over}"
    )
    return Section(
        "montage", "What the classes look like", (Text(see, "see"), LEGEND, Albums(tuple(albums), large=True))
    )
