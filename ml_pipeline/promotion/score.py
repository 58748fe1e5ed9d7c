"""A model's figures on any table, also on one that it was not trained on: without the photos that it has seen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ml_models.classifier import load_classifier
from ml_pipeline.data.lineage import Lineage, proven
from ml_pipeline.data.proof import refuse_leakage
from ml_pipeline.data.records import Record, Split, of_split, records_digest
from ml_pipeline.errors import PipelineError
from ml_pipeline.evaluation.answers import Answers
from ml_pipeline.evaluation.evaluate import answers_from, ask, logits_of, uncalibrated_answers
from ml_pipeline.evaluation.evaluation import EvaluatedData, Evaluation, evaluated_model
from ml_pipeline.evaluation.measure import measure
from ml_pipeline.evaluation.served import measure_served
from ml_pipeline.promotion.leakage import copies_among, leaks
from ml_pipeline.promotion.promote import Entrant, Work

NOT_CHECKED = "a table from elsewhere: whether the model was trained on some of its photos is not known"


@dataclass(frozen=True, slots=True)
class Score:
    """An evaluation, with the records and answers that it was made from; `size_px` is the model's input."""

    evaluation: Evaluation
    answers: Answers
    uncalibrated: Answers
    records: tuple[Record, ...]
    size_px: int


def score(model: Entrant, records: Sequence[Record], split: Split, *, name: str, work: Work) -> Score:
    """Ask a model about one split of a table; `name` is what the table is called.

    Photos that training or a choice has used are left out, and their copies and relatives too, as far as the lineage
    tells. Raises LeakageError for records that leak or a lineage of another model, PipelineError where nothing is left.
    """
    refuse_leakage(records)
    classifier = load_classifier(model.folder, pool_size=work.workers)
    document = classifier.document
    part = of_split(records, split)
    known = [record for record in part if record.label in document.codes]
    unknown = Counter(record.label for record in part if record.label not in document.codes)
    seen = _seen(known, proven(model.lineage.table, document, model.lineage.before), work) if model.lineage else set()
    judged = tuple(record for record in known if record.image_id not in seen)
    if not judged:
        raise PipelineError(
            f"Of {len(part)} {split} photos of {name} none is left: {len(seen)} were used in training, "
            f"{unknown.total()} have labels that the model does not know."
        )
    given = ask(classifier, judged, workers=work.workers, progress=work.progress)
    logits = logits_of(given)
    answers = answers_from(document, logits, judged)
    held_out = (
        f"{len(seen)} photos that training has used, or copies of them, are left out" if model.lineage else NOT_CHECKED
    )
    data = EvaluatedData(
        f"{name}, {split} split", held_out, len(judged), 0, dict(sorted(unknown.items())), False, records_digest(judged)
    )
    evaluation = Evaluation(
        evaluated_model(document, classifier.identity),
        data,
        measure(answers, judged),
        measure_served(document, given, judged),
        negatives=(),
        rivals=(),
    )
    uncalibrated = uncalibrated_answers(document, logits, judged)
    return Score(evaluation, answers, uncalibrated, judged, document.input.size_px)


def _seen(records: Sequence[Record], lineage: Lineage, work: Work) -> set[str]:
    """Ids of the records that the model has used, or that show or belong to what it has used."""
    copies = copies_among([*records, *lineage.seen], cache=work.cache, workers=work.workers, progress=work.progress)
    return {leak.tested for leak in leaks(records, lineage.seen, copies)}
