"""`report.html`: the figures, plots and worst mistakes of one evaluation in one file. It shows photos: not for git."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_pipeline.evaluation.bootstrap import Estimate, Gain
from ml_pipeline.evaluation.evaluation import EvaluatedData, Evaluation
from ml_pipeline.evaluation.measure import ALL, Domain, Rival
from ml_pipeline.evaluation.mistakes import Mistake, captions
from ml_pipeline.evaluation.slices import FEWEST_LESIONS, FEWEST_OF_A_KIND, SLICED
from ml_pipeline.report_page.page import (
    Album,
    Albums,
    Block,
    Column,
    Fact,
    Facts,
    Heading,
    Photo,
    Plot,
    Plots,
    Points,
    Row,
    Section,
    Table,
    Text,
    names_and_numbers,
    row,
    write_page,
)
from ml_pipeline.report_page.pictures import photo_uri, png_uri
from ml_pipeline.report_page.words import NONE, count, listed, number_of

TOO_FEW = "too few"
_THUMBNAIL_PX = 120
_BASICS = (("balanced_accuracy", "balanced accuracy"), ("malignant_auc", "malignant AUC"))
_CLASS_FIGURES = ("sensitivity", "specificity", "precision", "auc")
_SLICED_WORDS = dict(
    zip(SLICED, ("balanced accuracy", "malignant AUC", "malignant sensitivity", "calibration error"), strict=True)
)
_MEANING = (
    (
        "Intervals are 95 %: whole lesions, with all their photos and those of the same patient where known, are "
        "drawn with replacement a thousand times. A draw that lacks a class takes its means over the others. Where "
        "every lesion is right, the lower end is the exact one (Clopper and Pearson 1934)."
    ),
    (
        "Balanced accuracy is the mean sensitivity over the classes that the truth has; the seven-class figure "
        "counts scc as akiec and sums their probabilities, as HAM10000 and ISIC 2018 do."
    ),
    (
        "Malignant is the summed probability of the malignant classes. The threshold is the one of the photo's "
        "modality, or the most cautious one where the modality has none."
    ),
    (
        "Expected calibration error is the mean gap between top probability and accuracy over 15 bins; the Brier "
        "score is the mean squared distance to the truth, from 0 to 2. Lower is better for both."
    ),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One plot of a domain as PNG, for light and for dark pages."""

    title: str
    light: bytes
    dark: bytes


def write_report(
    path: Path,
    evaluation: Evaluation,
    plots: Mapping[str, Sequence[Drawn]],
    mistakes: Mapping[str, Mapping[str, Sequence[Mistake]]],
) -> None:
    """Write the page; plots and mistakes are by domain."""
    sections = (
        _headline(evaluation),
        _figures(evaluation),
        Section("plots", "Plots", tuple(block for name, drawn in plots.items() for block in _drawn(name, drawn))),
        _classes(evaluation.domains),
        _slices(evaluation.domains),
        _mistakes(mistakes),
        Section("meaning", "How to read this", (Points(_MEANING),)),
    )
    write_page(
        path,
        title=evaluation.model.title,
        subtitle=f"{number_of(evaluation.data.photos, 'photo')} of {evaluation.data.name}",
        sections=sections,
        footer="Photos are shown for judging the model, under their own licences: keep this page to yourself. "
        "Not a medical device.",
    )


def remarks(data: EvaluatedData) -> tuple[str, ...]:
    """What must be known of the data before a figure is believed."""
    unknown = [f"{label} ({count(number)})" for label, number in data.unknown_labels.items()]
    return tuple(
        text
        for text in (
            f"{data.held_out[0].upper()}{data.held_out[1:]}.",
            f"{number_of(data.missing, 'listed photo is', 'listed photos are')} not there." if data.missing else "",
            f"Left out, because the model does not know their labels: {listed(unknown)}." if unknown else "",
            "Nobody said how some photos were taken: ISIC's numbers were taken to be dermatoscopic, others clinical."
            if data.modality_assumed
            else "",
        )
        if text
    )


def _headline(evaluation: Evaluation) -> Section:
    facts = [
        Fact(
            f"{domain.figures[name].value:.3f}",
            f"{words}, {_called(domain)}",
            f"95 % from {domain.figures[name].low:.3f} to {domain.figures[name].high:.3f}; "
            f"{number_of(domain.photos, 'photo')} of {number_of(domain.lesions, 'lesion')}",
        )
        for name, words in _BASICS
        for domain in evaluation.domains
        if name in domain.figures
    ]
    return Section("headline", "In short", (Facts(tuple(facts)), Points(remarks(evaluation.data))))


def _figures(evaluation: Evaluation) -> Section:
    domains = evaluation.domains
    names = list(dict.fromkeys(name for domain in domains for name in domain.figures))
    columns = names_and_numbers("", *(f"{_called(domain)}, n = {count(domain.photos)}" for domain in domains))
    rows = [row(_words(name), *(_estimate(domain.figures.get(name)) for domain in domains)) for name in names]
    blocks: list[Block] = [Table(columns, tuple(rows))]
    reasons = dict.fromkeys(
        f"{_called(domain)}: no {_words(name)}; it {reason}."
        if reason.startswith("needs")
        else f"No {_words(name)}: {reason}."
        for domain in domains
        for name, reason in domain.left_out.items()
    )
    if reasons:
        blocks.append(Points(tuple(reasons)))
    for rival in evaluation.rivals:
        blocks += _rival(rival, domains)
    return Section("figures", "Figures", tuple(blocks))


def _rival(rival: Rival, domains: Sequence[Domain]) -> list[Block]:
    names = list(dict.fromkeys(name for figures in rival.figures.values() for name in figures))
    columns = names_and_numbers("", *(_called(domain) for domain in domains))
    rows = [
        row(_words(name), *(_estimate(rival.figures[domain.name].get(name)) for domain in domains)) for name in names
    ]
    gained = list(dict.fromkeys(name for gains in rival.gains.values() for name in gains))
    rows += [
        row(
            f"gained by the model: {_words(name)}",
            *(_gain(rival.gains[domain.name].get(name)) for domain in domains),
            role="sum",
        )
        for name in gained
    ]
    return [Heading(f"Beside it: {rival.name}"), Table(columns, tuple(rows))]


def _classes(domains: Sequence[Domain]) -> Section:
    blocks: list[Block] = []
    for domain in domains:
        rows = [
            row(
                each.code,
                count(each.photos),
                count(each.lesions),
                *(_estimate(each.figures.get(name)) for name in _CLASS_FIGURES),
                role="" if each.photos else "part",
            )
            for each in domain.classes
        ]
        columns = names_and_numbers("class", "photos", "lesions", "sensitivity", "specificity", "precision", "AUC")
        blocks += [Heading(_called(domain)), Table(columns, tuple(rows))]
    return Section("classes", "Class by class", tuple(blocks))


def _slices(domains: Sequence[Domain]) -> Section:
    rule = (
        f"Slices of fewer than {FEWEST_LESIONS} lesions have no figures. Balanced accuracy is over the classes with at "
        f"least {FEWEST_OF_A_KIND} lesions in the slice (their number stands beside it), so slices may stand on "
        f"different classes. Malignant figures need {FEWEST_OF_A_KIND} malignant lesions; sensitivity is at the "
        "threshold."
    )
    blocks: list[Block] = [Text(rule, "see")]
    for domain in domains:
        names = [name for name in SLICED if any(name in each.figures for each in domain.slices)]
        columns = (
            Column("", numeric=False),
            Column("", numeric=False),
            *(Column(name) for name in ("photos", "lesions", "classes", *(_SLICED_WORDS[name] for name in names))),
        )
        blocks += [Heading(_called(domain)), Table(columns, tuple(_slice_rows(domain, names)))]
    return Section("slices", "By person and photo", tuple(blocks))


def _slice_rows(domain: Domain, names: Sequence[str]) -> list[Row]:
    rows, before = [], ""
    for each in domain.slices:
        figures = [each.figures.get(name) for name in names]
        cells = [TOO_FEW if figure is None else _rounded(figure) for figure in figures]
        counts = (count(each.photos), count(each.lesions), count(each.classes))
        rows.append(row("" if each.fact == before else each.fact, each.value, *counts, *cells))
        before = each.fact
    return rows


def _drawn(name: str, drawn: Sequence[Drawn]) -> list[Block]:
    plots = tuple(
        Plot(png_uri(each.light), png_uri(each.dark), f"{each.title}, {_named(name)}", each.title) for each in drawn
    )
    return [Heading(_named(name)), Plots(plots, large=True)]


def _mistakes(mistakes: Mapping[str, Mapping[str, Sequence[Mistake]]]) -> Section:
    blocks: list[Block] = [Text("The worst first, one photo of each lesion.", "see")]
    for name, albums in mistakes.items():
        shown = [Album(tuple(_photo(each) for each in album), heading) for heading, album in albums.items()]
        blocks += [Heading(_named(name)), Albums(tuple(shown), large=True)]
    return Section("mistakes", "Worst mistakes", tuple(blocks))


def _photo(mistake: Mistake) -> Photo:
    return Photo(photo_uri(mistake.picture, long_side_px=_THUMBNAIL_PX), mistake.image_id, captions(mistake))


def _called(domain: Domain) -> str:
    return _named(domain.name)


def _named(name: str) -> str:
    return "all photos" if name == ALL else name


def _words(name: str) -> str:
    """A figure's name as a reader wants it."""
    words = name.replace("_", " ").replace("auc", "AUC").replace("macro f1", "macro F1").replace("brier", "Brier")
    return re.sub(r"(\d+) sensitivity", r"\1 % sensitivity", words)


def _rounded(figure: Estimate) -> str:
    """Two digits are enough for the few photos of a slice."""
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


def _estimate(figure: Estimate | None) -> str:
    return NONE if figure is None else str(figure)


def _gain(gain: Gain | None) -> str:
    return NONE if gain is None else str(gain.difference)
