"""Text that a PDF can carry: the font embedded in it, and making any text printable with that font."""

import unicodedata
from functools import cache
from importlib.resources import as_file, files
from threading import Lock
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR = "OpenSans-Regular"
BOLD = "OpenSans-SemiBold"
_UNPRINTABLE = "?"
_registering = Lock()


def register_fonts() -> None:
    """Make the fonts known to reportlab, once per process."""
    with _registering:
        _glyphs()


def markup(text: str, *, max_characters: int) -> str:
    """Any text as one line of reportlab's markup that shows exactly this text, cut after `max_characters`."""
    return escape(printable(text, max_characters=max_characters))


def printable(text: str, *, max_characters: int) -> str:
    """The text in letters that the font has: an accent it lacks is dropped, a script it lacks becomes question marks.

    White space becomes single blanks; control characters, direction marks and the like go.
    """
    cut = text[:max_characters] + ("..." if len(text) > max_characters else "")
    shown = "".join(_shown(character) for character in unicodedata.normalize("NFC", cut))
    return " ".join(shown.split())


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character) in {"Cc", "Cf", "Cs"}:
        return ""
    if ord(character) in _glyphs():
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    if unicodedata.combining(base) or unicodedata.category(base) == "Sk":
        return ""
    return base if ord(base) in _glyphs() else _UNPRINTABLE


@cache
def _glyphs() -> frozenset[int]:
    """The characters that both fonts have."""
    fonts = []
    for name in (REGULAR, BOLD):
        with as_file(files("ttf_opensans") / "ttf" / f"{name}.ttf") as path:
            fonts.append(TTFont(name, str(path)))
        pdfmetrics.registerFont(fonts[-1])
    return frozenset(set(fonts[0].face.charToGlyph) & set(fonts[1].face.charToGlyph))
