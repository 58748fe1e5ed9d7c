"""Synthetic photos, drawn by code: for tests, samples and golden inputs.

They never count toward accuracy, and no photo of a person was used to make them.
"""

from ml_pipeline.synthetic.backdrop import draw_document, draw_wall
from ml_pipeline.synthetic.golden import golden_inputs
from ml_pipeline.synthetic.samples import SAMPLES, Backdrop, Expectation, Sample, Storage, write_samples
from ml_pipeline.synthetic.scene import LESION_CODES, Scene, draw
from ml_pipeline.synthetic.tiny_data_set import HamLayout, write_ham10000

__all__ = [
    "LESION_CODES",
    "SAMPLES",
    "Backdrop",
    "Expectation",
    "HamLayout",
    "Sample",
    "Scene",
    "Storage",
    "draw",
    "draw_document",
    "draw_wall",
    "golden_inputs",
    "write_ham10000",
    "write_samples",
]
