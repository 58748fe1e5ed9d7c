"""Evaluations and comparisons as short tables for a terminal: figures down, domains across."""

from collections.abc import Iterator, Mapping, Sequence

from ml_pipeline.evaluation.bootstrap import DRAWS, Estimate
from ml_pipeline.evaluation.compare import ComparedDomain, Comparison
from ml_pipeline.evaluation.evaluation import Evaluation
from ml_pipeline.evaluation.measure import Domain
from ml_pipeline.evaluation.negatives import JudgedNegatives
from ml_pipeline.evaluation.report_html import remarks
from ml_pipeline.evaluation.served import ROWS

_INTERVALS = f"95 % bootstrap by lesion, {DRAWS} draws"
_NONE = "-"


def printed_evaluation(evaluation: Evaluation) -> str:
    """The figures of every domain, class sensitivities, and other answers beside them."""
    domains = evaluation.domains
    lines = [f"{evaluation.model.title} on {evaluation.data.name}; {_INTERVALS}", *remarks(evaluation.data), ""]
    names = list(dict.fromkeys(name for domain in domains for name in domain.figures))
    rows = [[name, *(_figure(domain.figures, name) for domain in domains)] for name in names]
    lines += _table(["", *map(_head, domains)], rows)
    lines += ["", *_table(["sensitivity", *("" for _ in domains)], _sensitivities(domains))]
    lines += ["", *_served(evaluation)]
    lines += [_negatives(each) for each in evaluation.negatives]
    for rival in evaluation.rivals:
        known = list(dict.fromkeys(name for figures in rival.figures.values() for name in figures))
        rows = [[name, *(_figure(rival.figures[domain.name], name) for domain in domains)] for name in known]
        lines += ["", *_table([rival.name, *("" for _ in domains)], rows)]
        lines += [
            f"{name} gained over it, {domain}: {gain.difference} (paired)"
            for domain, gains in rival.gains.items()
            for name, gain in gains.items()
        ]
    reasons = dict.fromkeys(reason for domain in domains for reason in _left_out(domain))
    return "\n".join([*lines, *(["", *reasons] if reasons else [])])


def printed_comparison(comparison: Comparison) -> str:
    """Both models and the difference, domain by domain."""
    lines = [f"A: {comparison.first}", f"B: {comparison.second}", f"{_INTERVALS}, paired; positive: B is better"]
    for domain in comparison.domains:
        both = domain.agreement
        lines += [
            "",
            *_table(
                ["", "A", "B", "B gains", "draws in which B is not better"], list(_compared(domain)), _head(domain)
            ),
            (
                f"right: both {both.both_right}, only A {both.only_first}, only B {both.only_second}, "
                f"neither {both.both_wrong} photos"
            ),
        ]
    return "\n".join(lines)


def _served(evaluation: Evaluation) -> list[str]:
    """What people would have been told, domain by domain, and what gating does to accuracy."""
    domains = evaluation.served
    rows = [[words, *(_cell(getattr(each, field)) for each in domains.values())] for words, field in ROWS]
    names = dict.fromkeys(
        (photos, name) for each in domains.values() for photos, figures in each.figures.items() for name in figures
    )
    rows += [
        [f"{name}, {photos}", *(_figure(each.figures.get(photos, {}), name) for each in domains.values())]
        for photos, name in names
    ]
    refused = [", ".join(f"{reason} {count}" for reason, count in each.reasons.items()) for each in domains.values()]
    return _table(["as served, modality found by the gate", *domains], [*rows, ["refused for", *refused]])


def _cell(value: object) -> str:
    if value is None:
        return _NONE
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _negatives(each: JudgedNegatives) -> str:
    seen = "the part held out of all choices" if each.chosen_on else "held out of all choices"
    return (
        f"{each.source} ({seen}): {each.photos} photos, {each.rejected} rejected ({each.not_a_lesion} as no lesion), "
        f"{each.answered} answered, {each.safe} called safe"
        f"{'' if each.auroc is None else f'; AUROC against the lesions {each.auroc:.4f}'}"
    )


def _compared(domain: ComparedDomain) -> Iterator[list[str]]:
    for name, gain in domain.gains.items():
        yield [
            name,
            _figure(domain.first, name),
            _figure(domain.second, name),
            f"{gain.difference.value:+.3f} [{gain.difference.low:+.3f}, {gain.difference.high:+.3f}]",
            f"{gain.not_better:.1%}",
        ]


def _sensitivities(domains: Sequence[Domain]) -> list[list[str]]:
    rows = []
    for index, each in enumerate(domains[0].classes):
        classes = [domain.classes[index] for domain in domains]
        cells = [f"{_figure(one.figures, 'sensitivity')} {one.photos:>6}" if one.photos else _NONE for one in classes]
        rows.append([f"  {each.code}", *cells])
    return rows


def _left_out(domain: Domain) -> Iterator[str]:
    for name, reason in domain.left_out.items():
        yield f"no {name}{f' for {domain.name}' if reason.startswith('needs') else ''}: {reason}"


def _head(domain: Domain | ComparedDomain) -> str:
    return f"{domain.name} ({domain.photos} photos, {domain.lesions} lesions)"


def _figure(figures: Mapping[str, Estimate], name: str) -> str:
    return str(figures[name]) if name in figures else _NONE


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> list[str]:
    """Lines with left-aligned columns."""
    head = [head[0] or title, *head[1:]]
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (head, *rows)
    ]
