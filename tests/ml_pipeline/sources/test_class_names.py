"""What names of classes mean."""

import pytest

from ml_models.labels import CATALOGUE
from ml_pipeline.data.sources.class_names import label_of


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Melanoma", "mel"),
        ("MEL", "mel"),
        ("malignant melanoma", "mel"),
        ("basal cell carcinoma", "bcc"),
        ("Basal_Cell-Carcinoma", "bcc"),
        ("actinic keratosis", "akiec"),
        ("AK", "akiec"),
        ("Dermatofibroma", "df"),
        ("nevus", "nv"),
        ("Melanocytic Nevi", "nv"),
        ("squamous cell carcinoma", "scc"),
        ("vascular lesion", "vasc"),
        ("seborrheic keratosis", "bkl"),
        ("pigmented benign keratosis", "bkl"),
        ("benign-keratosis-like lesions", "bkl"),
        *((alias, label.code) for label in CATALOGUE for alias in label.aliases),
        *((label.name, label.code) for label in CATALOGUE),
    ],
)
def test_label_of_known_name_is_its_code(name: str, code: str) -> None:
    assert label_of(name) == code


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Tinea Ringworm & other", "tinea_ringworm_other"),
        ("tinea-ringworm_other", "tinea_ringworm_other"),
        ("Melanoma Skin Cancer Nevi and Moles", "melanoma_skin_cancer_nevi_and_moles"),
        ("benign", "benign"),
        ("malignant", "malignant"),
        ("keratosis", "keratosis"),
        ("lentigo", "lentigo"),
        ("Bowen's disease", "bowen_s_disease"),
        ("Café-au-lait", "café_au_lait"),
        ("2. Melanoma", "2_melanoma"),
        ("&", ""),
    ],
)
def test_label_of_other_name_is_a_slug_and_no_guess(name: str, slug: str) -> None:
    assert label_of(name) == slug


@pytest.mark.parametrize("name", ["Melanoma", "Tinea Ringworm & other", "Café-au-lait"])
def test_label_of_label_is_itself(name: str) -> None:
    assert label_of(label_of(name)) == label_of(name)
