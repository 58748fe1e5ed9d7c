"""The part of a table that a model may be judged on: its own table, and of that what its recipe sees."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ml_models.artefact import ModelDocument
from ml_pipeline.data.proof import refuse_leakage, refuse_other_data
from ml_pipeline.data.records import Record
from ml_pipeline.errors import PipelineError
from ml_pipeline.training.selection import seen_by


@dataclass(frozen=True, slots=True)
class TrainedTable:
    """Records of all splits, and how many were left out because the model does not have their label."""

    records: tuple[Record, ...]
    unknown_labels: Mapping[str, int]


def table_of(
    records: Sequence[Record], document: ModelDocument, *, all_sources: bool = False, skip_unknown_labels: bool = False
) -> TrainedTable:
    """What the model's recipe sees of its table, or with `all_sources` the sources that it did not see as well.

    Raises LeakageError for a table that leaks or that the model was not trained on, and PipelineError for labels that
    the model does not have, unless its recipe chose its labels or they are to be skipped.
    """
    refuse_leakage(records)
    refuse_other_data(records, document.provenance.get("data_sha256", ""))
    recipe = document.provenance.get("recipe", {})
    sources, codes = () if all_sources else recipe.get("sources", ()), set(document.codes)
    seen = [record for record in records if seen_by(record, sources)]
    unknown = Counter(record.label for record in seen if record.label not in codes)
    if unknown and not (recipe.get("labels") or skip_unknown_labels):
        raise PipelineError(
            f"The table has labels that the model does not know: {dict(sorted(unknown.items()))}. It knows "
            f"{', '.join(document.codes)}. Leave those photos out with --skip-unknown-labels."
        )
    return TrainedTable(tuple(record for record in seen if record.label in codes), dict(sorted(unknown.items())))
