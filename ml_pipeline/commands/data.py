"""Commands that turn data sets into one table: `build`, and its steps alone."""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml_models.classification import Modality
from ml_pipeline.errors import SourceError
from ml_pipeline.executor import available_cores

NEEDS = ("scipy", "xxhash", "tqdm", "jinja2", "matplotlib")
Commands = Any  # argparse names this type only privately


def add_commands(commands: Commands) -> None:
    """Add `build`, `verify`, `dedup`, `split` and `prove`."""
    build = commands.add_parser("build", help="data sets to one verified, deduplicated, leakage-free table")
    _add_sources(build)
    _add_split(build)
    _add_copies(build, pairs=200)
    build.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the outputs")
    build.add_argument("--allow-missing", action="store_true", help="go on although photos of the tables are absent")
    build.add_argument(
        "--max-missing", type=float, default=0.01, metavar="SHARE", help="absent photos that are no stop"
    )
    build.add_argument("--previous", type=Path, metavar="CSV", help="records.csv whose photos keep their split")
    build.add_argument("--no-report", action="store_true", help="do not write report.html")
    build.set_defaults(run=_build, needs=NEEDS)

    verify = commands.add_parser("verify", help="decode every photo below folders; exit status 1 if one is unusable")
    verify.add_argument("folders", type=Path, nargs="+", metavar="DIR")
    _add_work(verify)
    verify.set_defaults(run=_verify, needs=NEEDS)

    dedup = commands.add_parser("dedup", help="find copies among the photos below folders, whatever they are called")
    dedup.add_argument("folders", type=Path, nargs="+", metavar="DIR")
    dedup.add_argument("--out", type=Path, required=True, metavar="CSV", help="pairs, with evidence and decision")
    _add_copies(dedup, pairs=0)
    dedup.set_defaults(run=_dedup, needs=NEEDS)

    split = commands.add_parser("split", help="split a built table again")
    split.add_argument("--records", type=Path, required=True, metavar="CSV")
    split.add_argument("--duplicates", type=Path, required=True, metavar="CSV")
    split.add_argument("--out", type=Path, required=True, metavar="CSV")
    _add_split(split)
    split.set_defaults(run=_split, needs=NEEDS)

    prove = commands.add_parser("prove", help="prove that a table does not leak; exit status 3 if it does")
    prove.add_argument("--records", type=Path, required=True, metavar="CSV")
    prove.add_argument("--duplicates", type=Path, metavar="CSV")
    prove.set_defaults(run=_prove, needs=())


def _add_sources(parser: argparse.ArgumentParser) -> None:
    sources = parser.add_argument_group("data sets, as they were downloaded and unpacked")
    for name in ("ham10000", "isic2019", "isic2018", "pad-ufes", "reviews"):
        sources.add_argument(f"--{name}", type=Path, metavar="DIR")
    sources.add_argument(
        "--isic2019-labels", type=Path, metavar="CSV", help="its ground truth alone: tells HAM10000's akiec from scc"
    )
    sources.add_argument(
        "--folder",
        type=_named,
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="one folder per class; repeatable",
    )
    sources.add_argument(
        "--mapping", type=_named, action="append", default=[], metavar="NAME=CSV", help="folder,label for such a set"
    )
    sources.add_argument(
        "--dermatoscopic", action="append", default=[], metavar="NAME", help="that set's photos are not clinical ones"
    )


def _add_split(parser: argparse.ArgumentParser) -> None:
    split = parser.add_argument_group("split")
    split.add_argument("--validation", type=float, default=0.15, metavar="SHARE")
    split.add_argument("--test", type=float, default=0.15, metavar="SHARE")
    split.add_argument("--seed", type=int, default=2019)
    split.add_argument("--hold-out", default="", metavar="SOURCE", help="this source is the whole test split")


def _add_copies(parser: argparse.ArgumentParser, *, pairs: int) -> None:
    copies = parser.add_argument_group("copies")
    copies.add_argument("--radius", type=int, choices=range(9), default=8, metavar="0-8", help="bits of 64")
    copies.add_argument("--correlation", type=float, default=0.65, metavar="C", help="from here on two photos are one")
    copies.add_argument(
        "--labelled-pairs", type=int, default=pairs, metavar="N", help="photos to measure recall and precision on"
    )
    _add_work(parser)


def _add_work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=int, default=available_cores(), metavar="N")
    parser.add_argument(
        "--cache", type=Path, metavar="FILE", help="what is known of files (default: beside the output)"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _named(text: str) -> tuple[str, Path]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, Path(value)


def _build(options: argparse.Namespace) -> None:
    from ml_pipeline.data.build import BuildOptions, build
    from ml_pipeline.data.outputs import write_build
    from ml_pipeline.progress import bars

    result = build(
        _readings(options),
        BuildOptions(
            plan=_plan(options),
            limits=_limits(options),
            allow_missing=options.allow_missing,
            max_missing=options.max_missing,
            previous=options.previous,
            labelled_pairs=options.labelled_pairs,
            workers=options.workers,
        ),
        cache=options.cache or options.out / "cache.sqlite3",
        progress=bars,
    )
    summary = write_build(result, options.out, report=not options.no_report)
    if options.json:
        _print_json(summary)
        return
    counts = summary["counts"]
    print(f"{summary['records']} photos in {summary['groups']} groups, without leakage: {options.out}")
    for label, splits in counts["label"].items():
        print(f"  {label:8} " + "  ".join(f"{split} {count:5}" for split, count in splits.items()))
    for source, each in summary["sources"].items():
        print(
            f"{source}: {each['listed']} listed, {each['missing']} missing, {each['not_listed']} files not listed, "
            f"{each['without_lesion_or_patient']} without lesion or patient (copies alone hold them together)"
        )
    print("left out: " + (", ".join(f"{count} {kind}" for kind, count in summary["quarantined"].items()) or "nothing"))
    copies = ", ".join(f"{count} {evidence}" for evidence, count in summary["copies"]["pairs"].items())
    print(f"pairs of copies: {copies or 'none'}")
    if summary["akiec_that_may_be_scc"]:
        print(
            f"{summary['akiec_that_may_be_scc']} photos are akiec only because no source tells akiec from scc by id: "
            "give --isic2019 or --isic2019-labels."
        )


def _readings(options: argparse.Namespace) -> list[Any]:
    from ml_pipeline.data.sources import folders, ham10000, isic2018, isic2019, pad_ufes, reviews

    readers: list[tuple[Path | None, Callable[[Path], Any]]] = [
        (options.ham10000, ham10000.read),
        (options.isic2019, isic2019.read),
        (None if options.isic2019 else options.isic2019_labels, isic2019.read_labels),
        (options.isic2018, isic2018.read),
        (options.pad_ufes, pad_ufes.read),
    ]
    mappings = dict(options.mapping)
    names = [name for name, _ in options.folder]
    stray = (set(mappings) | set(options.dermatoscopic)) - set(names)
    if stray or len(set(names)) < len(names):
        raise SourceError(f"Name each set once with --folder NAME=DIR; seen {names}, and elsewhere {sorted(stray)}.")
    readings = [read(place) for place, read in readers if place]
    for name, folder in options.folder:
        modality = Modality.DERMATOSCOPIC if name in options.dermatoscopic else Modality.CLINICAL
        readings.append(folders.read(name, folder, modality=modality, mapping=mappings.get(name)))
    if options.reviews:
        foreign = {record.label for reading in readings for record in reading.records}
        readings.append(reviews.read(options.reviews, foreign_labels=foreign))
    sources = [reading.source for reading in readings]
    if not sources or len(set(sources)) < len(sources):
        raise SourceError(
            f"A build needs at least one data set, and each name once; seen: {', '.join(sources) or 'none'}. "
            "Add for example --ham10000 DIR or --folder NAME=DIR."
        )
    return readings


def _verify(options: argparse.Namespace) -> int:
    from ml_pipeline.data.survey import survey
    from ml_pipeline.data.verify import FileStatus
    from ml_pipeline.progress import bars

    with tempfile.TemporaryDirectory() as scratch:
        cache = options.cache or Path(scratch) / "cache.sqlite3"
        facts = survey(_photos(options.folders), cache=cache, workers=options.workers, progress=bars)
    bad = {path: each for path, each in facts.items() if each.status is not FileStatus.OK}
    counts = Counter(str(each.status) for each in facts.values())
    if options.json:
        unusable = [{"path": path, "status": each.status, "reason": each.reason} for path, each in bad.items()]
        _print_json({"files": len(facts), "counts": dict(sorted(counts.items())), "unusable": unusable})
    else:
        for path, each in bad.items():
            print(f"{path}: {each.status} ({each.reason})")
        print(f"{len(facts)} files: " + ", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
    return 1 if bad else 0


def _dedup(options: argparse.Namespace) -> None:
    from ml_pipeline.data.cache import Cache
    from ml_pipeline.data.deduplicate import File, find_copies, write_duplicates
    from ml_pipeline.data.labelled_pairs import measure
    from ml_pipeline.data.survey import survey
    from ml_pipeline.data.verify import FileStatus
    from ml_pipeline.progress import bars

    place = options.cache or options.out.with_suffix(".cache.sqlite3")
    facts = survey(_photos(options.folders), cache=place, workers=options.workers, progress=bars)
    files = [File(path, Path(path), each) for path, each in facts.items() if each.status is FileStatus.OK]
    cache = Cache(place)
    try:
        pairs = find_copies(files, limits=_limits(options), workers=options.workers, cache=cache, progress=bars)
    finally:
        cache.close()
    write_duplicates(options.out, files, pairs, lambda _path: "")
    counts = Counter(str(pair.evidence) for pair in pairs if pair.is_copy)
    outcome: dict[str, Any] = {"files": len(facts), "usable": len(files), "copies": dict(sorted(counts.items()))}
    if options.labelled_pairs:
        chosen = [file.path for file in files[:: max(1, len(files) // options.labelled_pairs)]]
        measured = measure(
            chosen[: options.labelled_pairs], limits=_limits(options), seed=0, workers=options.workers, progress=bars
        )
        outcome["labelled_pairs"] = measured.as_json()
    if options.json:
        _print_json(outcome)
        return
    print(f"{len(facts)} files, {len(files)} usable; pairs of copies: {dict(counts) or 'none'}: {options.out}")
    if options.labelled_pairs:
        for change, row in outcome["labelled_pairs"]["changes"].items():
            print(f"  {change:38} {row['joined']:5} of {row['copies']} joined")


def _split(options: argparse.Namespace) -> None:
    from ml_pipeline.data.deduplicate import read_copies
    from ml_pipeline.data.label_table import TABLE, labels_of, write_labels
    from ml_pipeline.data.proof import refuse_leakage
    from ml_pipeline.data.records import read_records, write_records
    from ml_pipeline.data.split import split_records

    copies = read_copies(options.duplicates)
    result = split_records(read_records(options.records), copies, plan=_plan(options))
    refuse_leakage(result.records, copies)
    write_records(result.records, options.out)
    write_labels(labels_of(result.records, options.records.with_name(TABLE)), options.out.with_name(TABLE))
    for record, reason in result.refused:
        print(f"left out: {record.image_id}: {reason}")
    print(f"{len(result.records)} photos, without leakage: {options.out}")


def _prove(options: argparse.Namespace) -> None:
    from ml_pipeline.data.deduplicate import read_copies
    from ml_pipeline.data.proof import refuse_leakage
    from ml_pipeline.data.records import read_records

    records = read_records(options.records)
    refuse_leakage(records, read_copies(options.duplicates) if options.duplicates else ())
    print(f"{len(records)} photos: no lesion, patient, file, cluster or group is in two splits.")


def _photos(folders: list[Path]) -> list[str]:
    from ml_pipeline.data.sources.source import photos_below

    absent = [folder for folder in folders if not folder.is_dir()]
    if absent:
        raise SourceError(f"{absent[0]} is not a folder. Name folders that hold photos.")
    return [str(path) for folder in folders for path in photos_below(folder)]


def _plan(options: argparse.Namespace) -> Any:
    from ml_pipeline.data.split import SplitPlan

    return SplitPlan(options.validation, options.test, options.seed, options.hold_out)


def _limits(options: argparse.Namespace) -> Any:
    from ml_pipeline.data.candidates import Closeness
    from ml_pipeline.data.deduplicate import Limits

    return Limits(Closeness(key_bits=options.radius), options.correlation)


def _print_json(outcome: dict[str, Any]) -> None:
    print(json.dumps(outcome, indent=1, ensure_ascii=False))
