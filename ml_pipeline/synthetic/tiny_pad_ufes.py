"""A tiny download of PAD-UFES-20 (Pacheco et al., Data in Brief 2020): clinical phone photos with skin types."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml_pipeline.synthetic.scene import Scene, draw
from ml_pipeline.synthetic.tiny_cases import write_photo, write_rows

_FIRST_PATIENT = 9001
_DIAGNOSTICS = {"ACK": "akiec", "BCC": "bcc", "MEL": "mel", "NEV": "nv", "SCC": "scc", "SEK": "bkl"}
_ALWAYS_BIOPSED = frozenset({"BCC", "MEL", "SCC"})
_REGIONS = ("FACE", "FOREARM", "CHEST", "BACK", "ARM", "NOSE", "HAND", "NECK", "EAR", "THIGH")
_COLUMNS = (
    "patient_id",
    "lesion_id",
    "smoke",
    "drink",
    "background_father",
    "background_mother",
    "age",
    "pesticide",
    "gender",
    "skin_cancer_history",
    "cancer_history",
    "has_piped_water",
    "has_sewage_system",
    "fitspatrick",
    "region",
    "diameter_1",
    "diameter_2",
    "diagnostic",
    "itch",
    "grew",
    "hurt",
    "changed",
    "bleed",
    "elevation",
    "img_id",
    "biopsed",
)


@dataclass(frozen=True, slots=True)
class _Person:
    """One patient; gender and Fitzpatrick type are empty for those who were not asked."""

    number: int
    age: int
    gender: str
    fitzpatrick_type: str


@dataclass(frozen=True, slots=True)
class _Lesion:
    """One lesion; only with its patient does its number name it."""

    person: _Person
    number: int
    diagnostic: str
    biopsed: bool
    region: str


def write_pad_ufes(out: Path, *, lesions_per_class: int, photos_per_lesion: int = 2, seed: int) -> Path:
    """Writes `PAD-UFES-20` below `out`: `metadata.csv` and PNGs in three folders; gives the folder.

    Two lesions belong to each patient. The first lesion number occurs again with the last patient, as some do in the
    real table.
    """
    folder = out / "PAD-UFES-20"
    rows = []
    for index, lesion in enumerate(_invent_lesions(np.random.default_rng(seed), lesions_per_class)):
        for photo_number in range(photos_per_lesion):
            img_id = f"PAT_{lesion.person.number}_{lesion.number}_{1 + photo_number + photos_per_lesion * index}.png"
            rows.append(_row(lesion, img_id))
            _photograph(lesion, folder / f"imgs_part_{1 + len(rows) % 3}" / img_id, seed=[seed, index, photo_number])
    write_rows(folder / "metadata.csv", _COLUMNS, rows)
    return folder


def _invent_lesions(rng: np.random.Generator, lesions_per_class: int) -> Sequence[_Lesion]:
    diagnostics = [str(name) for name in rng.permutation(np.repeat(list(_DIAGNOSTICS), lesions_per_class))]
    people = [_invent_person(rng, _FIRST_PATIENT + index) for index in range((len(diagnostics) + 1) // 2)]
    return [
        _Lesion(
            person=people[index // 2],
            number=1 + index % (len(diagnostics) - 1),
            diagnostic=diagnostic,
            biopsed=diagnostic in _ALWAYS_BIOPSED or rng.random() < 0.3,
            region=str(rng.choice(_REGIONS)),
        )
        for index, diagnostic in enumerate(diagnostics)
    ]


def _invent_person(rng: np.random.Generator, number: int) -> _Person:
    asked = rng.random() < 0.7
    gender, skin = str(rng.choice(["FEMALE", "MALE"])), f"{rng.integers(1, 7)}.0"
    return _Person(number, int(rng.integers(20, 90)), gender if asked else "", skin if asked else "")


def _row(lesion: _Lesion, img_id: str) -> Sequence[str]:
    cells = {
        "patient_id": f"PAT_{lesion.person.number}",
        "lesion_id": str(lesion.number),
        "age": str(lesion.person.age),
        "gender": lesion.person.gender,
        "fitspatrick": lesion.person.fitzpatrick_type,
        "region": lesion.region,
        "diagnostic": lesion.diagnostic,
        "img_id": img_id,
        "biopsed": str(lesion.biopsed),
    }
    return [cells.get(column, "") for column in _COLUMNS]


def _photograph(lesion: _Lesion, path: Path, *, seed: Sequence[int]) -> None:
    """From farther away than a dermatoscope, off the centre, each time from elsewhere."""
    rng = np.random.default_rng(seed)
    scene = Scene(
        lesion=_DIAGNOSTICS[lesion.diagnostic],
        skin_tone=(float(lesion.person.fitzpatrick_type or 2) - 1) / 5,
        lesion_scale=rng.uniform(0.25, 0.45),
        shift_x=rng.uniform(-0.1, 0.1),
        shift_y=rng.uniform(-0.1, 0.1),
        exposure=rng.uniform(0.85, 1.1),
    )
    write_photo(path, draw(scene, width_px=150, height_px=200, seed=int(rng.integers(2**31))))
