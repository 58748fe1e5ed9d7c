"""Offline: data sets in, model artefact out. Never imported by the web process, imports no Django."""
