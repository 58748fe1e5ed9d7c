"""The one error family of the inference core. It knows nothing of HTTP; `api/exceptions.py` maps it."""


class SkinModelError(Exception):
    """Base of all errors raised on purpose by this package; `code` is stable, the text says what to do."""

    code = "model_error"


class PhotoError(SkinModelError):
    """The uploaded bytes are not a photo that can be answered."""

    code = "photo_unreadable"


class PhotoMissing(PhotoError):
    """No bytes at all."""

    code = "photo_missing"


class PhotoTruncated(PhotoError):
    """The file ends before the picture does."""

    code = "photo_truncated"


class PhotoDimensions(PhotoError):
    """Too small or too thin to show a lesion."""

    code = "photo_dimensions"


class PhotoTooLarge(PhotoError):
    """More bytes or pixels than the limits allow."""

    code = "photo_too_large"


class PhotoUnsupported(PhotoError):
    """Not one of the supported image formats."""

    code = "photo_unsupported"


class ArtefactError(SkinModelError):
    """A model folder is missing, incomplete, altered or contradicts itself."""

    code = "artefact_invalid"


class InferenceError(SkinModelError):
    """The model ran but its answer cannot be used (NaN, wrong shape)."""

    code = "inference_failed"


class InferenceBusy(SkinModelError):
    """No interpreter became free in time."""

    code = "inference_busy"
