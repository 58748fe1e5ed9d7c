"""The report of builds: complete, honest, self-contained, and the same for the same build."""

import base64
import dataclasses
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_models.classification import Modality
from ml_pipeline.data.build import Build, BuildOptions, build
from ml_pipeline.data.deduplicate import Evidence, Pair
from ml_pipeline.data.labelled_pairs import AtThreshold, Measured, Recall
from ml_pipeline.data.quarantine import Kind
from ml_pipeline.data.records import Record, Split, write_records
from ml_pipeline.data.report import write_report
from ml_pipeline.data.report.photos import chosen, components
from ml_pipeline.data.report.plots import log_histogram
from ml_pipeline.data.sources import folders, ham10000, isic2019, pad_ufes
from ml_pipeline.data.split import SplitPlan
from ml_pipeline.data.summary import summarise
from ml_pipeline.errors import LeakageError
from ml_pipeline.progress import silence
from ml_pipeline.report_page.words import count, listed, percent
from tests.ml_pipeline.data.conftest import Photo, SmallDownloads, encoded

HOSTILE = "<script>alert(1)</script>\"'&$\\frac{"
NOT_FOUND = "never proposed by the search"
ROOT = Path(__file__).resolve().parents[3]


@dataclasses.dataclass
class Page(HTMLParser):
    """The tags, their attributes and the visible text of an HTML file."""

    source: str = ""
    tags: list[tuple[str, dict[str, str | None]]] = dataclasses.field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data if not self.tags or self.tags[-1][0] != "style" else ""

    def attributes(self, *names: str) -> list[str]:
        return [value for _, attrs in self.tags for name, value in attrs.items() if name in names and value]

    def photos_named(self, name: str) -> list[str]:
        return [attrs["src"] or "" for tag, attrs in self.tags if tag == "img" and attrs.get("alt") == name]


def reported(made: Build, folder: Path) -> Page:
    """The report of a build, read again."""
    path = folder / "report.html"
    write_report(made, summarise(made), path)
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def whole(downloads: SmallDownloads, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Four sources, with an empty file and a photo that lies in the folders of two classes."""
    folder = tmp_path_factory.mktemp("report")
    own = shutil.copytree(downloads.class_folders, folder / "own")
    (own / "Melanoma" / "broken.jpg").write_bytes(b"")
    shutil.copy(own / "Melanoma" / "001.jpg", own / "nevus" / "twin.jpg")
    readings = [
        ham10000.read(downloads.ham10000),
        isic2019.read(downloads.isic2019),
        pad_ufes.read(downloads.pad_ufes),
        folders.read("own", own, modality=Modality.CLINICAL),
    ]
    options = BuildOptions(plan=SplitPlan(validation=0.25, test=0.25), labelled_pairs=3)  # four lesions of a class
    return build(readings, options, cache=folder / "cache.sqlite3", progress=silence)


@pytest.fixture(scope="module")
def page(whole: Build, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return reported(whole, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def plain_page(plain: Build, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return reported(plain, tmp_path_factory.mktemp("plain_page"))


@pytest.fixture(scope="module")
def plain(lesions: Sequence[Photo], tmp_path_factory: pytest.TempPathFactory) -> Build:
    """One class in one folder, nothing joined, nothing left out, nothing measured."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "nevus").mkdir()
    for number, photo in enumerate(lesions[:6]):
        (folder / "nevus" / f"{number}.jpg").write_bytes(encoded(photo))
    readings = [folders.read("own", folder, modality=Modality.CLINICAL)]
    made = build(readings, BuildOptions(labelled_pairs=0), cache=folder / "cache.sqlite3", progress=silence)
    assert not [pair for pair in made.pairs if pair.is_copy]
    return dataclasses.replace(made, pairs=())


def changed(made: Build, change: Callable[[Record], Record]) -> Build:
    """The build with every record changed; files and quarantine follow the new ids and labels."""
    merged = [change(record) for record in made.merged.records]
    new_id = {old.image_id: new.image_id for old, new in zip(made.merged.records, merged, strict=True)}
    return dataclasses.replace(
        made,
        records=tuple(change(record) for record in made.records),
        merged=dataclasses.replace(
            made.merged,
            records=tuple(merged),
            files=tuple(dataclasses.replace(file, image_id=new_id[file.image_id]) for file in made.files),
        ),
    )


def with_pair(made: Build, pair: Pair) -> Build:
    return dataclasses.replace(made, pairs=(*made.pairs, pair))


def files_of(made: Build, wanted: Callable[[Record, Record], bool]) -> tuple[int, int]:
    """The first two files whose records are as wanted and that are no pair yet."""
    records = {record.image_id: record for record in made.records}
    paired = {pair.files for pair in made.pairs}
    known = [(index, records[file.image_id]) for index, file in enumerate(made.files) if file.image_id in records]
    return next(
        (left, right)
        for left, one in known
        for right, other in known
        if left < right and (left, right) not in paired and wanted(one, other)
    )


def test_write_report_writes_one_file(plain: Build, tmp_path: Path) -> None:
    reported(plain, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_write_report_needs_no_script_and_no_network(page: Page) -> None:
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert all(uri.startswith("data:image/") for uri in page.attributes("src", "srcset"))
    assert all(target.startswith("#") for target in page.attributes("href"))
    assert "url(" not in page.source
    assert "@import" not in page.source


def test_write_report_links_lead_to_sections(page: Page) -> None:
    links = page.attributes("href")
    assert len(links) > 8
    assert {link.removeprefix("#") for link in links} == set(page.attributes("id"))


def test_write_report_every_image_is_described_and_decodes(page: Page) -> None:
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert all(attrs["alt"] for attrs in images)
    jpegs = [attrs["src"] or "" for attrs in images if (attrs["src"] or "").startswith("data:image/jpeg")]
    assert len(jpegs) > 20
    for uri in jpegs:
        decoded = cv2.imdecode(np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        assert max(decoded.shape[:2]) <= 120


def test_write_report_the_same_build_gives_the_same_bytes_in_other_processes(whole: Build, tmp_path: Path) -> None:
    (tmp_path / "build.pickle").write_bytes(pickle.dumps(whole))
    code = (
        "import pickle, sys; from pathlib import Path; from ml_pipeline.data.report import write_report; "
        "from ml_pipeline.data.summary import summarise; "
        "made = pickle.loads(Path(sys.argv[1]).read_bytes()); write_report(made, summarise(made), Path(sys.argv[2]))"
    )
    written = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.html"
        command = [sys.executable, "-c", code, str(tmp_path / "build.pickle"), str(out)]
        subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed})
        written.append(out.read_bytes())
    assert written[0] == written[1]


def test_write_report_number_of_workers_changes_nothing(plain: Build, plain_page: Page, tmp_path: Path) -> None:
    other = dataclasses.replace(plain, options=dataclasses.replace(plain.options, workers=7))
    assert reported(other, tmp_path).source == plain_page.source


def test_write_report_shows_the_numbers_of_the_summary(whole: Build, page: Page) -> None:
    summary, text = summarise(whole), page.text
    naive = summary["naive_split_would_leak"]["by image"]
    assert naive["leaked"] > 0
    assert f"{naive['leaked']} of {naive['test']} ({percent(naive['leaked'], naive['test'])}) test photos" in text
    assert f"in {summary['copies']['clusters']} cluster" in text
    digests = [summary["records_sha256"], summary["photos_sha256"]]
    digests += [digest for reading in summary["sources"].values() for digest in reading["tables"].values()]
    assert all(digest in text for digest in digests)


def test_write_report_names_every_class_and_source(whole: Build, page: Page) -> None:
    for record in whole.records:
        assert record.label in page.text
        assert " + ".join(record.sources.split(";")) in page.text


def test_write_report_hostile_text_stays_text(whole: Build, page: Page, tmp_path: Path) -> None:
    hostile = changed(
        whole,
        lambda record: dataclasses.replace(
            record,
            label=f"{HOSTILE}{record.label}",
            image_id=f"{HOSTILE}{record.image_id}",
            lesion_id=record.lesion_id and f"{HOSTILE}{record.lesion_id}",
            site=HOSTILE,
            licence=HOSTILE,
        ),
    )
    quarantined = [
        dataclasses.replace(entry, source=HOSTILE, image_id=HOSTILE, label=HOSTILE, reason=HOSTILE)
        for entry in whole.quarantined
    ]
    readings = [dataclasses.replace(reading, source=f"{HOSTILE}{reading.source}") for reading in whole.readings]
    hostile = dataclasses.replace(hostile, quarantined=tuple(quarantined), readings=tuple(readings))
    attacked = reported(hostile, tmp_path)
    assert HOSTILE in attacked.text
    assert {tag for tag, _ in attacked.tags} == {tag for tag, _ in page.tags}
    assert {name for _, attrs in attacked.tags for name in attrs} == {name for _, attrs in page.tags for name in attrs}


def test_write_report_of_one_class_without_copies_or_losses_renders(plain_page: Page) -> None:
    text = plain_page.text
    assert "All photos are of one class, nv." in text
    assert "Nothing was left out." in text
    assert "Labelled pairs were not measured" in text
    assert "No two files share bytes, pixels or an id" in text
    assert "Beside the previous build" not in text


def test_write_report_refuses_a_build_that_leaks(whole: Build, tmp_path: Path) -> None:
    torn = next(r for r in whole.records if sum(r.lesion_id == other.lesion_id for other in whole.records) > 1)
    other_split = next(split for split in Split if split is not torn.split)
    records = tuple(dataclasses.replace(r, split=other_split) if r is torn else r for r in whole.records)
    leaking = dataclasses.replace(whole, records=records)
    with pytest.raises(LeakageError, match=re.escape(torn.image_id)):
        write_report(leaking, summarise(leaking), tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_write_report_shows_conflicting_labels_side_by_side(whole: Build, page: Page) -> None:
    conflicting = [entry for entry in whole.quarantined if entry.kind is Kind.CONFLICTING_LABELS]
    assert {"own/Melanoma/001", "own/nevus/twin"} <= {entry.image_id for entry in conflicting}
    assert page.photos_named("own/Melanoma/001")[0] == page.photos_named("own/nevus/twin")[0]


def test_write_report_a_file_that_cannot_be_decoded_stands_with_its_reason(whole: Build, page: Page) -> None:
    [empty] = [entry for entry in whole.quarantined if entry.kind is Kind.EMPTY]
    assert "cannot be decoded" in page.text
    assert empty.reason in page.text
    assert not page.photos_named(empty.image_id)


def test_write_report_shows_lesions_joined_under_two_ids(whole: Build, page: Page, tmp_path: Path) -> None:
    def wanted(one: Record, other: Record) -> bool:
        return one.split is other.split and "" != one.lesion_id != other.lesion_id != ""

    left, right = files_of(whole, wanted)
    pair = Pair(left, right, Evidence.PIXELS_COMPARED, True, 0.7123, 5, 41, 3, ("frame", "square 0.8"))
    after = reported(with_pair(whole, pair), tmp_path)
    for index in (left, right):
        image_id = whole.files[index].image_id
        assert len(after.photos_named(image_id)) > len(page.photos_named(image_id))
        assert whole.merged_records[image_id].lesion_id in after.text
    assert "correlation 0.712, 41 of 256 bits differ, flipped or turned" in after.text


def test_write_report_counts_pairs_that_nearly_joined_two_splits(whole: Build, page: Page, tmp_path: Path) -> None:
    left, right = files_of(whole, lambda one, other: one.split is not other.split)
    pair = Pair(left, right, Evidence.PIXELS_COMPARED, False, 0.6999, 5, 41, 0, ("frame", "frame"))
    before = re.search(r"(\d+) pairs? of photos in different splits", page.text)
    after = re.search(r"(\d+) pairs? of photos in different splits", reported(with_pair(whole, pair), tmp_path).text)
    assert before is not None
    assert after is not None
    assert int(after[1]) == int(before[1]) + 1


def test_write_report_shows_copies_that_only_the_id_told(whole: Build, page: Page, tmp_path: Path) -> None:
    missed = next(p for p in whole.pairs if p.evidence is Evidence.SAME_ID and p.correlation is not None)
    unseen = dataclasses.replace(missed, correlation=None, signature_bits=None, views=None)
    pairs = tuple(unseen if pair is missed else pair for pair in whole.pairs)
    after = reported(dataclasses.replace(whole, pairs=pairs), tmp_path)
    assert after.text.count(NOT_FOUND) == page.text.count(NOT_FOUND) + 1
    image_id = whole.files[missed.left].image_id
    assert len(after.photos_named(image_id)) == len(page.photos_named(image_id)) + 2


def test_write_report_marks_what_the_search_does_badly(plain: Build, tmp_path: Path) -> None:
    measured = Measured(
        pictures=200,
        recalls=(
            Recall("easy", 200, {2: 180, 4: 190, 6: 200, 8: 200}, joined=200),
            Recall("hopeless", 200, {2: 0, 4: 1, 6: 2, 8: 3}, joined=1),
        ),
        wrongly_joined=7,
        thresholds=(AtThreshold(0.5, 0.6, 9, 0.97), AtThreshold(0.7, 0.5025, 7, 0.9663)),
    )
    after = reported(dataclasses.replace(plain, measured=measured), tmp_path)
    rows = re.findall(r'<tr( class="\w+")?>\s*<td class="name">(\w+)</td>', after.source)
    marks = {name: mark for mark, name in rows}
    assert "weak" in marks["hopeless"]
    assert "weak" not in marks["easy"]
    assert f"worst hopeless {percent(1, 200)}" in after.text
    assert "7 pairs of different groups joined" in after.text
    assert percent(0.5025, 1) in after.text


def test_write_report_compares_with_the_previous_build(plain: Build, tmp_path: Path) -> None:
    gone = dataclasses.replace(plain.records[0], image_id="own/gone", group="own/gone", sha256="0" * 64)
    write_records([*plain.records[1:], gone], tmp_path / "previous.csv")
    options = dataclasses.replace(plain.options, previous=tmp_path / "previous.csv")
    made = build(plain.readings, options, cache=tmp_path / "cache.sqlite3", progress=silence)
    text = reported(made, tmp_path).text
    known = len(plain.records)
    assert f"{known - 1} of {known} ({percent(known - 1, known)}) photos of the previous table are in the split" in text
    assert "0 are in another, and 1 are not in this build" in text


def test_write_report_says_when_little_is_known(plain_page: Page) -> None:
    text = plain_page.text
    assert "No photo has a known skin type" in text
    assert "No age is known." in text
    assert "6 of 6 (100.0" in text.partition("have neither a lesion nor a patient id")[0][-40:]


def test_chosen_depends_on_seed_and_purpose_only() -> None:
    items = list(range(100))
    assert chosen(items, 5, seed=1, purpose="a") == chosen(items, 5, seed=1, purpose="a")
    assert chosen(items, 5, seed=1, purpose="a") != chosen(items, 5, seed=2, purpose="a")
    assert chosen(items, 5, seed=1, purpose="a") != chosen(items, 5, seed=1, purpose="b")
    assert chosen(items, 200, seed=1, purpose="a") == items


def test_components_follow_chains() -> None:
    links = [("a", "b"), ("d", "e"), ("c", "b"), ("f", "c")]
    assert components(links) == [["a", "b", "c", "f"], ["d", "e"]]


def test_plots_differ_by_theme_and_repeat_by_numbers() -> None:
    one, again = (log_histogram([100, 200, 200], title="x", unit="px", limits=(100, 200)) for _ in range(2))
    other = log_histogram([100, 100, 200], title="x", unit="px", limits=(100, 200))
    assert one == again
    assert one.light != other.light
    assert one.light != one.dark


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 10, "0.0\u202f%"),
        (10, 10, "100.0\u202f%"),
        (9999, 10_000, "> 99.9\u202f%"),
        (1, 10_000, "< 0.1\u202f%"),
        (1, 3, "33.3\u202f%"),
        (0, 0, "\N{EN DASH}"),
    ],
)
def test_percent_is_never_better_than_the_truth(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said


def test_count_separates_thousands_thinly() -> None:
    assert count(1_234_567) == "1\u202f234\u202f567"


@pytest.mark.parametrize(
    ("names", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c", "d"], "a, b and 2 more")]
)
def test_listed_counts_what_it_leaves_out(names: list[str], said: str) -> None:
    assert listed(names, most=2) == said
