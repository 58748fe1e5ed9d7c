"""The synthetic photos: drawn the same every time, told apart from skin, stored as promised."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from ml_pipeline.synthetic import (
    LESION_CODES,
    SAMPLES,
    Backdrop,
    HamLayout,
    Sample,
    Scene,
    Storage,
    draw,
    draw_document,
    draw_wall,
    golden_inputs,
    write_ham10000,
    write_samples,
)
from ml_pipeline.synthetic.fields import Photo

_SAMPLE_FOLDER = Path(__file__).parents[2] / "sample_images"
_SMALL = {"width_px": 160, "height_px": 120}
_GROUND_TRUTH_TO_CODE = {
    "AK": "akiec",
    "BCC": "bcc",
    "BKL": "bkl",
    "DF": "df",
    "MEL": "mel",
    "NV": "nv",
    "SCC": "scc",
    "VASC": "vasc",
}
_NO_DETAIL_BELOW = 2.0  # grey levels; the server's check rejects photos under it
_CLEAR_DETAIL_OVER = 7.0

each_lesion = pytest.mark.parametrize("lesion", LESION_CODES)
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> HamLayout:
    return write_ham10000(tmp_path_factory.mktemp("download"), lesions_per_class=2, seed=1)


def test_lesion_codes_are_the_eight_classes() -> None:
    assert list(LESION_CODES) == ["akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc"]


@pytest.mark.parametrize("lesion", [*LESION_CODES, None])
def test_draw_same_seed_gives_same_bytes(lesion: str | None) -> None:
    scene = Scene(lesion, hair=3, ruler=True, vignette=True, blur_sigma_px=1.0)
    first, second = draw(scene, **_SMALL, seed=4), draw(scene, **_SMALL, seed=4)
    assert first.tobytes() == second.tobytes()


def test_draw_other_seed_gives_other_photo() -> None:
    scene = Scene("nv")
    assert _difference(draw(scene, **_SMALL, seed=1), draw(scene, **_SMALL, seed=2)) > 1


@pytest.mark.parametrize("side_px", [32, 97, 300])
def test_draw_any_size_gives_rgb_uint8(side_px: int) -> None:
    photo = draw(Scene("mel", hair=2, ruler=True), width_px=side_px + 5, height_px=side_px, seed=1)
    assert photo.shape == (side_px, side_px + 5, 3)
    assert photo.dtype == np.uint8


@each_lesion
def test_draw_lesion_differs_visibly_from_plain_skin(lesion: str) -> None:
    scene = Scene(lesion, skin_tone=0.2)
    photo, skin = draw(scene, **_SMALL, seed=6), draw(Scene(None, skin_tone=0.2), **_SMALL, seed=6)
    distance = np.abs(photo.astype(float) - skin).mean(axis=2)
    assert distance[45:75, 65:95].mean() > 15, "the lesion is not visible"
    assert distance[:10, :10].mean() < 1, "the lesion reaches the corner"


@each_lesion
def test_draw_lesion_differs_from_every_other_class(lesion: str) -> None:
    photo = draw(Scene(lesion), **_SMALL, seed=6)
    others = [draw(Scene(other), **_SMALL, seed=6) for other in LESION_CODES if other != lesion]
    assert min(_difference(photo, other) for other in others) > 2


@pytest.mark.parametrize(
    "changed",
    [
        Scene("nv", hair=8),
        Scene("nv", ruler=True),
        Scene("nv", vignette=True),
        Scene("nv", blur_sigma_px=4.0),
    ],
    ids=["hair", "ruler", "vignette", "blur"],
)
def test_draw_option_changes_photo(changed: Scene) -> None:
    assert _difference(draw(changed, **_SMALL, seed=2), draw(Scene("nv"), **_SMALL, seed=2)) > 0.3


def test_draw_darker_tone_and_exposure_give_darker_photos() -> None:
    means = [
        draw(Scene(None, skin_tone=tone, exposure=gain), **_SMALL, seed=2).mean()
        for tone, gain in [(0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (1.0, 0.4)]
    ]
    assert means == sorted(means, reverse=True)


def test_draw_shift_moves_lesion_right_and_down() -> None:
    skin = draw(Scene(None), **_SMALL, seed=2)
    photo = draw(Scene("nv", lesion_scale=0.3, shift_x=0.3, shift_y=0.2), **_SMALL, seed=2)
    rows, columns = np.nonzero(np.abs(photo.astype(float) - skin).mean(axis=2) > 20)
    assert (columns.mean(), rows.mean()) == pytest.approx((80 + 36, 60 + 24), abs=4)


def test_scene_unknown_lesion_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"wart.*akiec, bcc"):
        Scene("wart")


@pytest.mark.parametrize("draw_backdrop", [draw_wall, draw_document])
def test_backdrop_same_seed_gives_same_bytes(draw_backdrop: Callable[..., Photo]) -> None:
    first, second = (draw_backdrop(width_px=120, height_px=90, seed=3) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert first.shape == (90, 120, 3)
    assert first.dtype == np.uint8


@pytest.mark.parametrize("seed", range(5))
def test_draw_wall_any_seed_shows_no_detail(seed: int) -> None:
    assert _grey_deviation(draw_wall(width_px=600, height_px=450, seed=seed)) < _NO_DETAIL_BELOW


def test_golden_inputs_same_seed_give_same_bytes() -> None:
    first, second = (golden_inputs(count=10, size_px=64, seed=5) for _ in range(2))
    assert first.shape == (10, 64, 64, 3)
    assert first.dtype == np.uint8
    assert first.tobytes() == second.tobytes()


def test_golden_inputs_larger_count_keeps_the_first_photos() -> None:
    few, many = (golden_inputs(count=count, size_px=48, seed=5) for count in (3, 6))
    np.testing.assert_array_equal(few, many[:3])


def test_golden_inputs_are_all_different() -> None:
    photos = golden_inputs(count=18, size_px=48, seed=5)
    assert len({photo.tobytes() for photo in photos}) == 18


@each_sample
def test_committed_sample_equals_what_the_generator_draws(sample: Sample) -> None:
    assert _difference(_read_upright(_SAMPLE_FOLDER / sample.file), sample.draw()) < 3


@each_sample
def test_committed_sample_contrast_is_on_its_side_of_the_bound(sample: Sample) -> None:
    deviation = _grey_deviation(_read_upright(_SAMPLE_FOLDER / sample.file))
    if sample.scene is Backdrop.WALL:
        assert deviation < _NO_DETAIL_BELOW
        assert tuple(sample.expected.statuses) == ("rejected",)
    else:
        assert deviation > _CLEAR_DETAIL_OVER


def test_committed_samples_answers_equal_what_the_generator_writes(tmp_path: Path) -> None:
    write_samples(tmp_path)
    assert (tmp_path / "expected.json").read_bytes() == (_SAMPLE_FOLDER / "expected.json").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} | {"README.md"} == {
        path.name for path in _SAMPLE_FOLDER.iterdir()
    }


def test_committed_samples_stay_small() -> None:
    assert sum(path.stat().st_size for path in _SAMPLE_FOLDER.iterdir()) < 1_500_000


def test_committed_answers_never_call_what_looks_malignant_safe_or_name_a_diagnosis() -> None:
    answers = json.loads((_SAMPLE_FOLDER / "expected.json").read_text(encoding="utf-8"))
    assert [answer["file"] for answer in answers] == [sample.file for sample in SAMPLES]
    for answer in answers:
        expected = answer["expected"]
        looks_malignant = answer["scene"].get("lesion") in {"akiec", "bcc", "mel", "scc"}
        assert expected["is_safe"] is (False if looks_malignant or expected["statuses"] == ["rejected"] else None)
        assert expected["http_status"] == 200
        assert expected["is_safe"] is None or "Low" not in expected["severities"]
        assert not {"label", "lesion", "diagnosis"} & set(expected)


def test_samples_cover_every_lesion_look() -> None:
    assert {sample.scene.lesion for sample in SAMPLES if isinstance(sample.scene, Scene)} == set(LESION_CODES)


def test_sample_with_orientation_6_lies_rotated_and_shows_upright() -> None:
    sample = next(sample for sample in SAMPLES if sample.storage is Storage.JPEG_ORIENTATION_6)
    with Image.open(_SAMPLE_FOLDER / sample.file) as image:
        assert image.getexif()[0x0112] == 6
        assert image.size == (sample.height_px, sample.width_px)
        upright = np.asarray(ImageOps.exif_transpose(image))
    assert _difference(upright, sample.draw()) < 3


def test_write_ham10000_same_seed_writes_same_bytes(layout: HamLayout, tmp_path: Path) -> None:
    write_ham10000(tmp_path, lesions_per_class=2, seed=1)
    root = layout.metadata_csv.parents[1]
    files = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    assert len(files) == 8 * 2 * 2 + 2
    for file in files:
        assert (root / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_write_ham10000_lays_files_out_like_the_download(layout: HamLayout) -> None:
    root = layout.metadata_csv.parents[1]
    assert {path.relative_to(root).as_posix() for path in root.glob("*/*")} == {
        "HAM10000/HAM10000_images_part_1",
        "HAM10000/HAM10000_images_part_2",
        "HAM10000/HAM10000_metadata.csv",
        "ISIC2019/ISIC_2019_Training_GroundTruth.csv",
    }


def test_write_ham10000_every_row_has_one_readable_photo(layout: HamLayout) -> None:
    photos = [*layout.images_part_1.iterdir(), *layout.images_part_2.iterdir()]
    assert sorted(path.stem for path in photos) == sorted(row["image_id"] for row in _rows(layout.metadata_csv))
    assert len(list(layout.images_part_1.iterdir())) == len(photos) // 2
    for path in photos:
        assert _read_upright(path).shape == (150, 200, 3)


def test_write_ham10000_header_and_values_are_those_of_the_download(layout: HamLayout) -> None:
    rows = _rows(layout.metadata_csv)
    assert ",".join(rows[0]) == "lesion_id,image_id,dx,dx_type,age,sex,localization"
    assert ",".join(_rows(layout.ground_truth_csv)[0]) == "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
    assert {row["dx"] for row in rows} == {"akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"}
    assert min(int(row["image_id"].removeprefix("ISIC_")) for row in rows) == 9_000_001
    assert all(row["age"] == "" or 0 < float(row["age"]) < 100 for row in rows)


def test_write_ham10000_ground_truth_agrees_with_metadata(layout: HamLayout) -> None:
    truth = {row["image"]: _true_code(row) for row in _rows(layout.ground_truth_csv)}
    rows = _rows(layout.metadata_csv)
    assert Counter(truth.values()) == dict.fromkeys(LESION_CODES, 4)
    for row in rows:
        code = truth[row["image_id"]]
        assert row["dx"] == ("akiec" if code == "scc" else code)


def test_write_ham10000_photos_of_one_lesion_share_facts_but_differ(layout: HamLayout) -> None:
    rows = _rows(layout.metadata_csv)
    facts = {(row["lesion_id"], row["dx"], row["dx_type"], row["age"], row["sex"]) for row in rows}
    assert Counter(row["lesion_id"] for row in rows) == dict.fromkeys({fact[0] for fact in facts}, 2)
    assert len(facts) == 8 * 2
    photos = [*layout.images_part_1.iterdir(), *layout.images_part_2.iterdir()]
    assert len({path.read_bytes() for path in photos}) == len(photos)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _true_code(row: dict[str, str]) -> str:
    (column,) = [column for column in row if column != "image" and float(row[column]) == 1.0]
    return _GROUND_TRUTH_TO_CODE[column]


def _read_upright(path: Path) -> Photo:
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def _difference(first: Photo, second: Photo) -> float:
    """Mean absolute difference in grey levels of 255."""
    assert first.shape == second.shape
    return float(np.abs(first.astype(float) - second.astype(float)).mean())


def _grey_deviation(photo: Photo) -> float:
    """Standard deviation of the grey levels once the short side is about 200 px."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    scale = 200 / min(grey.shape)
    return float(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).std())
