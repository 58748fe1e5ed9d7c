"""Errors of the pipeline; each text names the file, the value seen and the remedy."""


class PipelineError(Exception):
    """Base of all errors that the pipeline raises on purpose."""


class SourceError(PipelineError):
    """A data set on disk is not what its adapter expects."""


class LeakageError(PipelineError):
    """A split would put one lesion or one picture on both sides."""


class TrainingError(PipelineError):
    """Training or exporting cannot go on."""
