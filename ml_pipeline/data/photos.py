"""Records' photos off the disk, through the serving code's own decoder."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_models.errors import PhotoError
from ml_models.image_io import read_pixels
from ml_pipeline.data.records import Record
from ml_pipeline.errors import SourceError


def read_rgb(record: Record, *, model_input_px: int) -> NDArray[np.uint8]:
    """Decode one record's photo, uint8 [h, w, 3], as the server would for a model of that input size.

    Raises SourceError naming the file when it is gone, altered since the records were made, or unreadable.
    """
    path = Path(record.path)
    where = f"{path} ({record.image_id})"
    if not path.is_file():
        raise SourceError(f"{where} is gone since the records were made. Make them again.")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != record.sha256:
        raise SourceError(f"{where} is not the file that the records were made from. Make them again.")
    try:
        return read_pixels(data, model_input_px=model_input_px).rgb
    except PhotoError as error:
        raise SourceError(f"{where}: {error}") from error
