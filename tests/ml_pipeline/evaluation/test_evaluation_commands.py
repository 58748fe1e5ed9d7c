"""`evaluate` and `compare` with the shipped model on drawn photos, as a person would call them."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from ml_models.artefact import file_digest
from ml_models.labels import CODES
from ml_models.shipped import SHIPPED_MODEL
from ml_pipeline.__main__ import main
from ml_pipeline.synthetic import Scene, draw
from ml_pipeline.synthetic.tiny_cases import write_photo

WRITTEN = {"metrics.json", "predictions.csv", "report.html"} | {
    f"{name}{domain}.png"
    for name in ("confusion", "roc", "reliability", "errors")
    for domain in ("", "-clinical", "-dermatoscopic")
}
AS_SERVED = "as served while the modality is unknown"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments that name a folder of sixteen drawn photos of eight lesions, half of them clinical."""
    place = tmp_path_factory.mktemp("drawn")
    rows = ["image,label,lesion_id,modality,sex"]
    for number, code in enumerate(CODES):
        for view, modality in enumerate(("clinical", "dermatoscopic")):
            name = f"{code}-{view}.jpg"
            write_photo(place / "photos" / name, draw(Scene(lesion=code), width_px=120, height_px=90, seed=number))
            rows.append(f"{name},{code},{number},{modality},female")
    (place / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return ["--images", str(place / "photos"), "--labels", str(place / "labels.csv"), "--workers", "2"]


@pytest.fixture(scope="module")
def evaluated(photos: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an evaluation wrote."""
    out = tmp_path_factory.mktemp("out")
    assert main(["evaluate", "--model", str(SHIPPED_MODEL), *photos, "--out", str(out)]) == 0
    return out


def test_evaluate_writes_every_file_and_each_domain(evaluated: Path) -> None:
    assert {path.name for path in evaluated.iterdir()} == WRITTEN
    document = json.loads((evaluated / "metrics.json").read_text(encoding="utf-8"))
    assert [domain["name"] for domain in document["domains"]] == ["all", "clinical", "dermatoscopic"]
    assert document["domains"][0]["lesions"] == 8
    with (evaluated / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert all(sum(float(row[f"p_{code}"]) for code in CODES) == pytest.approx(1) for row in rows)


def test_evaluate_report_embeds_everything_and_says_where_photos_come_from(evaluated: Path) -> None:
    page = (evaluated / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "Photos from elsewhere" in page
    assert "too few" in page
    assert page.count("data:image/png") == 2 * 9  # three plots of three domains, for light and dark pages
    assert str(evaluated.parent) not in page


def test_evaluate_again_gives_equal_bytes(evaluated: Path, photos: list[str], tmp_path: Path) -> None:
    assert main(["evaluate", "--model", str(SHIPPED_MODEL), *photos, "--out", str(tmp_path)]) == 0
    for name in WRITTEN:
        assert (tmp_path / name).read_bytes() == (evaluated / name).read_bytes(), name


def test_evaluate_prints_domains_as_columns(photos: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", str(SHIPPED_MODEL), *photos]) == 0
    lines = capsys.readouterr().out.splitlines()
    head = next(line for line in lines if "clinical" in line)
    assert head.split("  ")[-1].strip() == "dermatoscopic (8 photos, 8 lesions)"
    assert len(re.findall(r"\[", next(line for line in lines if line.startswith("balanced_accuracy ")))) == 3


def test_evaluate_json_is_what_the_file_holds(
    evaluated: Path, photos: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--model", str(SHIPPED_MODEL), *photos, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((evaluated / "metrics.json").read_text(encoding="utf-8"))
    assert printed.items() <= written.items()


def test_evaluate_shows_what_is_served_while_the_modality_is_unknown_where_it_differs(
    photos: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Path(shutil.copytree(SHIPPED_MODEL, tmp_path / "model"))
    document = json.loads((model / "model.json").read_text(encoding="utf-8"))
    own = document["calibrations"]["dermatoscopic"]
    document |= {"calibrations": {"dermatoscopic": own, "clinical": own}, "malignancy_thresholds": {}}
    for effects in document["patient_effects"].values():
        effects.clear()
    with np.load(model / "golden.npz") as golden:
        arrays = dict(golden)
    kept = arrays["modalities"] == "dermatoscopic"
    np.savez(model / "golden.npz", **{name: each if name == "codes" else each[kept] for name, each in arrays.items()})
    document["files"]["golden.npz"] = file_digest(model / "golden.npz")
    (model / "model.json").write_text(json.dumps(document), encoding="utf-8")
    assert main(["evaluate", "--model", str(model), *photos]) == 0
    assert AS_SERVED not in capsys.readouterr().out
    bias = {code: 100.0 * (code == "nv") for code in CODES}
    document["calibrations"]["clinical"] = {"temperature": 0.5, "bias": bias}
    (model / "model.json").write_text(json.dumps(document), encoding="utf-8")
    assert main(["evaluate", "--model", str(model), *photos, "--json"]) == 0
    (rival,) = json.loads(capsys.readouterr().out)["rivals"]
    assert rival["name"] == AS_SERVED
    assert rival["gains"]["clinical"]["balanced_accuracy"]["difference"]["value"] != 0
    assert rival["gains"]["dermatoscopic"]["balanced_accuracy"]["difference"]["value"] == 0


def test_compare_of_a_folder_with_its_model_is_no_difference(
    evaluated: Path, photos: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["compare", str(evaluated), str(SHIPPED_MODEL), *photos, "--out", str(tmp_path)]
    assert main([*arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    for domain in printed["domains"]:
        assert domain["agreement"]["only_first"] == domain["agreement"]["only_second"] == 0
        assert domain["gains"]["balanced_accuracy"]["difference"]["value"] == 0


def test_compare_of_two_folders_needs_no_photos(evaluated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(evaluated), str(evaluated)]) == 0
    assert "draws in which B is not better" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Give either --records CSV or both"),
        (["--images", "x"], "Give either --records CSV or both"),
        (["--records", "x", "--images", "y", "--labels", "z"], "Give either --records CSV or both"),
        (["--images", "x", "--labels", "y", "--split", "test"], "--split and --all-sources go with --records"),
        (["--images", "x", "--labels", "y", "--workers", "0"], "--workers 0"),
        (["--images", "x", "--labels", "y", "--backbone-weights", "none"], "linear probe needs the splits"),
        (["--records", "x", "--split", "train", "--backbone-weights", "none"], "linear probe needs the splits"),
        (["--images", "x", "--labels", "none.csv"], "No file none.csv"),
        (["--records", "none.csv"], "No records file"),
    ],
    ids=["nothing", "half", "both", "split", "workers", "probe", "probe of training", "no labels", "no records"],
)
def test_evaluate_of_options_that_do_not_go_together_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--model", str(SHIPPED_MODEL), *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error


def test_compare_without_models_or_folders_says_what_to_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 2
    assert "no finished folder" in capsys.readouterr().err
    assert main(["compare", str(SHIPPED_MODEL), str(SHIPPED_MODEL)]) == 2
    assert "Give either --records" in capsys.readouterr().err
