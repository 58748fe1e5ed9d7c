"""A tiny data set drawn once, and a tiny model trained on it once."""

import dataclasses
from pathlib import Path

import pytest

from ml_models.classification import Modality
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.ham10000 import read_ham10000
from ml_pipeline.data.split import SplitShares, split_records
from ml_pipeline.synthetic import HamLayout, write_ham10000


@pytest.fixture(scope="session")
def tiny_layout(tmp_path_factory: pytest.TempPathFactory) -> HamLayout:
    """Drawn photos laid out as a HAM10000 download."""
    return write_ham10000(tmp_path_factory.mktemp("tiny"), lesions_per_class=8, images_per_lesion=2, seed=1)


@pytest.fixture(scope="session")
def tiny_records(tiny_layout: HamLayout) -> tuple[Record, ...]:
    """The same as split records."""
    folder = tiny_layout.metadata_csv.parent
    return split_records(read_ham10000(folder, tiny_layout.ground_truth_csv), shares=SplitShares(), seed=1)


def make_record(image_id: str, **changes: object) -> Record:
    """One record with plain values."""
    plain = Record(
        source="TEST",
        image_id=image_id,
        path=str(Path("photos") / f"{image_id}.jpg"),
        label="nv",
        lesion_id=f"lesion-{image_id}",
        modality=Modality.DERMATOSCOPIC,
        diagnosis_method="histo",
        age_years=None,
        sex=None,
        site=None,
        sha256=f"digest-{image_id}",
    )
    return dataclasses.replace(plain, **changes)
