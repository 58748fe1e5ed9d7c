"""`explain` with the shipped model on drawn photos, as a person would call it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_models.artefact import KERAS_MODEL, file_digest
from ml_models.preprocess import InputSpec, preprocess
from ml_models.shipped import SHIPPED_MODEL
from ml_pipeline.__main__ import main
from ml_pipeline.data.records import Split, write_records
from ml_pipeline.synthetic import Scene, draw
from tests.ml_pipeline.conftest import make_record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six drawn photos, a table with all of them in validation, and masks of their middle."""
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "photos").mkdir()
    (folder / "masks").mkdir()
    middle = np.zeros((150, 200), np.uint8)
    middle[40:110, 60:140] = 255
    records = []
    for number in range(6):
        name, path = f"photo-{number}", folder / "photos" / f"photo-{number}.png"
        rgb = draw(Scene(lesion="nv"), width_px=200, height_px=150, seed=number)
        cv2.imwrite(str(path), rgb[..., ::-1])
        cv2.imwrite(str(folder / "masks" / f"{name}.png"), middle)
        digest = file_digest(path)
        records.append(make_record(name, path=str(path), sha256=digest, group=name, split=Split.VALIDATION))
    write_records(records, folder / "records.csv")
    return folder


def _arguments(place: Path, *more: str) -> list[str]:
    shared = ["--model", str(SHIPPED_MODEL), "--records", str(place / "records.csv"), "--masks", str(place / "masks")]
    return ["explain", *shared, *more]


def test_explain_of_another_table_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(_arguments(place)) == 3
    assert "not those that the model was trained on" in capsys.readouterr().err


def test_explain_of_photos_from_elsewhere_says_so_and_prints_every_kind_of_map(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_arguments(place, "--images", str(place / "photos"), "--limit", "4", "--networks", "2")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "not the model's" in lines[0]
    assert any(line.startswith("4 photos of 4 lesions") for line in lines)
    for kind in ("model", "blob in the centre", "random weights", "model less blob in the centre"):
        assert sum(line.startswith(f"| {kind} |") for line in lines) == 1
    assert lines[-1].count(",") == 1  # two networks


@pytest.mark.parametrize("option", ["--limit", "--networks"])
def test_explain_of_no_photos_or_networks_is_one_line(
    place: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_arguments(place, option, "0")) == 2
    assert f"{option} 0 is less than 1" in capsys.readouterr().err


def test_random_maps_differ_by_network_and_not_by_run() -> None:
    from ml_pipeline.evaluation.random_weights import random_maps

    inputs = np.stack(
        [preprocess(draw(Scene(lesion="nv"), width_px=200, height_px=150, seed=n), InputSpec(192)) for n in range(2)]
    )
    maps = random_maps(SHIPPED_MODEL / KERAS_MODEL, inputs, [0, 5], networks=2)
    assert maps.shape == (2, 2, 6, 6)
    assert maps.max() == 1
    assert not np.allclose(maps[0], maps[1], atol=0.05)
    np.testing.assert_allclose(
        random_maps(SHIPPED_MODEL / KERAS_MODEL, inputs, [0, 5], networks=1), maps[:1], atol=1e-4
    )
