"""Every rung of the ladder of identity, on drawn photos."""

import csv
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ml_pipeline.data import deduplicate
from ml_pipeline.data.cache import Cache
from ml_pipeline.data.changes import CHANGES, Change, cropped, in_turn, recoloured, recompressed, resized
from ml_pipeline.data.deduplicate import Evidence, File, Limits, Pair, clusters, find_copies, write_duplicates
from ml_pipeline.data.fingerprint import VIEWS
from ml_pipeline.data.verify import FileFacts, FileStatus
from ml_pipeline.progress import silence
from ml_pipeline.synthetic import LESION_CODES, Scene, draw
from tests.ml_pipeline.data.conftest import Photo, copies_of, encoded, write_file


def judged(pairs: Sequence[Pair], files: Sequence[File]) -> dict[tuple[str, str], tuple[Evidence, bool]]:
    return {(files[pair.left].image_id, files[pair.right].image_id): (pair.evidence, pair.is_copy) for pair in pairs}


def joined(pairs: Sequence[Pair]) -> list[tuple[int, int]]:
    return [pair.files for pair in pairs if pair.is_copy]


def test_find_copies_identical_bytes_under_two_ids_are_the_same_file(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    files = [
        write_file(tmp_path, "a", encoded(lesions[0])),
        write_file(tmp_path, "b", encoded(lesions[0])),
        write_file(tmp_path, "c", encoded(lesions[1])),
    ]
    [pair] = copies_of(files, tmp_path)
    assert pair == Pair(0, 1, Evidence.SAME_FILE, is_copy=True)


def test_find_copies_other_metadata_is_the_same_pixels(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    files = [
        write_file(tmp_path, "a", encoded(lesions[0])),
        write_file(tmp_path, "b", encoded(lesions[0], exif=exif)),
    ]
    [pair] = copies_of(files, tmp_path)
    assert pair == Pair(0, 1, Evidence.SAME_PIXELS, is_copy=True)


def test_find_copies_a_lossless_twin_of_a_jpeg_is_the_same_pixels(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    jpeg = write_file(tmp_path, "a", encoded(lesions[0]))
    with Image.open(jpeg.path) as image:
        twin = encoded(np.asarray(image), "PNG")
    files = [jpeg, write_file(tmp_path, "b", twin, suffix=".png")]
    assert judged(copies_of(files, tmp_path), files) == {("a", "b"): (Evidence.SAME_PIXELS, True)}


CHANGED: dict[str, Change] = {
    **{name: change for name, change in CHANGES.items() if not name.startswith(("turned", "crop 0.", "black", "cap"))},
    "crop 0.9, centred": CHANGES["crop 0.9, centred"],
    "crop 0.8, centred": CHANGES["crop 0.8, centred"],
    "small, cropped and recoloured": in_turn(cropped(0.95), resized(0.6), recoloured, recompressed(60)),
    **{
        f"orientation {turn}": (
            lambda photo, _rng, turn=turn: np.ascontiguousarray(
                (photo.swapaxes(0, 1) if turn & 4 else photo)[:: -1 if turn & 2 else 1, :: -1 if turn & 1 else 1]
            )
        )
        for turn in range(1, 8)
    },
}


@pytest.mark.parametrize("change", CHANGED)
def test_find_copies_joins_changed_copies_and_nothing_else(
    tmp_path: Path, lesions: Sequence[Photo], change: str
) -> None:
    rng = np.random.default_rng(0)
    photos = lesions[:4]
    files = [write_file(tmp_path, f"a{number}", encoded(photo)) for number, photo in enumerate(photos)]
    files += [
        write_file(tmp_path, f"b{number}", encoded(CHANGED[change](photo, rng), quality=85))
        for number, photo in enumerate(photos)
    ]
    pairs = copies_of(files, tmp_path)
    assert joined(pairs) == [(number, number + 4) for number in range(4)]
    for pair in pairs:
        assert pair.evidence is Evidence.PIXELS_COMPARED
        assert pair.correlation is not None
        assert pair.is_copy == (pair.correlation >= Limits().correlation)
        assert pair.views is not None
        assert set(pair.views) <= set(VIEWS)


@pytest.mark.parametrize("code", LESION_CODES)
def test_find_copies_lesions_of_one_class_are_not_joined(tmp_path: Path, code: str) -> None:
    """Alike in size, place, skin and light; only the seed differs."""
    photos = [draw(Scene(lesion=code, hair=3), width_px=200, height_px=150, seed=seed) for seed in range(6)]
    files = [write_file(tmp_path, f"{number}", encoded(photo)) for number, photo in enumerate(photos)]
    assert joined(copies_of(files, tmp_path)) == []


def test_find_copies_same_id_is_joined_whatever_the_pixels_say(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    files = [
        write_file(tmp_path, "a", encoded(lesions[0])),
        write_file(tmp_path, "a", encoded(lesions[1])),
        write_file(tmp_path, "c", encoded(lesions[2])),
        write_file(tmp_path, "c", encoded(resized(0.5)(lesions[2], np.random.default_rng(0)))),
    ]
    unlike, alike = copies_of(files, tmp_path)
    assert (unlike.files, unlike.evidence, unlike.is_copy, unlike.correlation) == ((0, 1), Evidence.SAME_ID, True, None)
    assert (alike.files, alike.evidence, alike.is_copy) == ((2, 3), Evidence.SAME_ID, True)
    assert alike.correlation is not None  # what the search without ids finds stays beside the decision
    assert alike.correlation >= Limits().correlation
    assert alike.key_bits is not None


def test_find_copies_many_identical_placeholders_are_no_square_of_pairs(
    tmp_path: Path, lesions: Sequence[Photo]
) -> None:
    placeholder = write_file(tmp_path, "0", encoded(lesions[0]))
    other_packing = write_file(tmp_path, "z", encoded(np.asarray(Image.open(placeholder.path)), "PNG"), suffix=".png")
    files = [File(f"{number:03d}", placeholder.path, placeholder.facts) for number in range(200)]
    pairs = copies_of([*files, other_packing, write_file(tmp_path, "x", encoded(lesions[1]))], tmp_path)
    assert [pair.files for pair in pairs] == [(0, number) for number in range(1, 201)]
    assert {pair.evidence for pair in pairs[:-1]} == {Evidence.SAME_FILE}
    assert pairs[-1].evidence is Evidence.SAME_PIXELS


def test_find_copies_stands_in_for_all_identical_files(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    """The one compared speaks for the others: a copy of it is in their cluster too."""
    small = CHANGES["resized to half"](lesions[0], np.random.default_rng(0))
    files = [
        write_file(tmp_path, "a", encoded(lesions[0])),
        write_file(tmp_path, "b", encoded(lesions[0])),
        write_file(tmp_path, "c", encoded(small)),
        write_file(tmp_path, "d", encoded(small)),
        write_file(tmp_path, "e", encoded(lesions[5])),
    ]
    pairs = copies_of(files, tmp_path)
    assert joined(pairs) == [(0, 1), (0, 2), (2, 3)]
    assert clusters(("abcd"[left], "abcd"[right]) for left, right in joined(pairs)) == dict.fromkeys("abcd", "a")


@pytest.mark.parametrize("count", [0, 1])
def test_find_copies_without_a_pair_is_empty(tmp_path: Path, lesions: Sequence[Photo], count: int) -> None:
    files = [write_file(tmp_path, "a", encoded(lesions[0]))][:count]
    assert copies_of(files, tmp_path) == []


def test_find_copies_by_two_processes_is_the_same(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    rng = np.random.default_rng(0)
    files = [write_file(tmp_path, f"a{number}", encoded(photo)) for number, photo in enumerate(lesions[:6])]
    files += [
        write_file(tmp_path, f"b{number}", encoded(cropped(0.9)(photo, rng)))
        for number, photo in enumerate(lesions[:6])
    ]
    one, two = tmp_path / "one", tmp_path / "two"
    assert copies_of(files, one) == copies_of(files, two, workers=2)


def test_find_copies_second_run_compares_nothing(
    tmp_path: Path, lesions: Sequence[Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    compare = deduplicate._compare
    monkeypatch.setattr(deduplicate, "_compare", lambda each: compared.append(each) or compare(each))
    files = [
        write_file(tmp_path, "a", encoded(lesions[0])),
        write_file(tmp_path, "b", encoded(lesions[0], quality=50)),
    ]
    first = copies_of(files, tmp_path)
    assert len(compared) == 1
    assert copies_of(files, tmp_path) == first
    assert len(compared) == 1


def test_find_copies_killed_between_comparisons_goes_on(
    tmp_path: Path, lesions: Sequence[Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [
        write_file(tmp_path, f"{number} at {quality}", encoded(photo, quality=quality))
        for number, photo in enumerate(lesions[:5])
        for quality in (90, 60)
    ]
    expected = copies_of(files, tmp_path / "whole")
    compared = []
    compare = deduplicate._compare

    def until_the_third(comparison):
        if len(compared) == 3:
            raise KeyboardInterrupt
        compared.append(comparison)
        return compare(comparison)

    with monkeypatch.context() as patch:
        patch.setattr(deduplicate, "_compare", until_the_third)
        with pytest.raises(KeyboardInterrupt):
            copies_of(files, tmp_path)
    again = []
    monkeypatch.setattr(deduplicate, "_compare", lambda each: again.append(each) or compare(each))
    assert copies_of(files, tmp_path) == expected
    assert not {each.name for each in again} & {each.name for each in compared}


def test_find_copies_a_lower_limit_joins_no_less(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    rng = np.random.default_rng(0)
    changes = [CHANGES[name] for name in ("JPEG quality 10", "crop 0.9, anywhere")]
    files = [write_file(tmp_path, f"{number}", encoded(photo)) for number, photo in enumerate(lesions[:4])]
    files += [
        write_file(tmp_path, f"{number} {which}", encoded(change(photo, rng)))
        for number, photo in enumerate(lesions[:4])
        for which, change in enumerate(changes)
    ]
    strict, loose = (set(joined(copies_of(files, tmp_path, limits=Limits(correlation=at)))) for at in (0.97, 0.6))
    assert strict < loose


def file_named(image_id: str) -> File:
    return File(image_id, Path(f"{image_id}.jpg"), FileFacts(image_id, FileStatus.OK))


@given(
    st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg")), max_size=12),
)
def test_clusters_are_the_components_of_the_links(links: list[tuple[str, str]]) -> None:
    component = {image_id: {image_id} for image_id in "abcdefg"}
    for one, other in links:
        for image_id in (together := component[one] | component[other]):
            component[image_id] = together
    expected = {image_id: min(members) for image_id, members in component.items() if len(members) > 1}
    assert clusters(links) == expected


def test_clusters_of_a_chain_are_one() -> None:
    assert clusters([("d", "c"), ("c", "b"), ("b", "a")]) == dict.fromkeys("abcd", "a")


def test_write_duplicates_lists_every_pair_with_its_decision(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    files = [
        write_file(tmp_path, "a", encoded(lesions[0])),
        write_file(tmp_path, "b", encoded(lesions[0])),
        write_file(tmp_path, "c", encoded(lesions[0], quality=40)),
        write_file(tmp_path, "d, with a comma", encoded(lesions[1])),
        write_file(tmp_path, "d, with a comma", encoded(lesions[1], quality=50)),
    ]
    pairs = copies_of(files, tmp_path)
    pairs = [*pairs, Pair(1, 3, Evidence.PIXELS_COMPARED, False, 0.12345678, 7, 61, 5, ("frame", "square 0.9"))]
    lesion_of = {"a": "L1", "b": "L1", "c": "", "d, with a comma": "L2"}
    write_duplicates(tmp_path / "one.csv", files, pairs, lesion_of.__getitem__)
    write_duplicates(tmp_path / "two.csv", files, pairs, lesion_of.__getitem__)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    with (tmp_path / "one.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["left_image"], row["right_image"], row["evidence"], row["decision"]) for row in rows] == [
        ("a", "b", "same file", "copy"),
        ("a", "c", "pixels compared", "copy"),
        ("d, with a comma", "d, with a comma", "same id", "copy"),
        ("b", "d, with a comma", "pixels compared", "not a copy"),
    ]
    last = rows[-1]
    assert (last["correlation"], last["key_bits"], last["signature_bits"]) == ("0.1235", "7", "61")
    assert (last["orientation"], last["left_view"], last["right_view"]) == ("5", "frame", "square 0.9")
    assert (last["left_lesion"], last["right_lesion"]) == ("L1", "L2")
    assert (last["left_path"], last["right_path"]) == (str(files[1].path), str(files[3].path))
    assert rows[0]["correlation"] == rows[0]["key_bits"] == rows[0]["left_view"] == ""


def ids_hidden(ids: Sequence[str], folder: Path, suffix: str) -> dict[str, Path]:
    found = {path.stem.removesuffix("_downsampled"): path for path in sorted(folder.rglob(f"ISIC_*{suffix}"))}
    return {image_id: found[image_id] for image_id in ids if image_id in found}


def real_files(paths: Sequence[Path], tmp_path: Path) -> list[File]:
    """Under numbers instead of ids, so that only the pixels tell."""
    from ml_pipeline.data.survey import survey

    facts = survey(map(str, paths), cache=tmp_path / "facts.sqlite3", workers=1, progress=silence)
    return [File(f"{number:05d}", path, facts[str(path)]) for number, path in enumerate(paths)]


def lesions_of(shared_data: Path) -> dict[str, str]:
    with (shared_data / "HAM10000" / "HAM10000_metadata.csv").open(newline="", encoding="utf-8") as file:
        return {row["image_id"]: row["lesion_id"] for row in csv.DictReader(file)}


@pytest.mark.shared_data
def test_find_copies_same_ids_of_two_real_data_sets_are_found_with_ids_hidden(
    shared_data: Path, tmp_path: Path
) -> None:
    lesion = lesions_of(shared_data)
    theirs = ids_hidden(sorted(lesion), shared_data / "ISIC2019", ".jpg")
    first_of_lesion = {lesion[image_id]: image_id for image_id in sorted(theirs, reverse=True)}
    every = sorted(first_of_lesion.values())
    chosen = every[:: len(every) // 200][:200]
    ours = ids_hidden(chosen, shared_data / "HAM10000", ".jpg")
    paths = [*(ours[image_id] for image_id in chosen), *(theirs[image_id] for image_id in chosen)]
    pairs = set(joined(copies_of(real_files(paths, tmp_path), tmp_path)))
    true = {(number, number + 200) for number in range(200)}
    assert len(pairs & true) / len(true) >= 0.98
    assert pairs <= true


@pytest.mark.shared_data
def test_find_copies_one_real_lesion_under_two_ids_is_found(shared_data: Path, tmp_path: Path) -> None:
    lesion = lesions_of(shared_data)
    chosen = sorted(image_id for image_id in lesion if lesion[image_id] in ("HAM_0003332", "HAM_0007069"))
    files = real_files(list(ids_hidden(chosen, shared_data / "HAM10000", ".jpg").values()), tmp_path)
    found = {
        frozenset(lesion[chosen[index]] for index in pair.files): pair.orientation
        for pair in copies_of(files, tmp_path)
        if pair.is_copy
    }
    assert found.get(frozenset(("HAM_0003332", "HAM_0007069"))) not in (None, 0)


@pytest.mark.shared_data
def test_find_copies_ordinary_photos_and_hands_are_not_joined_to_lesions(shared_data: Path, tmp_path: Path) -> None:
    lesions = sorted((shared_data / "HAM10000").rglob("ISIC_*.jpg"))[::100]
    others = [
        path
        for folder in ("ordinary_photos", "hands")
        for path in itertools.islice(
            sorted(p for p in (shared_data / folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg")), 60
        )
    ]
    files = [file for file in real_files([*lesions, *others], tmp_path) if file.facts.status is FileStatus.OK]
    own = {file.image_id for file in files if Path(file.path) in set(lesions)}
    crossing = [
        pair
        for pair in copies_of(files, tmp_path)
        if pair.is_copy and (files[pair.left].image_id in own) != (files[pair.right].image_id in own)
    ]
    assert crossing == []
    assert len(files) - len(own) > 60


def test_find_copies_unlike_sizes_of_the_same_bytes_digest_are_different_pixels(
    tmp_path: Path, lesions: Sequence[Photo]
) -> None:
    """The digest is over rows of pixels: the same values in other rows must not count as the same picture."""
    values = np.random.default_rng(0).integers(0, 256, 200 * 100 * 3, np.uint8)
    files = [
        write_file(tmp_path, "a", encoded(values.reshape(100, 200, 3), "PNG"), suffix=".png"),
        write_file(tmp_path, "b", encoded(values.reshape(200, 100, 3), "PNG"), suffix=".png"),
    ]
    assert files[0].facts.pixel_digest == files[1].facts.pixel_digest
    assert joined(copies_of(files, tmp_path)) == []


def test_find_copies_a_closed_cache_is_left_to_its_owner(tmp_path: Path, lesions: Sequence[Photo]) -> None:
    cache = Cache(tmp_path / "cache.sqlite3")
    files = [write_file(tmp_path, "a", encoded(lesions[0])), write_file(tmp_path, "b", encoded(lesions[0], quality=50))]
    find_copies(files, limits=Limits(), workers=1, cache=cache, progress=silence)
    assert cache.facts("nothing") is None  # still open
    cache.close()
