"""`dataset.json`: what went in and came out, the same for equal builds, and without this machine in it."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml_models.classification import Modality
from ml_pipeline.data.build import Build, BuildOptions, build
from ml_pipeline.data.records import Split, records_digest
from ml_pipeline.data.sources import folders, ham10000, isic2019
from ml_pipeline.data.sources.source import Reading
from ml_pipeline.data.split import SplitPlan
from ml_pipeline.data.summary import summarise, wrongly_joined
from ml_pipeline.progress import silence
from tests.ml_pipeline.data.conftest import Photo, SmallDownloads, encoded

OPTIONS = BuildOptions(plan=SplitPlan(seed=5), labelled_pairs=0)


@pytest.fixture(scope="module")
def whole(downloads: SmallDownloads, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """HAM10000 and a folder that holds two of its photos turned, under other names."""
    folder = tmp_path_factory.mktemp("summary")
    reading = ham10000.read(downloads.ham10000)
    nevi = [record for record in reading.records if record.label == "nv"][:2]
    own = folder / "own" / "nevus"
    own.mkdir(parents=True)
    for number, record in enumerate(nevi):
        turned = np.ascontiguousarray(np.rot90(np.asarray(Image.open(record.path))))
        (own / f"{number}.png").write_bytes(encoded(turned, "PNG"))
    readings = [
        reading,
        isic2019.read_labels(downloads.isic2019 / "ISIC_2019_Training_GroundTruth.csv"),
        folders.read("own", folder / "own", modality=Modality.CLINICAL),
    ]
    return build(readings, OPTIONS, cache=folder / "cache.sqlite3", progress=silence)


def test_summarise_is_json_and_back(whole: Build) -> None:
    summary = summarise(whole)
    assert json.loads(json.dumps(summary)) == summary


def test_summarise_counts_every_record_once_by_split_label_source_and_modality(whole: Build) -> None:
    summary = summarise(whole)
    assert summary["records"] == len(whole.records) == 82
    assert summary["records_sha256"] == records_digest(whole.records)
    assert sum(summary["counts"]["split"].values()) == 82
    for by in ("label", "modality"):
        assert sum(sum(splits.values()) for splits in summary["counts"][by].values()) == 82
        for splits in summary["counts"][by].values():
            assert set(splits) == {str(split) for split in Split}
    assert sum(summary["counts"]["source"]["own"].values()) == 2
    assert summary["counts"]["modality"]["clinical"] == summary["counts"]["source"]["own"]
    for source, splits in summary["counts"]["source"].items():  # a photo counts for every source that holds it
        assert sum(splits.values()) == sum(source in record.sources.split(";") for record in whole.records)


def test_summarise_names_every_table_by_its_digest(whole: Build, downloads: SmallDownloads) -> None:
    metadata = downloads.ham10000 / "HAM10000_metadata.csv"
    digest = hashlib.sha256(metadata.read_bytes()).hexdigest()
    ham = summarise(whole)["sources"]["HAM10000"]
    assert ham["tables"] == {"HAM10000_metadata.csv": digest}
    assert (ham["listed"], ham["missing"], ham["not_listed"]) == (80, 0, 0)
    assert "CC BY-NC 4.0" in ham["licences"][0]
    assert summarise(whole)["sources"]["ISIC2019"]["missing"] == 0  # labels alone miss no photo


def test_summarise_counts_copies_by_evidence_and_clusters(whole: Build) -> None:
    copies = summarise(whole)["copies"]
    assert copies["pairs"] == {"pixels compared": sum(pair.is_copy for pair in whole.pairs)}
    assert copies["candidates_that_are_no_copies"] == sum(not pair.is_copy for pair in whole.pairs)
    assert copies["clusters"] == len({record.cluster for record in whole.records} - {""})
    of_folder = [record for record in whole.records if record.source == "own"]
    assert all(record.cluster.startswith("ISIC_") for record in of_folder)


def test_wrongly_joined_photos_without_lesion_id_are_no_wrong_join(whole: Build) -> None:
    assert wrongly_joined(whole) == []
    copies = summarise(whole)["copies"]
    assert copies["pairs_of_different_lesion_ids"] == copies["lesions_joined_under_different_ids"] == 0


def test_wrongly_joined_are_copies_of_different_known_lesions(
    tmp_path: Path, downloads: SmallDownloads, lesions: Sequence[Photo]
) -> None:
    folder = shutil.copytree(downloads.ham10000, tmp_path / "HAM10000")
    reading = ham10000.read(Path(folder))
    one, other = next(
        (a, b)
        for a in reading.records
        for b in reading.records
        if a.label == b.label == "nv" and a.lesion_id < b.lesion_id
    )
    Path(one.path).write_bytes(encoded(lesions[0]))
    Path(other.path).write_bytes(encoded(np.ascontiguousarray(np.rot90(lesions[0], 2)), quality=70))
    readings = [reading, isic2019.read_labels(downloads.isic2019 / "ISIC_2019_Training_GroundTruth.csv")]
    result = build(readings, OPTIONS, cache=tmp_path / "cache.sqlite3", progress=silence)
    [pair] = wrongly_joined(result)
    assert {result.files[index].image_id for index in pair.files} == {one.image_id, other.image_id}
    copies = summarise(result)["copies"]
    assert copies["pairs_of_different_lesion_ids"] == 1
    assert copies["lesions_joined_under_different_ids"] == 2


def test_summarise_digest_of_photos_is_that_of_ids_and_bytes(whole: Build) -> None:
    lines = sorted(f"{file.image_id} {file.facts.sha256}" for file in whole.files)
    assert summarise(whole)["photos_sha256"] == hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_summarise_holds_options_and_versions_but_nothing_of_this_machine(whole: Build) -> None:
    summary = summarise(whole)
    assert summary["options"]["plan"] == {"validation": 0.15, "test": 0.15, "seed": 5, "held_out_source": ""}
    assert summary["options"]["limits"]["closeness"] == {"key_bits": 8, "signature_bits": 80}
    assert {"workers", "previous"}.isdisjoint(summary["options"])
    assert {"python", "facts", "match", "numpy", "opencv-python-headless"} <= set(summary["versions"])
    assert str(Path(whole.files[0].path).parent) not in json.dumps(summary)


def test_summarise_naive_splits_leak_what_ours_does_not(whole: Build) -> None:
    leak = summarise(whole)["naive_split_would_leak"]
    assert leak["by image"]["leaked"] > leak["by image"]["test"] / 2  # every lesion has two photos
    assert leak["by lesion id"]["test"] > 0


def test_summarise_reading_without_records_is_counted_too(whole: Build) -> None:
    result = dataclasses.replace(whole, readings=(*whole.readings, Reading("none", ())))
    assert summarise(result)["sources"]["none"]["listed"] == 0
