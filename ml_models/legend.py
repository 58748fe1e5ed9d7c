"""The strip below a map that says what its colours mean; it knows words and colours, not what they are of."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

MIN_WIDTH_PX = 320  # narrower, the words would not be readable
_FONT_SHARE = 1 / 32  # of the width: still 11 px where a phone shows the picture 360 px wide
_HEIGHT_IN_FONTS = 3.4
_PAPER, _INK = (255, 255, 255), (32, 32, 32)


@dataclass(frozen=True, slots=True)
class Legend:
    """Words in the reader's language: what is shown, a short note on it, what the ends of the colour bar mean."""

    title: str
    note: str
    low: str
    high: str


class StripSize(NamedTuple):
    """Pixels of a strip and of its letters."""

    width: int
    height: int
    font: int


def strip_size(photo_width: int) -> StripSize:
    """How large the strip below a photo of that width is: wider than it where the photo is narrow."""
    width = max(photo_width, MIN_WIDTH_PX)
    font = round(width * _FONT_SHARE)
    return StripSize(width, round(_HEIGHT_IN_FONTS * font), font)


def legend_strip(legend: Legend, colours: NDArray[np.uint8], *, photo_width: int) -> NDArray[np.uint8]:
    """Title and note above a bar of the colours between its two words; uint8 [h, w, 3].

    `colours` is uint8 [1, n, 3] from low to high. A title that leaves the note no room is cut.
    """
    size = strip_size(photo_width)
    strip = Image.new("RGB", (size.width, size.height), _PAPER)
    draw, font, margin = ImageDraw.Draw(strip), _font(size.font), size.font // 2
    title = _fitting(legend.title, font, round(size.width - 4 * margin - font.getlength(legend.note)))
    above, middle = 0.9 * size.font, 2.4 * size.font
    draw.text((margin, above), title, fill=_INK, font=font, anchor="lm")
    draw.text((size.width - margin, above), legend.note, fill=_INK, font=font, anchor="rm")
    draw.text((margin, middle), legend.low, fill=_INK, font=font, anchor="lm")
    draw.text((size.width - margin, middle), legend.high, fill=_INK, font=font, anchor="rm")
    left = round(2 * margin + font.getlength(legend.low))
    right = round(size.width - 2 * margin - font.getlength(legend.high))
    bar = Image.fromarray(colours).resize((max(1, right - left), size.font), Image.Resampling.BILINEAR)
    strip.paste(bar, (left, round(middle - size.font / 2)))
    return np.asarray(strip)


def _fitting(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    kept = next(end for end in range(len(text), -1, -1) if font.getlength(f"{text[:end].rstrip()}...") <= width)
    return f"{text[:kept].rstrip()}..."


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    with as_file(files("ttf_opensans") / "ttf" / "OpenSans-Regular.ttf") as path:
        return ImageFont.truetype(path, size_px)
