"""Measuring a model artefact through the very code that serves it."""
