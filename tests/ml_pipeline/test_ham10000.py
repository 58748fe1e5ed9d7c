"""The HAM10000 adapter, on drawn photos and, where they are, the real ones."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from ml_pipeline.data.sources.ham10000 import read_ham10000
from ml_pipeline.errors import SourceError
from ml_pipeline.synthetic import HamLayout


@pytest.fixture
def own_layout(tmp_path: Path, tiny_layout: HamLayout) -> tuple[Path, Path]:
    """A copy to damage: the data set's folder and the ground truth."""
    root = tiny_layout.metadata_csv.parent.parent
    shutil.copytree(root, tmp_path / "copy")
    truth = tmp_path / "copy" / tiny_layout.ground_truth_csv.relative_to(root)
    return tmp_path / "copy" / "HAM10000", truth


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_read_ham10000_splits_akiec_by_image_id(tiny_layout: HamLayout) -> None:
    records = read_ham10000(tiny_layout.metadata_csv.parent, tiny_layout.ground_truth_csv)
    counts = Counter(record.label for record in records)
    assert counts == dict.fromkeys(("akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc"), 16)


def test_read_ham10000_is_sorted_by_id(tiny_layout: HamLayout) -> None:
    records = read_ham10000(tiny_layout.metadata_csv.parent, tiny_layout.ground_truth_csv)
    assert [r.image_id for r in records] == sorted(r.image_id for r in records)


def test_read_ham10000_repeated_id_is_refused(own_layout: tuple[Path, Path]) -> None:
    folder, truth = own_layout
    metadata = folder / "HAM10000_metadata.csv"
    lines = metadata.read_text(encoding="utf-8").splitlines()
    metadata.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match=rf"row {len(lines) + 1}.*twice.*10,015"):
        read_ham10000(folder, truth)


def test_read_ham10000_missing_photo_is_refused(own_layout: tuple[Path, Path]) -> None:
    folder, truth = own_layout
    photo = next(folder.glob("HAM10000_images_part_2/*.jpg"))
    photo.unlink()
    with pytest.raises(SourceError, match=rf"{photo.stem}.*no such JPEG"):
        read_ham10000(folder, truth)


def test_read_ham10000_id_without_truth_is_refused(own_layout: tuple[Path, Path]) -> None:
    folder, truth = own_layout
    lines = truth.read_text(encoding="utf-8").splitlines()
    truth.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match="complete ground truth"):
        read_ham10000(folder, truth)


def test_read_ham10000_contradicting_labels_are_refused(own_layout: tuple[Path, Path]) -> None:
    folder, truth = own_layout
    _replace(folder / "HAM10000_metadata.csv", ",bcc,", ",nv,")
    with pytest.raises(SourceError, match="HAM10000 says nv, ISIC 2019 says bcc"):
        read_ham10000(folder, truth)


def test_read_ham10000_row_with_two_classes_is_refused(own_layout: tuple[Path, Path]) -> None:
    folder, truth = own_layout
    _replace(truth, "0.0,1.0", "1.0,1.0")
    with pytest.raises(SourceError, match="exactly one class"):
        read_ham10000(folder, truth)


def test_read_ham10000_no_metadata_says_where_to_point(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\n", encoding="utf-8")
    with pytest.raises(SourceError, match="--ham10000"):
        read_ham10000(tmp_path, tmp_path / "truth.csv")


@pytest.mark.shared_data
def test_read_ham10000_real_download_has_the_known_counts(shared_data: Path) -> None:
    records = read_ham10000(shared_data / "HAM10000", shared_data / "ISIC2019" / "ISIC_2019_Training_GroundTruth.csv")
    counts = Counter(record.label for record in records)
    assert counts == {
        "akiec": 130, "bcc": 514, "bkl": 1099, "df": 115, "mel": 1113, "nv": 6705, "scc": 197, "vasc": 142
    }  # fmt: skip
    assert len({record.lesion_id for record in records}) == 7470
