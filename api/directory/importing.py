"""Filling the directory from a CSV file: all of it or nothing, and every mistake with its row and its remedy."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from api.directory.models import Dermatologist

COLUMNS = ("name", "speciality", "address", "city", "latitude", "longitude", "phone", "rating")
_DERIVED = ("city_key", "identity")
_NOT_UTF_8 = gettext_lazy("The file is not UTF-8. Save it as “CSV UTF-8” and try again.")
_MAX_REPORTED = 20
_BATCH_SIZE = 1000


class DirectoryFileError(Exception):
    """The file was not imported; `problems` are texts for the person who made it, each with a row and a remedy."""

    def __init__(self, problems: Sequence[Any]) -> None:
        self.problems = [str(problem) for problem in problems]
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import has done."""

    created: int
    updated: int


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells without surrounding blanks; `number` counts the header as 1."""

    number: int
    cells: list[str]
    names: list[str] = field(default_factory=list)


def import_dermatologists(*, content: bytes) -> ImportSummary:
    """Add the entries of a CSV file and update those known by name, address and city.

    UTF-8, separated by commas or semicolons, with `COLUMNS` named in the first row. Entries that the file does not
    have are left alone. Raises DirectoryFileError, and then nothing has been changed.
    """
    entries = _entries(_rows(content))
    with transaction.atomic():
        before = Dermatologist.objects.count()
        Dermatologist.objects.bulk_create(
            entries,
            batch_size=_BATCH_SIZE,
            update_conflicts=True,
            unique_fields=["identity"],
            update_fields=[*COLUMNS, "city_key"],
        )
        created = Dermatologist.objects.count() - before
    return ImportSummary(created=created, updated=len(entries) - created)


def _rows(content: bytes) -> list[_Row]:
    """The rows below the header, numbered as a spreadsheet does; blank ones are left out."""
    text = _text(content)
    header = text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    numbered, number = [], 0
    try:
        for number, cells in enumerate(reader, start=1):
            numbered.append(_Row(number, [cell.strip() for cell in cells]))
    except csv.Error as error:
        problem = _("Row %(row)d: it cannot be read (%(reason)s). Check its quotation marks.")
        raise DirectoryFileError([problem % {"row": number + 1, "reason": error}]) from error
    names = [name.lower() for name in numbered[0].cells] if numbered else []
    _check_header(names)
    rows = [replace(row, names=names) for row in numbered[1:] if any(row.cells)]
    if not rows:
        raise DirectoryFileError([_("The file has no entries below its first row. Add some.")])
    return rows


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DirectoryFileError([_NOT_UTF_8]) from error
    if "\0" in text:  # what UTF-16 looks like in UTF-8
        raise DirectoryFileError([_NOT_UTF_8])
    return text


def _check_header(names: list[str]) -> None:
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        problem = _("Row 1: columns are missing: %(missing)s. The first row must name: %(columns)s.")
        raise DirectoryFileError([problem % {"missing": ", ".join(missing), "columns": ", ".join(COLUMNS)}])
    if len(set(names)) < len(names):
        raise DirectoryFileError([_("Row 1: a column is named twice. Remove one of the two.")])


def _entries(rows: list[_Row]) -> list[Dermatologist]:
    entries, problems, row_of = [], [], dict[str, int]()
    for row in rows:
        if len(row.cells) != len(row.names):
            text = _(
                "Row %(row)d: it has %(cells)d values for %(columns)d columns. "
                "Put texts that contain the separator in quotation marks."
            )
            problems.append(text % {"row": row.number, "cells": len(row.cells), "columns": len(row.names)})
            continue
        entry = _entry(row)
        problems += _problems(row, entry)
        earlier = row_of.setdefault(entry.identity, row.number)
        if earlier != row.number:
            text = _("Row %(row)d: it has the name, address and city of row %(earlier)d. Remove one of the two.")
            problems.append(text % {"row": row.number, "earlier": earlier})
        entries.append(entry)
    if problems:
        raise DirectoryFileError(_shortened(problems))
    return entries


def _entry(row: _Row) -> Dermatologist:
    values: dict[str, Any] = dict(zip(row.names, row.cells, strict=True))
    entry = Dermatologist(**{column: values[column] for column in COLUMNS} | {"rating": values["rating"] or None})
    entry.derive_keys()
    return entry


def _problems(row: _Row, entry: Dermatologist) -> list[str]:
    try:
        entry.clean_fields(exclude=_DERIVED)
    except ValidationError as error:
        return [
            _("Row %(row)d, %(column)s: %(text)s") % {"row": row.number, "column": column, "text": text}
            for column, texts in error.message_dict.items()
            for text in texts
        ]
    return []


def _shortened(problems: list[str]) -> list[str]:
    more = len(problems) - _MAX_REPORTED
    if more <= 0:
        return problems
    return [*problems[:_MAX_REPORTED], _("And %(count)d more.") % {"count": more}]
