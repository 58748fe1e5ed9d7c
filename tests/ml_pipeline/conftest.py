"""A tiny data set drawn and built once, and records with plain values."""

import dataclasses
from pathlib import Path

import pytest

from ml_models.classification import Modality
from ml_models.labels import CATALOGUE
from ml_pipeline.data.build import BuildOptions, build
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources import ham10000, isic2019, pad_ufes
from ml_pipeline.data.split import SplitPlan
from ml_pipeline.export import ExportReport, export
from ml_pipeline.progress import silence
from ml_pipeline.synthetic import HamLayout, write_ham10000, write_pad_ufes
from ml_pipeline.training.recipes import recipe_named
from ml_pipeline.training.run_folder import TrainedModel
from ml_pipeline.training.train import train


@pytest.fixture(scope="session")
def tiny_layout(tmp_path_factory: pytest.TempPathFactory) -> HamLayout:
    """Drawn photos laid out as a HAM10000 download."""
    return write_ham10000(tmp_path_factory.mktemp("tiny"), lesions_per_class=8, images_per_lesion=2, seed=1)


@pytest.fixture(scope="session")
def tiny_records(tiny_layout: HamLayout, tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, ...]:
    """The same as a build makes of it: akiec and scc told apart by id, grouped and split."""
    readings = [ham10000.read(tiny_layout.metadata_csv.parent), isic2019.read_labels(tiny_layout.ground_truth_csv)]
    options = BuildOptions(plan=SplitPlan(seed=1), labelled_pairs=0)
    cache = tmp_path_factory.mktemp("cache") / "cache.sqlite3"
    return build(readings, options, cache=cache, progress=silence).records


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, tiny_records: tuple[Record, ...]) -> tuple[Path, TrainedModel]:
    """A finished run of the tiny recipe: its folder, its model."""
    out = tmp_path_factory.mktemp("run")
    return out, train(tiny_records, recipe_named("tiny"), labels=CATALOGUE, out=out, backbone_weights=None)


@pytest.fixture(scope="session")
def two_domains(tiny_layout: HamLayout, tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, ...]:
    """Dermatoscopic and clinical photos in one table."""
    downloads = tmp_path_factory.mktemp("pad")
    readings = [
        ham10000.read(tiny_layout.metadata_csv.parent),
        isic2019.read_labels(tiny_layout.ground_truth_csv),
        pad_ufes.read(write_pad_ufes(downloads, lesions_per_class=8, seed=4)),
    ]
    options = BuildOptions(plan=SplitPlan(seed=1), labelled_pairs=0)
    return build(readings, options, cache=downloads / "cache.sqlite3", progress=silence).records


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, two_domains: tuple[Record, ...]) -> TrainedModel:
    """A finished run on both domains."""
    return train(
        two_domains, recipe_named("tiny"), labels=CATALOGUE, out=tmp_path_factory.mktemp("run"), backbone_weights=None
    )


@pytest.fixture(scope="session")
def exported(
    tmp_path_factory: pytest.TempPathFactory, trained: TrainedModel, two_domains: tuple[Record, ...]
) -> ExportReport:
    """Its artefact."""
    return export(
        trained,
        two_domains,
        model_version="0.0.1",
        created_at="2026-01-01T00:00:00+00:00",
        out=tmp_path_factory.mktemp("models") / "tiny",
    )


def make_record(image_id: str, **changes: object) -> Record:
    """One record with plain values; lesion and bytes are its own."""
    plain = Record(
        source="TEST",
        image_id=image_id,
        path=str(Path("photos") / f"{image_id}.jpg"),
        label="nv",
        lesion_id=f"lesion-{image_id}",
        patient_id="",
        modality=Modality.DERMATOSCOPIC,
        diagnosis_method="histopathology",
        age_years=None,
        sex="",
        site="",
        fitzpatrick_type=None,
        licence="CC BY-NC 4.0",
        sources="TEST",
        width_px=200,
        height_px=150,
        sha256=f"digest-{image_id}",
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]
