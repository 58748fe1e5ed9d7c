"""Commands that judge models: `evaluate`, `compare` two, one on two `copies`, and on several photos of a lesion."""

import argparse
import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

from ml_models.classification import Modality
from ml_pipeline.errors import PipelineError
from ml_pipeline.executor import available_cores

NEEDS = ("scipy", "sklearn", "tqdm", "jinja2", "matplotlib")
_SPLITS = ("test", "validation", "train")
_EVALUATE_EPILOG = """The table of labels has a column image (also image_id, isic_id, filename, img_id) and a column
label (also dx, diagnosis, diagnostic), or is an ISIC ground truth with a column per class; lesion_id, patient_id, age,
sex, site, modality and fitzpatrick are used where they are there. The folder written shows licensed photos: keep it out
of git."""
Commands = Any  # argparse names this type only privately


def add_commands(commands: Commands) -> None:
    """Add `evaluate` and `compare`."""
    evaluate = commands.add_parser("evaluate", help="figures of a model on labelled photos", epilog=_EVALUATE_EPILOG)
    evaluate.add_argument("--model", type=Path, required=True, metavar="DIR")
    _add_photos(evaluate)
    evaluate.add_argument("--out", type=Path, metavar="DIR", help="write figures, predictions, plots and report there")
    evaluate.add_argument(
        "--negatives",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders of photos without a lesion: how many of each pass as one",
    )
    evaluate.add_argument(
        "--backbone-weights",
        metavar="FILE|imagenet|none",
        help="set a linear probe on the frozen backbone beside the model (test split of --records only)",
    )
    evaluate.set_defaults(run=_evaluate, needs=NEEDS)

    compare = commands.add_parser("compare", help="two models on the same photos: paired differences")
    compare.add_argument("first", type=Path, metavar="A", help="model folder, or folder of `evaluate --out`")
    compare.add_argument("second", type=Path, metavar="B", help="the same")
    _add_photos(compare)
    compare.add_argument("--out", type=Path, metavar="DIR", help="write comparison.json there")
    compare.set_defaults(run=_compare, needs=NEEDS)

    copies = commands.add_parser("copies", help="a model on two copies of the same photos: does sharpness decide?")
    copies.add_argument("--model", type=Path, required=True, metavar="DIR")
    copies.add_argument("--records", type=Path, required=True, metavar="CSV", help="records.csv of `build`")
    copies.add_argument("--split", choices=_SPLITS, default=_SPLITS[1])
    copies.add_argument(
        "--folder", type=Path, nargs=2, required=True, metavar=("FIRST", "SECOND"), help="copies under the same ids"
    )
    copies.add_argument("--workers", type=int, default=available_cores(), metavar="N")
    copies.set_defaults(run=_copies, needs=NEEDS)

    fuse = commands.add_parser("fuse", help="several photos of one lesion: are they answered better together?")
    fuse.add_argument("--model", type=Path, required=True, metavar="DIR")
    fuse.add_argument("--records", type=Path, required=True, metavar="CSV", help="records.csv of `build`")
    fuse.add_argument("--split", choices=_SPLITS, default=_SPLITS[1])
    fuse.add_argument(
        "--modality", type=Modality, choices=tuple(Modality), default=Modality.DERMATOSCOPIC, metavar="|".join(Modality)
    )
    fuse.set_defaults(run=_fuse, needs=NEEDS)


def _add_photos(parser: argparse.ArgumentParser) -> None:
    photos = parser.add_argument_group("photos: a split of the table that the model was trained on, or any folder")
    photos.add_argument("--records", type=Path, metavar="CSV", help="records.csv of `build`")
    photos.add_argument("--split", choices=_SPLITS, help="of --records; default test")
    photos.add_argument(
        "--all-sources", action="store_true", help="also sources of --records that the model's recipe left out"
    )
    photos.add_argument("--images", type=Path, metavar="DIR", help="folder of photos, at any depth")
    photos.add_argument("--labels", type=Path, metavar="CSV", help="their labels")
    photos.add_argument(
        "--modality",
        type=Modality,
        choices=tuple(Modality),
        metavar="|".join(Modality),
        help="of photos for which the table does not say; default: ISIC's ids dermatoscopic, others clinical",
    )
    photos.add_argument("--skip-unknown-labels", action="store_true", help="leave out labels that the model lacks")
    parser.add_argument(
        "--workers", type=int, default=available_cores(), metavar="N", help="threads that ask the model"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _evaluate(options: argparse.Namespace) -> None:
    from ml_models.classifier import load_classifier
    from ml_pipeline.evaluation.evaluate import answers_from, ask, logits_of, uncalibrated_answers
    from ml_pipeline.evaluation.evaluation import Evaluation, evaluated_model, json_text
    from ml_pipeline.evaluation.measure import measure
    from ml_pipeline.evaluation.negatives import judge_negatives
    from ml_pipeline.evaluation.outputs import write_evaluation
    from ml_pipeline.evaluation.printed import printed_evaluation
    from ml_pipeline.evaluation.served import measure_served
    from ml_pipeline.progress import bars

    _check(options, photos_needed=True)
    classifier = load_classifier(options.model, pool_size=options.workers)
    document = classifier.document
    records, data = _photos(options, document)
    given = ask(classifier, records, workers=options.workers, progress=bars)
    logits = logits_of(given)
    answers = answers_from(document, logits, records)
    evaluation = Evaluation(
        evaluated_model(document, classifier.identity),
        data,
        measure(answers, records),
        measure_served(document, given, records),
        tuple(judge_negatives(classifier, folder, given, workers=options.workers) for folder in options.negatives),
        _rivals(options, document, answers, logits, records),
    )
    if options.out:
        write_evaluation(
            options.out,
            evaluation,
            answers,
            uncalibrated_answers(document, logits, records),
            records,
            size_px=document.input.size_px,
        )
    print(json_text(dataclasses.asdict(evaluation)).rstrip() if options.json else printed_evaluation(evaluation))
    if options.out and not options.json:
        print(f"\nwrote {options.out}: it shows photos, keep it out of git")


def _rivals(options: argparse.Namespace, document: Any, answers: Any, logits: Any, records: Any) -> tuple[Any, ...]:
    """The same model as long as nobody tells it the modality, and told of age, sex and site, where either differs.

    And the linear probe, where asked for.
    """
    import numpy as np

    from ml_pipeline.evaluation.evaluate import answers_from
    from ml_pipeline.evaluation.measure import rival

    asked_otherwise = {
        "as served while the modality is unknown": answers_from(document, logits, records, modality_known=False),
        "told of age, sex and site": answers_from(document, logits, records, patient_facts=True),
    }
    others = {
        name: other
        for name, other in asked_otherwise.items()
        if not (
            np.array_equal(other.probabilities, answers.probabilities)
            and np.array_equal(other.flagged, answers.flagged)
        )
    }
    if options.backbone_weights:
        from ml_pipeline.evaluation.probe import linear_probe

        others["linear probe on the frozen backbone"] = linear_probe(
            _table(options, document).records,
            backbone=document.provenance["recipe"]["backbone"],
            size_px=document.input.size_px,
            weights=None if options.backbone_weights == "none" else options.backbone_weights,
            like=answers,
        )
    modalities = np.array([str(record.modality) for record in records])
    return tuple(rival(name, other, answers, modalities) for name, other in others.items())


def _compare(options: argparse.Namespace) -> None:
    from ml_models.artefact import DOCUMENT
    from ml_pipeline.evaluation.compare import compare
    from ml_pipeline.evaluation.evaluation import json_text
    from ml_pipeline.evaluation.predictions import read_predictions
    from ml_pipeline.evaluation.printed import printed_comparison
    from ml_pipeline.files import replacing

    folders = (options.first, options.second)
    models = [folder for folder in folders if (folder / DOCUMENT).is_file()]
    _check(options, photos_needed=bool(models))
    first, second = (_asked(options, each) if each in models else read_predictions(each) for each in folders)
    comparison = compare(first, second)
    text = json_text(dataclasses.asdict(comparison))
    if options.out:
        with replacing(options.out / "comparison.json") as file:
            file.write(text)
    print(text.rstrip() if options.json else printed_comparison(comparison))


def _asked(options: argparse.Namespace, folder: Path) -> Any:
    """A model's predictions of the photos."""
    from ml_models.classifier import load_classifier
    from ml_pipeline.evaluation.evaluate import answers_from, ask, logits_of
    from ml_pipeline.evaluation.predictions import predictions
    from ml_pipeline.progress import bars

    classifier = load_classifier(folder, pool_size=options.workers)
    document = classifier.document
    records, _ = _photos(options, document)
    logits = logits_of(ask(classifier, records, workers=options.workers, progress=bars))
    return predictions(f"{document.name} {document.version}", answers_from(document, logits, records), records)


def _copies(options: argparse.Namespace) -> None:
    from ml_models.classifier import load_classifier
    from ml_pipeline.data.records import Split, of_split, read_records
    from ml_pipeline.evaluation.copies import compare_copies, copies_in, printed_copies
    from ml_pipeline.evaluation.evaluate import answers_from, ask, logits_of
    from ml_pipeline.evaluation.trained_table import table_of
    from ml_pipeline.progress import bars

    classifier = load_classifier(options.model, pool_size=options.workers)
    document = classifier.document
    table = table_of(read_records(options.records), document)
    records = of_split(table.records, Split(options.split))
    first, second = (copies_in(records, folder) for folder in options.folder)
    both = [record.image_id for record in records if record.image_id in first and record.image_id in second]
    if not both:
        raise PipelineError(f"No photo of the {options.split} split is in both folders. Give folders with its copies.")
    answers = []
    for found in (first, second):
        chosen = [found[image_id] for image_id in both]
        logits = logits_of(ask(classifier, chosen, workers=options.workers, progress=bars))
        answers.append(answers_from(document, logits, chosen))
    print(printed_copies(compare_copies(*answers)))


def _fuse(options: argparse.Namespace) -> None:
    from ml_models.classifier import load_classifier
    from ml_pipeline.data.records import Split, of_split, read_records
    from ml_pipeline.evaluation.fusion import lesions_with_several_photos, measure_fusion, printed_fusion
    from ml_pipeline.evaluation.trained_table import table_of
    from ml_pipeline.progress import bars

    classifier = load_classifier(options.model)
    records = of_split(table_of(read_records(options.records), classifier.document).records, Split(options.split))
    lesions = lesions_with_several_photos(records, options.modality)
    print(f"{classifier.document.name} {classifier.document.version}, {options.split} split of {options.records.name}")
    print(printed_fusion(measure_fusion(classifier, lesions, progress=bars)))


def _photos(options: argparse.Namespace, document: Any) -> Any:
    """Records to judge a model on, and what the evaluation says of them."""
    from ml_pipeline.data.records import Split, of_split
    from ml_pipeline.evaluation.evaluation import of_folder, of_table
    from ml_pipeline.evaluation.labelled_folder import read_labelled_folder

    if options.records:
        split = Split(options.split or _SPLITS[0])
        table = _table(options, document)
        records = of_split(table.records, split)
        if not records:
            raise PipelineError(f"{options.records} has no photo in its {split} split. Choose another with --split.")
        name = f"{options.records.name}, {split} split"
        return records, of_table(name, split, records, unknown_labels=table.unknown_labels)
    folder = read_labelled_folder(
        options.images,
        options.labels,
        document.labels,
        modality=options.modality,
        skip_unknown_labels=options.skip_unknown_labels,
    )
    return folder.records, of_folder(f"{options.images.name} with {options.labels.name}", folder)


def _table(options: argparse.Namespace, document: Any) -> Any:
    from ml_pipeline.data.records import read_records
    from ml_pipeline.evaluation.trained_table import table_of

    return table_of(
        read_records(options.records),
        document,
        all_sources=options.all_sources,
        skip_unknown_labels=options.skip_unknown_labels,
    )


def _check(options: argparse.Namespace, *, photos_needed: bool) -> None:
    """Refuse options that do not go together before anything is loaded."""
    given = bool(options.records), bool(options.images and options.labels)
    halved = bool(options.images) != bool(options.labels)
    if halved or all(given) or (photos_needed and not any(given)):
        raise PipelineError("Give either --records CSV or both --images DIR and --labels CSV: the photos to judge by.")
    if (options.split or options.all_sources) and not options.records:
        raise PipelineError("--split and --all-sources go with --records only: a folder of photos has neither.")
    if options.workers < 1:
        raise PipelineError(f"--workers {options.workers} is less than 1. Give the number of threads.")
    if getattr(options, "backbone_weights", None):
        if not options.records or (options.split or _SPLITS[0]) != _SPLITS[0]:
            raise PipelineError("The linear probe needs the splits of --records and answers its test split only.")
        if importlib.util.find_spec("keras") is None:
            raise PipelineError("The linear probe needs keras: pip install -r requirements.txt")
