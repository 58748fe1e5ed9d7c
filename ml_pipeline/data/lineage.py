"""What a model was trained on, kept in its folder: a later test is proven unseen by it.

The files hold licensed labels and facts of people: they stay with models of a deployment and are never shipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_models.artefact import DOCUMENT, ModelDocument, parse_document
from ml_models.labels import Label
from ml_pipeline.data.label_table import TABLE, write_labels
from ml_pipeline.data.proof import refuse_other_data
from ml_pipeline.data.records import Record, Split, read_records, write_records
from ml_pipeline.errors import SourceError

FOLDER = "training"
RECORDS, BEFORE = "records.csv", "before.csv"


@dataclass(frozen=True, slots=True)
class Lineage:
    """A model's own `table`, and rows `before` it: of tables of the models before, which its own no longer has.

    A model that started from another one has learned from photos that are not in its table any more.
    """

    table: tuple[Record, ...]
    before: tuple[Record, ...] = ()

    @property
    def rows(self) -> tuple[Record, ...]:
        """All rows, each photo once."""
        return (*self.table, *self.before)

    @property
    def seen(self) -> tuple[Record, ...]:
        """Photos that training or a choice has used."""
        return tuple(record for record in self.rows if record.split is not Split.TEST)

    def followed_by(self, records: Sequence[Record]) -> "Lineage":
        """The lineage of a model that is trained on `records` after this one."""
        there = {record.image_id for record in records}
        return Lineage(tuple(records), tuple(record for record in self.rows if record.image_id not in there))


def proven(table: Sequence[Record], document: ModelDocument, before: Sequence[Record] = ()) -> Lineage:
    """The lineage, once the table is proven to be the model's. Raises LeakageError."""
    refuse_other_data(table, document.provenance.get("data_sha256", ""))
    return Lineage(tuple(table), tuple(before))


def lineage_of(model: Path, *, table: Path | None = None) -> Lineage | None:
    """The lineage in a model folder, or of the table given; None where there is neither.

    Raises LeakageError for a table that the model was not trained on, and SourceError for a folder without a model.
    """
    document = document_of(model)
    own = model / FOLDER
    if (own / RECORDS).is_file():
        before = read_records(own / BEFORE) if (own / BEFORE).is_file() else ()
        return proven(read_records(own / RECORDS), document, before)
    return proven(read_records(table), document) if table else None


def write_lineage(model: Path, lineage: Lineage, labels: Sequence[Label]) -> None:
    """Write the lineage into a model folder."""
    folder = model / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_records(lineage.table, folder / RECORDS)
    write_records(lineage.before, folder / BEFORE)
    write_labels(labels, folder / TABLE)


def document_of(model: Path) -> ModelDocument:
    """What `model.json` of a folder says; nothing else in it is opened."""
    place = model / DOCUMENT
    if not place.is_file():
        raise SourceError(f"No model at {model}: {DOCUMENT} is missing. Name a model folder.")
    return parse_document(place.read_bytes(), where=str(place))
