"""The PDF of a saved scan: the server's own answer first, then what the app saved, marked where the two differ.

reportlab costs a worker 12 MB: import this module where a PDF is drawn, not at start-up.
"""

import io
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from api.claims import Mismatch, mismatch_of
from api.explanations import explanation_jpeg
from api.i18n import translated
from api.models import Prediction, PredictionImage, Scan
from api.pdf_text import BOLD, REGULAR, markup, printable, register_fonts
from api.scan_serializers import mismatch_text
from api.serializers import DISCLAIMER
from api.thumbnails import thumbnail_jpeg
from ml_models.labels import BY_CODE

_PAPER = {"a4": A4, "letter": LETTER}
_MARGIN = 18 * mm
_FRAME_PADDING = 6  # reportlab's own, between a page's margin and what stands in it
_PICTURE_HEIGHT = 64 * mm
_PICTURE_SIDE_PX = 1000
_NAME_CHARACTERS = 160
_TEXT_CHARACTERS = 10_000
_BAR_HEIGHT = 7
_BARS = 12  # a label set may have hundreds of classes
_SEPARATOR = "  ·  "

_INK, _QUIET, _LINE = colors.HexColor("#1d2733"), colors.HexColor("#5b6875"), colors.HexColor("#d5dbe1")
_BAR, _BAR_BACK = colors.HexColor("#47708f"), colors.HexColor("#e9eef2")
_RED, _RED_BACK = colors.HexColor("#9c1c12"), colors.HexColor("#fdeceb")
_AMBER, _AMBER_BACK = colors.HexColor("#7a4b00"), colors.HexColor("#fff5e1")

_BODY = ParagraphStyle("body", fontName=REGULAR, fontSize=9.5, leading=13.5, textColor=_INK, spaceAfter=3)
_SMALL = ParagraphStyle("small", _BODY, fontSize=8, leading=11, textColor=_QUIET)
_TITLE = ParagraphStyle("title", _BODY, fontName=BOLD, fontSize=18, leading=23, spaceAfter=1)
_SECTION = ParagraphStyle("section", _BODY, fontName=BOLD, fontSize=11, leading=15, spaceBefore=9, spaceAfter=4)
_ANSWER = ParagraphStyle("answer", _BODY, fontName=BOLD, fontSize=13, leading=17, spaceAfter=3)
_BOX = ParagraphStyle(
    "box", _BODY, borderPadding=7, borderWidth=0.75, leftIndent=8, rightIndent=8, spaceBefore=15, spaceAfter=15
)
_ALARM = ParagraphStyle("alarm", _BOX, fontName=BOLD, textColor=_RED, backColor=_RED_BACK, borderColor=_RED)
_NOTICE = ParagraphStyle("notice", _BOX, textColor=_AMBER, backColor=_AMBER_BACK, borderColor=_AMBER)
_CALM = ParagraphStyle("calm", _BOX, textColor=_QUIET, borderColor=_LINE)


def scan_pdf(scan: Scan) -> bytes:
    """Draw a scan on as many pages as it needs, with times in TIME_ZONE and texts in the active language."""
    register_fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=_PAPER[settings.PDF_PAPER],
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=_("Skin photo record"),
        author=" ",  # nobody signs it; reportlab would write "anonymous"
        lang=get_language() or "en",
        invariant=1,  # the same scan gives the same bytes
    )
    left = _MARGIN + _FRAME_PADDING
    footer = _SEPARATOR.join([str(scan.pk), _("Not a medical device and no diagnosis.")])

    def draw_footer(canvas: Canvas, page: Any) -> None:
        canvas.setFont(REGULAR, 7.5)
        canvas.setFillColor(_QUIET)
        canvas.drawString(left, 10 * mm, printable(footer, max_characters=_NAME_CHARACTERS))
        canvas.drawRightString(page.pagesize[0] - left, 10 * mm, str(canvas.getPageNumber()))

    document.build(
        list(_story(scan, document.width - 2 * _FRAME_PADDING)), onFirstPage=draw_footer, onLaterPages=draw_footer
    )
    return buffer.getvalue()


def _story(scan: Scan, width: float) -> Iterator[Flowable]:
    answer, mismatch = scan.prediction, mismatch_of(scan)
    yield Paragraph(_line(_("Skin photo record")), _TITLE)
    yield Paragraph(_line(_("Saved on %(when)s") % {"when": _moment(scan.created_at)}), _SMALL)
    if answer is None:
        text = _("The server has no answer of its own to this photo. Below is what the app saved; nobody checked it.")
        yield Paragraph(_line(text), _NOTICE)
    elif mismatch:
        text = mismatch_text(plays_down=mismatch.plays_down)
        yield Paragraph(_line(text), _ALARM if mismatch.plays_down else _NOTICE)
    yield Spacer(1, 6)
    yield from _pictures(scan, width)
    if answer is not None:
        yield from _answer(answer, width)
    yield from _person(scan)
    yield from _claims(scan, mismatch)
    if answer is not None:
        yield from _model(answer)
    yield Paragraph(_line(str(DISCLAIMER)), _CALM)


def _pictures(scan: Scan, width: float) -> Iterator[Flowable]:
    """The saved photo, and those that were answered together with it, each on its own."""
    images = list(scan.prediction.images.all()) if scan.prediction else []
    own = next((image for image in images if image.content_sha256 == scan.content_sha256), None)
    yield from _photo(scan, own, _("The photo"), width)
    for image in images:
        if image is not own:
            yield from _photo(image, image, _("Answered together with it"), width)


def _photo(
    photo: Scan | PredictionImage, seen: PredictionImage | None, caption: str, width: float
) -> Iterator[Flowable]:
    """The upright photo, and beside it the class activation map where one was made."""
    mapped = seen if seen is not None and seen.activations else None
    cell_width = width / (2 if mapped else 1) - 3 * mm
    try:
        row = [_picture(thumbnail_jpeg(photo, max_side_px=_PICTURE_SIDE_PX), cell_width)]
        captions = [caption]
        if mapped:
            row.append(_picture(explanation_jpeg(mapped, max_side_px=_PICTURE_SIDE_PX), cell_width))
            captions.append(_("Where the evidence lay: not whether the answer is right"))
    except FileNotFoundError:
        yield Paragraph(_line(_("The photo is no longer stored.")), _SMALL)
        return
    rows = [row, [Paragraph(_line(caption), _SMALL) for caption in captions]]
    style = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 1)]
    yield Table(rows, colWidths=[width / len(row)] * len(row), style=style, hAlign="LEFT")


def _picture(jpeg: bytes, max_width: float) -> Image:
    picture = Image(io.BytesIO(jpeg), hAlign="LEFT")
    picture._restrictSize(max_width, _PICTURE_HEIGHT)  # noqa: SLF001 - its documented way to shrink in proportion
    return picture


def _answer(answer: Prediction, width: float) -> Iterator[Flowable]:
    yield Paragraph(_line(_("The server's answer")), _SECTION)
    yield Paragraph(_line(translated(answer.diagnosis)), _ANSWER)
    facts = [
        (_("Severity"), translated(answer.severity)),
        (_("Confidence"), f"{answer.confidence_percent:.1f} %"),
        (_("Status"), _status_text(answer.status)),
        (_("Answered on"), _moment(answer.created_at)),
    ]
    yield Paragraph(_SEPARATOR.join(_fact(*fact) for fact in facts), _BODY)
    yield Paragraph(_line(translated(answer.advice)), _BODY)
    for reason in answer.reasons:
        yield Paragraph(_line(translated(reason["text"])), _BODY, bulletText="•")
    if answer.probabilities:
        heading = Paragraph(_line(_("Probabilities")), _SECTION)
        yield KeepTogether([heading, _bars(answer, width), Paragraph(_malignancy_line(answer), _SMALL)])


def _bars(answer: Prediction, width: float) -> Table:
    """One row for each of the most probable classes; of those after the first few the log knows the code alone."""
    widths = [0.52 * width, 0.38 * width, 0.10 * width]
    given = {each["label"]: each["name"] for each in answer.top}
    rows = []
    for code, probability in sorted((answer.probabilities or {}).items(), key=lambda item: -item[1])[:_BARS]:
        name = given.get(code) or (BY_CODE[code].name if code in BY_CODE else code.replace("_", " "))
        bar = Drawing(widths[1] - 12, _BAR_HEIGHT)
        bar.add(Rect(0, 0, bar.width, _BAR_HEIGHT, fillColor=_BAR_BACK, strokeColor=None))
        bar.add(Rect(0, 0, bar.width * probability, _BAR_HEIGHT, fillColor=_BAR, strokeColor=None))
        percent = Paragraph(f"{100 * probability:.1f} %", ParagraphStyle("percent", _SMALL, alignment=2))
        rows.append([Paragraph(_line(translated(name), _NAME_CHARACTERS), _SMALL), bar, percent])
    tight = [("TOPPADDING", (0, 0), (-1, -1), 0.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 0.5)]
    edges = [("LEFTPADDING", (0, 0), (0, -1), 0), ("RIGHTPADDING", (-1, 0), (-1, -1), 0)]
    style = [("VALIGN", (0, 0), (-1, -1), "MIDDLE"), *edges, *tight]
    return Table(rows, colWidths=widths, style=style, hAlign="LEFT")


def _malignancy_line(answer: Prediction) -> str:
    if answer.malignant_probability is None:
        return _line(_("This model does not know which of its classes are malignant."))
    together = f"{100 * answer.malignant_probability:.1f} %"
    if answer.malignancy_threshold is None:
        return _line(_("Malignant classes together: %(together)s") % {"together": together})
    text = _("Malignant classes together: %(together)s; the warning threshold is %(threshold)s")
    return _line(text % {"together": together, "threshold": f"{100 * answer.malignancy_threshold:.1f} %"})


def _person(scan: Scan) -> Iterator[Flowable]:
    answer = scan.prediction
    facts = [(_("Name"), scan.user.full_name)]
    if answer is not None:
        facts += [
            (_("Age"), "" if answer.age_years is None else str(answer.age_years)),
            (_("Sex"), translated(answer.sex)),
            (_("Place on the body"), answer.site),
        ]
    lines = [_SEPARATOR.join(_fact(name, value) for name, value in facts if value)]
    if answer is not None and answer.history:
        lines.append(_fact(_("In their own words"), answer.history))
    yield from _section(_("The person"), lines)


def _claims(scan: Scan, mismatch: Mismatch | None) -> Iterator[Flowable]:
    """The claims one by one where they are all there is, or where they differ from the server's answer."""
    title = _("What the app saved")
    if scan.prediction is not None and mismatch is None:
        yield from _section(title, [_line(_("The same as the server's answer."))])
        return
    differing = mismatch.fields if mismatch else ()
    facts = {
        "diagnosis": (_("Diagnosis"), scan.claimed_diagnosis),
        "confidence": (_("Confidence"), scan.claimed_confidence),
        "severity": (_("Severity"), translated(scan.claimed_severity)),
        "is_safe": (_("Marked as safe"), _("yes") if scan.claimed_is_safe else _("no")),
        "advice": (_("Advice"), scan.claimed_advice),
    }
    differs = _("differs from the server")
    note = f' <font color="{_RED.hexval()}">({_line(differs)})</font>'
    lines = [_fact(*fact) + (note if field in differing else "") for field, fact in facts.items() if fact[1]]
    yield from _section(title, [_line(_("Nobody has checked this.")), *lines])


def _model(answer: Prediction) -> Iterator[Flowable]:
    facts = [
        (_("Model"), f"{answer.model_name} {answer.model_version}"),
        (_("Digest"), answer.model_digest[:16]),
        (_("Answer"), str(answer.pk)),
    ]
    yield from _section(_("How the answer was made"), [_SEPARATOR.join(_fact(*fact) for fact in facts)])


def _section(title: str, lines: Iterable[str]) -> Iterator[Flowable]:
    """A heading that stays with its first line; without lines nothing."""
    paragraphs = [Paragraph(line, _BODY) for line in lines if line]
    if paragraphs:
        yield Paragraph(_line(title), ParagraphStyle("kept", _SECTION, keepWithNext=1))
        yield from paragraphs


def _fact(name: str, value: str) -> str:
    return f'<font color="{_QUIET.hexval()}">{_line(name)}:</font> {_line(value)}'


def _line(text: str, max_characters: int = _TEXT_CHARACTERS) -> str:
    return markup(text, max_characters=max_characters)


def _status_text(status: str) -> str:
    texts = {"ok": _("answered"), "uncertain": _("unsure"), "rejected": _("photo not usable")}
    return texts.get(status, status)


def _moment(when: datetime) -> str:
    """Such as 2026-03-01 14:05 CET (UTC+01:00)."""
    local = timezone.localtime(when)
    offset = "" if local.utcoffset() in (None, timedelta(0)) else f" (UTC{local.isoformat()[-6:]})"
    return f"{local:%Y-%m-%d %H:%M} {local.tzname()}{offset}"
