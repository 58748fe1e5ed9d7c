"""Inference core: photo bytes in, `Classification` out.

numpy, OpenCV, Pillow and LiteRT only; no Django, no TensorFlow.
"""
