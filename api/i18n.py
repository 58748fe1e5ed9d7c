"""The border at which the texts of `ml_models` get the language of the request.

`ml_models` knows no Django and words everything in English; the log keeps that, so that reviewers and statistics read
one language. The texts stand here once more, word for word, because translators' tools read only marked ones;
`tests/api/test_i18n.py` holds the two together.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext, gettext_noop, override

_UNSURE, _POSSIBLE = gettext_noop("Unsure, possibly: "), gettext_noop("; possible malignancy")
# labels.py: names and advice; decision.py: reasons, advice and words for doubt.
PHRASES: tuple[str, ...] = (
    gettext_noop("Actinic keratosis or intraepithelial carcinoma (Bowen's disease)"),
    gettext_noop("Basal cell carcinoma"),
    gettext_noop("Benign keratosis (seborrhoeic keratosis, solar lentigo, lichen-planus-like keratosis)"),
    gettext_noop("Dermatofibroma"),
    gettext_noop("Melanoma"),
    gettext_noop("Melanocytic nevus (mole)"),
    gettext_noop("Squamous cell carcinoma"),
    gettext_noop("Vascular lesion (angioma, angiokeratoma, haemorrhage)"),
    gettext_noop("Have a dermatologist look at it within days; do not wait for it to change."),
    gettext_noop(
        "Watch it, photograph it again in a few weeks, and see a doctor if it grows, changes, itches or bleeds."
    ),
    gettext_noop("This can turn into skin cancer and is treatable. Book a dermatologist within weeks."),
    gettext_noop("It grows slowly but needs treatment. See a dermatologist within the next two weeks."),
    gettext_noop("Have a doctor look at it, and soon if it grows, changes, itches, hurts or bleeds."),
    gettext_noop("The photo shows too little detail: it is blank, covered, faint or very small."),
    gettext_noop("The photo is blurred: hold still, tap the spot to focus, and do not go too close."),
    gettext_noop("The photo is too dark: take it in daylight or under a bright lamp."),
    gettext_noop("The photo is overexposed: turn the flash off and avoid direct sun."),
    gettext_noop("This does not look like a photo of a spot on the skin."),
    gettext_noop("The spot is too small in the photo: go closer, until it fills about a third of it."),
    gettext_noop("The spot is cut off: move it to the middle, with skin around it on all sides."),
    gettext_noop("Diagnoses that call for different care remain possible, so no single one is trusted."),
    gettext_noop("The probability of a malignant lesion is at or over the warning threshold."),
    gettext_noop("Of a class that is likely here it is not known whether it is malignant."),
    gettext_noop("This kind of photo has not been validated, so the answer cannot be called safe."),
    gettext_noop("One of the photos alone looks suspicious, so the others are no all-clear."),
    gettext_noop("Photo not usable"),
    gettext_noop(
        "Take the photo again: in daylight, sharp, straight from above, with the spot filling about a third of the "
        "frame."
    ),
    gettext_noop("There are signs that need a doctor's eye: have a dermatologist look at it within days."),
    gettext_noop("The program cannot tell what this is. Take a sharper photo, and have a doctor look at it."),
    gettext_noop("One of the photos alone shows signs that need a doctor's eye: have a dermatologist look at it."),
    gettext_noop("This answer is no all-clear."),
    _UNSURE,
    _POSSIBLE,
)

# What the log and the scans keep as codes, shown in the PDF.
CODES: tuple[str, ...] = (
    gettext_noop("Low"),
    gettext_noop("Moderate"),
    gettext_noop("High"),
    gettext_noop("female"),
    gettext_noop("male"),
    gettext_noop("other"),
)

# image_io.py, jpeg.py, png.py, heif.py, runtime.py, ml_utils.py, front.py: what is wrong with a photo, and what to do.
ERRORS: tuple[str, ...] = (
    gettext_noop("The image is empty. Choose a photo and send it again."),
    gettext_noop("The image has %(size)s MB; at most %(limit)s MB are accepted. Send a smaller copy."),
    gettext_noop("The photos have more than %(limit)s MB together. Send fewer of them, or smaller copies."),
    gettext_noop("The image is too large: at most %(limit)s MB are accepted. Send a smaller copy."),
    gettext_noop(
        "The image has %(size)s megapixels; at most %(limit)s are accepted for this format. Send a smaller copy."
    ),
    gettext_noop(
        "The image is %(width)s x %(height)s pixels: too small or too thin to show a lesion. "
        "Send a photo of at least %(limit)s pixels on each side, not a strip."
    ),
    gettext_noop("The image has far too many pixels. Send a smaller copy."),
    gettext_noop("This is not a photo that can be read. Send a JPEG, PNG, WebP or HEIC image."),
    gettext_noop("The photo's file ends too early. Send the whole file again."),
    gettext_noop("The photo's file ends too early, or it is damaged. Send the whole file again."),
    gettext_noop("The photo's file ends in the middle of the picture. Send the whole file again."),
    gettext_noop("The lower part of the photo is missing. Send the whole file again."),
    gettext_noop("The photo is damaged. Save it again as JPEG or PNG and send that."),
    gettext_noop("The photo is damaged or incomplete. Send the whole file again."),
    gettext_noop("The photo could not be stored losslessly. Send it as JPEG."),
    gettext_noop("The JPEG has %(scans)s scans, too many for its size. Save it again as a plain JPEG."),
    gettext_noop("The JPEG has more than %(limit)s scans. Save it again as a plain JPEG."),
    gettext_noop("The JPEG has more than %(limit)s segments. Save it again as a plain JPEG."),
    gettext_noop("The PNG is damaged. Save the photo again and send that."),
    gettext_noop("The PNG holds more data than its size tells. Save the photo again and send that."),
    gettext_noop("The PNG has more than %(limit)s chunks. Save it again as a plain PNG."),
    gettext_noop("This PNG does not begin with its header. Save the photo again and send that."),
    gettext_noop("The HEIC photo is damaged or incomplete. Send the whole file again."),
    gettext_noop("The HEIC photo holds far more than it shows. Save it again as JPEG and send that."),
    gettext_noop("This HEIC photo cannot be checked: %(why)s. Save the photo again as JPEG and send that."),
    gettext_noop("The server is busy. Send the photo again in a few seconds."),
    gettext_noop("The upload took too long. Send a smaller copy, or try again where the connection is better."),
    gettext_noop("The address is not valid UTF-8. Check the request and send it again."),
)

# What REST framework's packages have no Spanish for; they look it up among ours.
LIBRARY_TEXTS: tuple[str, ...] = (gettext_noop("The user's password has been changed."),)


def translated(text: str) -> str:
    """A text of `ml_models` in the active language; what is not known stays as it is."""
    if not text or get_language() == settings.LANGUAGE_CODE:
        return text
    if text in CODES:
        return gettext(text)
    for template, pattern in _ERROR_PATTERNS.items():
        if found := pattern.fullmatch(text):
            return gettext(template) % found.groupdict()
    return _PHRASE_PATTERN.sub(lambda found: gettext(found[0]), text)


def wordings(text: str) -> frozenset[str]:
    """The text in every language that it may have been answered in."""
    found = {text}
    for language, _name in settings.LANGUAGES:
        with override(language):
            found.add(translated(text))
    return frozenset(found)


def translated_texts(rows: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    """The log's rows, such as `[{code, text}]`, with the text under `key` in the active language."""
    return [{**row, key: translated(row[key])} for row in rows]


def _error_pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", template)  # texts and names in turn
    return re.compile("".join(f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts)))


_ERROR_PATTERNS = {template: _error_pattern(template) for template in ERRORS}
# Advice and diagnosis are made of several; longer ones first, because some are parts of others. Only whole ones count:
# a class of a foreign label set, say "Basal cell carcinoma of the eyelid", is named as its model names it.
_PHRASE_PATTERN = re.compile(
    rf"(?:^|(?<={re.escape(_UNSURE)})|(?<=[.!?] )|(?={re.escape(_POSSIBLE)}$))"
    rf"(?:{'|'.join(re.escape(phrase) for phrase in sorted(PHRASES, key=len, reverse=True))})"
    rf"(?:$|(?={re.escape(_POSSIBLE)}$)|(?<=[.!?])(?= )|(?<={re.escape(_UNSURE)}))"
)
