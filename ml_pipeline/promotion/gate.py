"""The gate itself: two models' answers to the same frozen photos against the rules. Opens no file and asks no model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_models.artefact import ModelDocument
from ml_pipeline.data.records import Record
from ml_pipeline.evaluation.bootstrap import Estimate, estimate_mean, gains
from ml_pipeline.evaluation.evaluation import EvaluatedModel
from ml_pipeline.evaluation.measure import ALL, domain_rows
from ml_pipeline.evaluation.metrics import photo_metrics
from ml_pipeline.promotion.leakage import Leak
from ml_pipeline.promotion.rules import FigureRule, FloorRule, Kind, Rules, ShareRule
from ml_pipeline.promotion.served import Served, with_codes
from ml_pipeline.promotion.verdict import Finding, Judged, Outcome, Verdict, finding

_NAMED = 3  # photos named in a sentence


@dataclass(frozen=True, slots=True)
class Contender:
    """One model: what it served, what of the test it has seen (None: nobody knows), photos of its training now gone."""

    role: str
    document: ModelDocument
    model: EvaluatedModel
    served: Served
    leaks: tuple[Leak, ...] | None
    gone: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Contest:
    """Two models and the photos that both were asked about; `latency_ratio` is the candidate's time over the other's.

    `frozen_missing` is the share of the champion's own test photos that are not among `records`, where that is known.
    """

    champion: Contender
    candidate: Contender
    records: Sequence[Record]
    judged: Judged
    latency_ratio: float
    frozen_missing: float | None

    @property
    def domains(self) -> dict[str, NDArray[np.intp]]:
        """Rows of each domain; the first holds all photos."""
        return domain_rows(np.array([str(record.modality) for record in self.records]))

    def lesions(self, kind: Kind, rows: NDArray[np.intp]) -> int:
        """How many lesions of a kind there are among these photos."""
        served = self.candidate.served
        return len(np.unique(served.answers.groups[rows][kind.of(served)[rows]]))


@dataclass(frozen=True, slots=True)
class _Compared:
    """One figure of both models in one domain, and what the candidate gains."""

    champion: float
    candidate: float
    gain: Estimate


def judge(contest: Contest, rules: Rules) -> Verdict:
    """Hold the candidate against every rule."""
    return Verdict(contest.champion.model, contest.candidate.model, contest.judged, tuple(_findings(contest, rules)))


def _findings(contest: Contest, rules: Rules) -> Iterator[Finding]:
    yield from (_unseen(each) for each in (contest.candidate, contest.champion))
    yield from _frozen(contest, rules)
    yield _enough(contest, rules)
    same_labels = _labels(contest)
    yield same_labels
    yield _thresholds(contest)
    if same_labels.outcome is Outcome.PASSED:  # over different classes no figure can be compared
        yield from _figures(contest, rules)
        for share in rules.shares:
            yield from _shares(contest, share, rules)
    for floor in rules.floors:
        yield from _floors(contest, floor, rules)
    yield _latency(contest, rules)
    yield _size(contest, rules)


def _unseen(contender: Contender) -> Finding:
    """Neither training nor a choice has used a photo of the test, or one that shows the same."""
    rule, reason = f"{contender.role}_unseen_test", "A model that has seen the test is better there than anywhere else."
    found = contender.leaks
    if found is None:
        said = f"What the {contender.role} was trained on is not known, so it may have seen the test. Give its table."
        return finding(rule, said, reason, passed=False)
    if found:
        named = "; ".join(f"{leak.tested} and {leak.seen}: {leak.why}" for leak in found[:_NAMED])
        said = f"The {contender.role} has seen {len(found)} test photos: {named}."
        return finding(rule, said, reason, passed=False)
    said = f"The {contender.role} has seen no test photo: no id, lesion, patient, file or copy in common."
    if contender.gone:
        said += f" {contender.gone} photos that it learned from are gone: their copies could not be looked for."
    return finding(rule, said, reason, passed=True)


def _frozen(contest: Contest, rules: Rules) -> Iterator[Finding]:
    missing = contest.frozen_missing
    if missing is not None:
        yield finding(
            "frozen_test",
            f"{missing:.1%} of the photos that the champion's table holds out are missing from this test.",
            "A test that changes with every training cannot show progress, and could be chosen to flatter.",
            passed=missing <= rules.most_frozen_missing,
            candidate=missing,
            limit=rules.most_frozen_missing,
        )


def _enough(contest: Contest, rules: Rules) -> Finding:
    everything = np.arange(len(contest.records))
    counts = {kind: contest.lesions(kind, everything) for kind in Kind.told_by(contest.candidate.served)}
    untested = set(contest.candidate.document.malignancy_thresholds) - {record.modality for record in contest.records}
    said = f"The test has lesions: {', '.join(f'{kind} {count}' for kind, count in counts.items())}."
    if untested:
        said += f" It has no {', '.join(sorted(untested))} photos, for which the candidate has a threshold."
    return finding(
        "enough_lesions",
        said,
        "Two models that are never asked a hard question are equally good.",
        passed=not untested and min(counts.values()) >= rules.fewest_lesions,
        candidate=float(min(counts.values())),
        limit=float(rules.fewest_lesions),
    )


def _labels(contest: Contest) -> Finding:
    theirs, ours = (set(each.document.codes) for each in (contest.champion, contest.candidate))
    changes = [f"without {code}" for code in sorted(theirs - ours)] + [f"with {code}" for code in sorted(ours - theirs)]
    return finding(
        "label_set",
        f"The candidate answers other classes: {', '.join(changes)}."
        if changes
        else "The candidate answers the same classes.",
        "Figures over different classes cannot be compared, and clients know the classes. A person has to decide.",
        passed=not changes,
    )


def _thresholds(contest: Contest) -> Finding:
    theirs, ours = (set(each.document.malignancy_thresholds) for each in (contest.champion, contest.candidate))
    lost = sorted(theirs - ours)
    return finding(
        "thresholds_kept",
        f"The candidate has no warning threshold for {', '.join(lost)} photos; the champion has."
        if lost
        else "The candidate has a warning threshold wherever the champion has one.",
        "Without one no photo of that kind can be called safe, and suspicious ones go by the top class alone.",
        passed=not lost,
    )


def _figures(contest: Contest, rules: Rules) -> Iterator[Finding]:
    ours = contest.candidate.served.answers
    theirs = with_codes(contest.champion.served.answers, ours.codes)
    asked = {rule.figure for rule in rules.figures} & set(photo_metrics(theirs))
    metrics = {name: metric for name, metric in photo_metrics(ours).items() if name in asked}
    for domain, rows in contest.domains.items():
        first, second = theirs.take(rows), ours.take(rows)
        compared = {
            figure: _Compared(metrics[figure](first), metrics[figure](second), gain.difference)
            for figure, gain in gains(first, second, metrics).items()
        }
        for rule in rules.figures:
            if rule.kind in Kind.told_by(contest.candidate.served):
                yield _figure(contest, rule, domain, compared.get(rule.figure), rules)


def _figure(contest: Contest, rule: FigureRule, domain: str, both: _Compared | None, rules: Rules) -> Finding:
    lesions = contest.lesions(rule.kind, contest.domains[domain])
    if _judged_elsewhere(contest, domain, lesions, rules):
        return _not_judged(rule.figure, rule.reason, domain, _too_few(lesions))
    if both is None:
        return _not_judged(rule.figure, rule.reason, domain, _why_not_there(contest))
    gain, limit = both.gain, -rule.margin_in(domain)
    return finding(
        rule.figure,
        f"{_words(rule.figure)}, {domain} photos: the candidate gains {gain.value:+.3f}, at least {gain.low:+.3f}; "
        f"{limit:+.3f} would do.",
        rule.reason,
        passed=gain.low >= limit,
        domain=domain,
        champion=both.champion,
        candidate=both.candidate,
        difference=gain,
        limit=limit,
    )


def _shares(contest: Contest, rule: ShareRule, rules: Rules) -> Iterator[Finding]:
    if rule.kind not in Kind.told_by(contest.candidate.served):
        return
    champion, candidate = contest.champion.served, contest.candidate.served
    among, groups = rule.kind.of(candidate), candidate.answers.groups
    theirs, ours = (rule.happens(each).astype(np.float64) for each in (champion, candidate))
    for name, rows in contest.domains.items():
        chosen, lesions = rows[among[rows]], contest.lesions(rule.kind, rows)
        if not len(chosen) or _judged_elsewhere(contest, name, lesions, rules):
            yield _not_judged(rule.name, rule.reason, name, _too_few(lesions))
            continue
        fewer = estimate_mean((theirs - ours)[chosen], groups[chosen])
        yield finding(
            rule.name,
            f"{_words(rule.name)}, {name} photos: {ours[chosen].mean():.1%} instead of {theirs[chosen].mean():.1%}, "
            f"at most {max(0.0, -fewer.low):.1%} more; {rule.margin:.0%} more would do.",
            rule.reason,
            passed=fewer.low >= -rule.margin,
            domain=name,
            champion=float(theirs[chosen].mean()),
            candidate=float(ours[chosen].mean()),
            difference=fewer,
            limit=-rule.margin,
        )


def _floors(contest: Contest, rule: FloorRule, rules: Rules) -> Iterator[Finding]:
    candidate = contest.candidate
    for modality in sorted(candidate.document.malignancy_thresholds):
        rows = np.flatnonzero([record.modality is modality for record in contest.records])
        answers, lesions = candidate.served.answers.take(rows), contest.lesions(rule.kind, rows)
        name = f"{rule.figure}_floor"
        if lesions < rules.fewest_lesions:
            yield _not_judged(name, rule.reason, modality, _too_few(lesions))
            continue
        value = photo_metrics(answers)[rule.figure](answers)
        yield finding(
            name,
            f"{_words(rule.figure)}, {modality} photos: {value:.3f}; at least {rule.floor:g} is needed.",
            rule.reason,
            passed=value >= rule.floor,
            domain=modality,
            candidate=value,
            limit=rule.floor,
        )


def _latency(contest: Contest, rules: Rules) -> Finding:
    return finding(
        "latency",
        f"The candidate takes {contest.latency_ratio:.2f} times as long as the champion, asked in turns; "
        f"{rules.slowest_ratio:g} times would do.",
        "Workers and time limits are set for the model that serves.",
        passed=contest.latency_ratio <= rules.slowest_ratio,
        candidate=contest.latency_ratio,
        limit=rules.slowest_ratio,
    )


def _size(contest: Contest, rules: Rules) -> Finding:
    champion, candidate = contest.champion.size_bytes, contest.candidate.size_bytes
    return finding(
        "size",
        f"The network has {candidate / 1e6:.1f} MB; {rules.largest_bytes / 1e6:g} MB would do.",
        "The same file goes to phones.",
        passed=candidate <= rules.largest_bytes,
        champion=float(champion),
        candidate=float(candidate),
        limit=float(rules.largest_bytes),
    )


def _judged_elsewhere(contest: Contest, domain: str, lesions: int, rules: Rules) -> bool:
    """Whether a domain is too small, and a part of all photos, among which its photos are judged."""
    widest = ALL if ALL in contest.domains else domain
    return domain != widest and lesions < rules.fewest_lesions


def _why_not_there(contest: Contest) -> str:
    without = [each.role for each in (contest.champion, contest.candidate) if not each.document.malignancy_thresholds]
    if not without:
        return "the test has no such photos."
    return f"nothing is called safe without any warning threshold, which the {' and the '.join(without)} lacks."


def _not_judged(rule: str, reason: str, domain: str, said: str) -> Finding:
    return Finding(rule, Outcome.NOT_JUDGED, f"{_words(rule)}, {domain} photos: {said}", reason, domain=domain)


def _too_few(lesions: int) -> str:
    return f"too few to be judged alone ({lesions} lesions)."


def _words(figure: str) -> str:
    words = figure.replace("_", " ")
    return words[0].upper() + words[1:]
