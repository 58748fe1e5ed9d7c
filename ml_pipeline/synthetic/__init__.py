"""Synthetic photos, drawn by code: for tests, samples and golden inputs.

They never count toward accuracy, and no photo of a person was used to make them.
"""

from ml_pipeline.synthetic.backdrop import draw_document, draw_wall
from ml_pipeline.synthetic.golden import golden_inputs, vary_scene
from ml_pipeline.synthetic.samples import SAMPLES, Backdrop, Expectation, Sample, Storage, write_samples
from ml_pipeline.synthetic.scene import LESION_CODES, Scene, draw
from ml_pipeline.synthetic.tiny_data_set import Downloads, HamLayout, write_downloads, write_ham10000
from ml_pipeline.synthetic.tiny_folders import write_class_folders, write_reviews
from ml_pipeline.synthetic.tiny_isic import write_isic2018, write_isic2019
from ml_pipeline.synthetic.tiny_pad_ufes import write_pad_ufes

__all__ = [
    "LESION_CODES",
    "SAMPLES",
    "Backdrop",
    "Downloads",
    "Expectation",
    "HamLayout",
    "Sample",
    "Scene",
    "Storage",
    "draw",
    "draw_document",
    "draw_wall",
    "golden_inputs",
    "vary_scene",
    "write_class_folders",
    "write_downloads",
    "write_ham10000",
    "write_isic2018",
    "write_isic2019",
    "write_pad_ufes",
    "write_reviews",
    "write_samples",
]
