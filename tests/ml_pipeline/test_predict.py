"""`predict` on the command line: the answer that the server would give, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml_models.classifier import Classifier
from ml_models.image_io import PhotoLimits, read_photo
from ml_pipeline.__main__ import main


@pytest.fixture
def photo(tmp_path: Path, lesion_jpeg: bytes) -> Path:
    path = tmp_path / "mole.jpg"
    path.write_bytes(lesion_jpeg)
    return path


@pytest.fixture
def wall(tmp_path: Path) -> Path:
    path = tmp_path / "wall.png"
    Image.fromarray(np.full((300, 400, 3), 190, np.uint8)).save(path)
    return path


def test_predict_prints_what_the_classifier_answers(
    photo: Path, shipped_classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    size_px = shipped_classifier.document.input.size_px
    rgb = read_photo(photo.read_bytes(), model_input_px=size_px, limits=PhotoLimits()).rgb
    decision = shipped_classifier.classify(rgb).decision
    assert main(["predict", str(photo)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{photo}: {decision.label} {decision.confidence_percent:.1f} %, {decision.status}, ")
    assert f"malignant {100 * (decision.malignancy.probability or 0):.1f} %" in line
    assert line.endswith(f": {decision.diagnosis}")


def test_predict_json_holds_the_whole_answer(
    photo: Path, wall: Path, shipped_classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(photo), str(wall), "--json"]) == 0
    answer, rejected = json.loads(capsys.readouterr().out)
    assert answer["photo"] == str(photo)
    assert set(answer["probabilities"]) == {label.code for label in shipped_classifier.document.labels}
    assert answer["model"]["digest"] == shipped_classifier.identity.digest
    assert {"label", "diagnosis", "confidence_percent", "status", "severity", "advice", "malignancy"} <= set(answer)
    assert (rejected["status"], rejected["label"], rejected["probabilities"]) == ("rejected", None, None)


def test_predict_rejected_photo_says_why(wall: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(wall)]) == 0
    assert capsys.readouterr().out == (
        f"{wall}: rejected: The photo shows too little detail: it is blank, covered, faint or very small.\n"
    )


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["text", "json"])
def test_predict_unreadable_photos_do_not_stop_the_others(
    arguments: list[str], photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    paths = [tmp_path / "bad.jpg", photo, tmp_path / "absent.jpg", tmp_path]
    assert main(["predict", *map(str, paths), *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out.count(str(photo)) == 1
    complaints = [line for line in printed.err.splitlines() if line.startswith("error: ")]
    assert [complaint.split(":")[1].strip() for complaint in complaints[:3]] == [str(paths[n]) for n in (0, 2, 3)]
    assert complaints[3] == "error: 3 of 4 photos could not be read; the reasons stand above."


def test_predict_model_that_is_none_ends_with_2(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(photo), "--model", str(tmp_path / "nowhere")]) == 2
    assert "No model at" in capsys.readouterr().err


def test_predict_heatmap_is_the_upright_photo_under_colours(
    tmp_path: Path, lesion_rgb: NDArray[np.uint8], photo: Path
) -> None:
    large = Image.fromarray(lesion_rgb).resize((1600, 1200))
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    large.save(photo, quality=90, exif=exif)
    out = tmp_path / "new" / "map.png"
    assert main(["predict", str(photo), "--heatmap", str(out)]) == 0
    with Image.open(out) as drawn:
        width, height = drawn.width, round(drawn.width * 4 / 3)
        assert drawn.format == "PNG"
        assert height < drawn.height <= 1024  # the legend's strip is below
        plain = large.rotate(-90, expand=True).resize((width, height))
        assert np.abs(np.asarray(drawn, np.float32)[:height] - np.asarray(plain, np.float32)).mean() > 10


def test_predict_heatmap_of_several_photos_is_a_folder(
    photo: Path, wall: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(photo), str(wall), "--heatmap", str(tmp_path / "maps")]) == 0
    assert [path.name for path in (tmp_path / "maps").iterdir()] == ["mole.png"]
    assert f"{wall}: no class activation map" in capsys.readouterr().err


def test_predict_heatmap_into_a_folder_that_exists_is_named_after_the_photo(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "maps.d").mkdir()
    assert main(["predict", str(photo), "--heatmap", str(tmp_path / "maps.d")]) == 0
    assert (tmp_path / "maps.d" / "mole.png").is_file()


@pytest.mark.parametrize(
    ("images", "out", "complaint"),
    [
        (["mole.jpg", "wall.png"], "map.png", "there are 2 photos. Give a folder"),
        (["mole.jpg"], "map.jpg", "are PNG files"),
        (["mole.jpg", "deep/mole.png"], "maps", "share a name"),
        (["wall.png"], "wall.png", "would overwrite a photo"),
        (["wall.png"], ".", "would overwrite a photo"),
    ],
    ids=["several into a file", "no PNG", "equal names", "the photo itself", "the photo's folder"],
)
def test_predict_heatmap_that_cannot_be_is_refused_before_any_photo_is_read(
    *, images: list[str], out: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", *(str(tmp_path / name) for name in images), "--heatmap", str(tmp_path / out)]) == 2
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert printed.out == ""


def test_predict_heatmap_that_cannot_be_written_ends_with_2(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["predict", str(photo), "--heatmap", str(tmp_path / "file" / "map.png")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_predict_loads_no_training_package(photo: Path) -> None:
    program = (
        "import sys; from ml_pipeline.__main__ import main\n"
        f"assert main(['predict', {str(photo)!r}, '--heatmap', {str(photo.with_name('map.png'))!r}]) == 0\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert "cv2" in loaded
    assert not loaded & {"tensorflow", "keras", "sklearn", "scipy", "matplotlib", "django", "tqdm", "jinja2"}
