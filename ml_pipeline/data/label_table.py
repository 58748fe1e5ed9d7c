"""The classes of a built table, as rows of `labels.csv` beside `records.csv`: what a model made from it says of them.

Known codes have their row in the catalogue (`ml_models/labels.py`), other classes what mapping files say of them. What
nobody says is filled in with caution. Which class a photo has is the sources' business.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ml_models.classification import Severity
from ml_models.labels import BY_CODE, CODES, GENERIC_ADVICE, Label, problem_with
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources.source import LabelFacts, index_rows, label_facts, read_table
from ml_pipeline.errors import SourceError
from ml_pipeline.files import write_table

TABLE = "labels.csv"

_COLUMNS = ("code", "name", "malignant", "severity", "advice")
_MALIGNANT = {True: "yes", False: "no", None: ""}
_SEVERITY = {True: Severity.HIGH, False: Severity.LOW, None: Severity.MODERATE}


def labels_of(records: Iterable[Record], table: Path | None) -> tuple[Label, ...]:
    """The rows of the classes that occur in the records: known codes in the catalogue's order, then others sorted.

    Rows come from the table where there is such a file, else from the catalogue; a class that neither knows is named
    after its code, and its malignancy is unknown. Raises SourceError.
    """
    rows = {label.code: label for label in (read_labels(table) if table and table.is_file() else ())}
    return tuple(rows.get(code) or _label(LabelFacts(code)) for code in in_order(record.label for record in records))


def labels_from(codes: Iterable[str], facts: Iterable[LabelFacts]) -> tuple[Label, ...]:
    """The rows of these classes, made of all that mappings say of them.

    Raises SourceError where two mappings, or a mapping and the catalogue, contradict each other.
    """
    by_code: dict[str, list[LabelFacts]] = defaultdict(list)
    for each in facts:
        by_code[each.code].append(each)
    return tuple(_label(_joined(code, by_code[code])) for code in in_order(codes))


def write_labels(labels: Sequence[Label], path: Path) -> None:
    """Write rows as CSV, in the order given; the same rows give the same bytes."""
    write_table(
        path,
        _COLUMNS,
        ((label.code, label.name, _MALIGNANT[label.malignant], label.severity, label.advice) for label in labels),
    )


def read_labels(path: Path) -> tuple[Label, ...]:
    """Read what `write_labels` or a person wrote, in the order of the codes; empty cells are filled in.

    Raises SourceError naming file, row and remedy.
    """
    rows = index_rows(
        read_table(path, ("code",), remedy=f"Build the table again: it writes {TABLE} beside its records."),
        key=lambda row: row.required("code"),
        remedy="Keep one row for each class.",
    )
    return tuple(_label(label_facts(row, code)) for code, row in rows.items())


def in_order(codes: Iterable[str]) -> tuple[str, ...]:
    """Each code once: known ones in the catalogue's order, then others sorted."""
    unique = set(codes)
    return (*(code for code in CODES if code in unique), *sorted(unique - set(CODES)))


def _joined(code: str, facts: Sequence[LabelFacts]) -> LabelFacts:
    """All that is said of one class; what one leaves open another may say."""
    stated = {
        name: {getattr(each, name): each.where for each in facts if getattr(each, name) not in (None, "")}
        for name in ("name", "malignant", "severity", "advice")
    }
    for name, where_by_value in stated.items():
        if len(where_by_value) > 1:
            said = ", ".join(f"{_word(value)!r} ({where})" for value, where in where_by_value.items())
            raise SourceError(f"Mappings contradict each other on the {name} of {code}: {said}. Make them agree.")
    return LabelFacts(
        code,
        where=next((each.where for each in facts if each.where), ""),
        called=next((each.called for each in facts if each.called), ""),
        **{name: next(iter(values)) for name, values in stated.items() if values},
    )


def _label(facts: LabelFacts) -> Label:
    """The row of one class. Raises SourceError for a class that no model may have.

    A mapping may word a known class in its own way, but not say something else of how dangerous it is.
    """
    plain = BY_CODE.get(facts.code) or Label(
        facts.code,
        _readable(facts.called or facts.code),
        malignant=facts.malignant,
        severity=_SEVERITY[facts.malignant],
        advice=GENERIC_ADVICE,
    )
    label = replace(
        plain,
        name=facts.name or plain.name,
        malignant=plain.malignant if facts.malignant is None else facts.malignant,
        severity=facts.severity or plain.severity,
        advice=facts.advice or plain.advice,
    )
    problem = problem_with(label)
    if facts.code in BY_CODE and label.severity is not plain.severity:
        problem = f"severity of {facts.code} is {label.severity}, but it is known to be {plain.severity}"
    if problem:
        raise SourceError(
            f"{facts.where or facts.code}: {problem}. Correct the row, or map the folder to another label."
        )
    return label


def _readable(name: str) -> str:
    """A folder's name in words, such as "Ring worm" for "ring_worm"; capitals inside stay as they are."""
    words = " ".join(re.split(r"[\s_-]+", name)).strip()
    return words[:1].upper() + words[1:]


def _word(value: object) -> str:
    return _MALIGNANT[value] if isinstance(value, bool) else str(value)
