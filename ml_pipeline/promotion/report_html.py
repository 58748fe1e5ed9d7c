"""The verdict as files: `verdict.json` for machines, `verdict.html` for people. Neither shows a photo."""

from collections.abc import Sequence
from pathlib import Path

from ml_pipeline.evaluation.evaluation import json_text
from ml_pipeline.files import replacing
from ml_pipeline.promotion.verdict import Finding, Outcome, Verdict
from ml_pipeline.report_page.page import (
    Fact,
    Facts,
    Points,
    Row,
    Section,
    Table,
    Text,
    names_and_numbers,
    row,
    write_page,
)
from ml_pipeline.report_page.words import NONE, count, listed, number_of

VERDICT, REPORT = "verdict.json", "verdict.html"
_PASSED, _REFUSED = "passed", "refused"
_ROLES = {Outcome.FAILED: "weak", Outcome.NOT_JUDGED: "part", Outcome.PASSED: ""}
_MEANING = (
    "Champion is the model that serves, candidate the one that may take its place. Both answered the same photos.",
    (
        "A gain is the candidate's figure less the champion's, turned so that positive is better. Its interval is 95 "
        "%: whole lesions are drawn with replacement a thousand times, the same for both models."
    ),
    "What counts is the lower end: a candidate passes when the data rule out that it is worse by more than the margin.",
    (
        "Photos that only reviews brought in are not judged by: a model's doubts chose them, so they flatter whoever "
        "doubted elsewhere."
    ),
    "A figure with too few lesions in one modality is judged over all photos only.",
)


def write_verdict(out: Path, verdict: Verdict) -> None:
    """Write both files; the JSON comes last, so that a folder without it is unfinished."""
    out.mkdir(parents=True, exist_ok=True)
    (out / VERDICT).unlink(missing_ok=True)
    write_page(
        out / REPORT,
        title=f"{verdict.candidate.title}: {_PASSED if verdict.passed else _REFUSED}",
        subtitle=f"beside {verdict.champion.title}, on {number_of(sum(verdict.judged.photos.values()), 'photo')}",
        sections=(
            _headline(verdict),
            _rules(verdict),
            _photos(verdict),
            Section("meaning", "How to read this", (Points(_MEANING),)),
        ),
        footer="Not a medical device. A pass says that the candidate is no worse on these photos, not that it is safe.",
    )
    with replacing(out / VERDICT) as file:
        file.write(json_text(verdict.as_json()))


def printed_verdict(verdict: Verdict) -> str:
    """The verdict for a terminal: a line for each finding, those against it last."""
    ordered = sorted(verdict.findings, key=lambda each: list(_ROLES)[::-1].index(each.outcome))
    lines = [f"  {each.outcome:10}  {each.said}" for each in ordered]
    head = f"{verdict.candidate.title} beside {verdict.champion.title}: {_PASSED if verdict.passed else _REFUSED}"
    return "\n".join([head, *lines])


def _headline(verdict: Verdict) -> Section:
    passed = sum(each.outcome is Outcome.PASSED for each in verdict.findings)
    facts = (
        Fact(_PASSED if verdict.passed else _REFUSED, "the candidate", good=verdict.passed),
        Fact(
            count(passed),
            "rules passed",
            f"{count(len(verdict.failed))} failed, "
            f"{count(len(verdict.findings) - passed - len(verdict.failed))} not judged",
        ),
    )
    if verdict.passed:
        return Section("headline", "In short", (Facts(facts), Text("No rule speaks against the candidate.", "strong")))
    return Section("headline", "In short", (Facts(facts), Points(tuple(each.said for each in verdict.failed))))


def _rules(verdict: Verdict) -> Section:
    columns = names_and_numbers("rule", "photos", "champion", "candidate", "gain", "limit", "")
    reasons = dict.fromkeys(f"{_words(each.rule)}: {each.reason}" for each in verdict.findings)
    table = Table(columns, tuple(_row(each) for each in verdict.findings))
    return Section("rules", "Rule by rule", (table, Points(tuple(reasons))))


def _row(each: Finding) -> Row:
    gain = (
        NONE
        if each.difference is None
        else (f"{each.difference.value:+.3f} [{each.difference.low:+.3f}, {each.difference.high:+.3f}]")
    )
    numbers = (NONE if number is None else f"{number:.4g}" for number in (each.champion, each.candidate))
    limit = NONE if each.limit is None else f"{each.limit:g}"
    return row(
        _words(each.rule), each.domain or NONE, *numbers, gain, limit, each.outcome.value, role=_ROLES[each.outcome]
    )


def _photos(verdict: Verdict) -> Section:
    judged = verdict.judged
    points = [
        f"{modality}: {number_of(photos, 'photo')} of {number_of(judged.lesions[modality], 'lesion')}"
        for modality, photos in judged.photos.items()
    ]
    points += _left_out(verdict)
    digests = tuple(
        row(role, model.title, model.digest)
        for role, model in (("champion", verdict.champion), ("candidate", verdict.candidate))
    )
    return Section(
        "photos",
        "What was judged",
        (Points(tuple(points)), Table(names_and_numbers("", "model", "digest"), digests)),
    )


def _left_out(verdict: Verdict) -> Sequence[str]:
    judged = verdict.judged
    unknown = [f"{label} ({count(number)})" for label, number in judged.unknown_labels.items()]
    return [
        f"{number_of(judged.review_photos, 'test photo')} left out, because only reviews brought them in.",
        *([f"Left out, because not both models know their labels: {listed(unknown)}."] if unknown else []),
        "What the champion held out is not known."
        if judged.champion_test is None
        else f"The champion's own table holds out {number_of(judged.champion_test, 'photo')}.",
    ]


def _words(rule: str) -> str:
    return rule.replace("_", " ")
