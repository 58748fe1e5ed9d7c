"""What a model has seen of a test: every bond, copies on pixels, and photos that are gone."""

from pathlib import Path

import cv2
import pytest

from ml_models.artefact import file_digest
from ml_pipeline.data.records import Record
from ml_pipeline.progress import silence
from ml_pipeline.promotion.leakage import Leak, copies_among, gone, leaks
from ml_pipeline.synthetic import Scene, draw
from ml_pipeline.synthetic.tiny_cases import write_photo
from tests.ml_pipeline.conftest import make_record


def _photo(path: Path, *, seed: int, **changes: object) -> Record:
    write_photo(path, draw(Scene(lesion="mel", hair=6), width_px=300, height_px=225, seed=seed))
    return make_record(path.stem, path=str(path), sha256=file_digest(path), **changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"image_id": "tested"}, "the same photo"),
        ({"sha256": "digest-tested"}, "the same file"),
        ({"lesion_id": "other;lesion-tested"}, "the same lesion"),
        ({"patient_id": "P1"}, "the same patient"),
    ],
    ids=["id", "bytes", "lesion", "patient"],
)
def test_leaks_finds_every_bond(changes: dict[str, str], why: str) -> None:
    tested = make_record("tested", patient_id="P1")
    seen = make_record(changes.pop("image_id", "seen"), **{"lesion_id": "own", "sha256": "own", **changes})
    assert leaks([tested], [seen], ()) == (Leak("tested", seen.image_id, why),)


def test_leaks_of_strangers_and_of_unknown_people_are_none() -> None:
    assert not leaks([make_record("a")], [make_record("b")], [("b", "c")])


def test_leaks_finds_a_copy_under_another_name(tmp_path: Path) -> None:
    tested, other = _photo(tmp_path / "tested.jpg", seed=1), _photo(tmp_path / "other.jpg", seed=2)
    again = tmp_path / "again.jpg"
    picture = cv2.resize(cv2.imread(tested.path), None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    again.write_bytes(cv2.imencode(".jpg", picture[:, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    copy = make_record("again", path=str(again), sha256=file_digest(again))
    pairs = copies_among([tested, other, copy], cache=tmp_path / "cache.sqlite3", workers=1, progress=silence)
    assert leaks([tested], [other, copy], pairs) == (Leak("tested", "again", "copies of one photograph"),)


def test_copies_among_passes_over_photos_that_are_gone(tmp_path: Path) -> None:
    there, away = _photo(tmp_path / "there.jpg", seed=1), make_record("away")
    assert gone([there, away]) == 1
    assert not copies_among([there, away], cache=tmp_path / "cache.sqlite3", workers=1, progress=silence)
