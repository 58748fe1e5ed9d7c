"""What `benchmarks.dedup` prints: tables of what was measured, and the aims judged by it."""

from collections.abc import Sequence
from itertools import pairwise

from benchmarks.aims import Aim, at_least, at_most
from benchmarks.dedup_peer import MIN_PRECISION, PEER, PEER_DEFAULT_BITS, EndToEnd, Found, Operating, Quality
from benchmarks.dedup_search import RADIUS, CandidateSearch, Searched, growth
from benchmarks.dedup_verify import Known
from benchmarks.measuring import Spread, milliseconds, table

_MB = 1e6
_MIN_SHARE = 0.8
_MIN_SPEED_UP = 0.9
_MIN_TIMES_FASTER = 3.0
_MAX_SEARCH_S = 60.0
_MAX_SEARCH_MB = 1000.0
_MAX_GROWTH = 1.7
_MAX_MEMORY_GROWTH = 1.1


def aims(
    known: Sequence[Known],
    end_to_end: Sequence[EndToEnd],
    found: Found,
    random_keys: Sequence[Searched],
    real_keys: Searched,
    radii: dict[int, bool],
    candidates: Sequence[CandidateSearch],
) -> list[Aim]:
    """The aims, each by the figures that decide it."""
    largest = random_keys[-1]
    equal = [each.is_equal for each in (*random_keys, real_keys) if each.is_equal is not None]
    return [
        *(at_least(f"share of the floor, {each.size}", each.shares[0].median, _MIN_SHARE) for each in known),
        *(
            at_least(f"second process, of the floor's, {each.size}", _speed_up_of_floors(each), _MIN_SPEED_UP)
            for each in known
        ),
        *(
            at_least(f"times faster than {PEER}, {each.size}", each.times_faster.median, _MIN_TIMES_FASTER)
            for each in end_to_end
        ),
        *_recall_aims(found),
        at_most(f"search of {largest.keys:,} keys, s", largest.seconds, _MAX_SEARCH_S),
        at_most(f"search of {largest.keys:,} keys, peak MB", largest.peak_bytes / _MB, _MAX_SEARCH_MB),
        at_most("growth exponent of the search, at most", max(growth(random_keys)), _MAX_GROWTH),
        at_least("planted neighbours found", min(each.recall for each in random_keys), 1.0),
        at_least("equal to brute force, of all", float(all((*equal, *radii.values()))), 1.0),
        at_most("memory of a further image, growth", _memory_growth(candidates), _MAX_MEMORY_GROWTH),
    ]


def known_table(known: Sequence[Known]) -> str:
    """Images a second beside the floor, by one process and by two."""
    header = ["photos", "files", "mean kB", "processes", "floor /s", "known /s", "of floor", "quartiles", "over one"]
    rows = [
        [
            each.size,
            str(each.files),
            f"{each.mean_bytes / 1e3:.0f}",
            str(index + 1),
            _rate(each.per_s(each.floor_s[index])),
            _rate(each.per_s(each.known_s[index])),
            f"{each.shares[index].median:.2f}",
            _quartiles(each.shares[index]),
            f"{each.known_speed_up.median:.2f} (floor {each.floor_speed_up.median:.2f})" if index else "",
        ]
        for each in known
        for index in range(2)
    ]
    said = (
        "Floor: the file read, and decoded whole in full colour, which the digest of the pixels needs. Known: also "
        "verified, both digests, fingerprint."
    )
    return f"## To know a file, beside decoding it\n\n{said}\n\n{table(header, rows)}"


def stage_table(known: Sequence[Known]) -> str:
    """Where the milliseconds of one file go."""
    names = list(dict.fromkeys(name for each in known for name in each.stages_s))
    columns = []
    for each in known:
        total = each.alone_s
        stages = [each.stages_s.get(name, 0.0) for name in names]
        columns.append([*stages, total - sum(stages), total])
    rows = [
        [name, *(milliseconds(column[index]) for column in columns)]
        for index, name in enumerate([*names, "rest", "total"])
    ]
    header = ["stage", *(f"{each.size} ms" for each in known)]
    said = "Of one file, in a process that did only this, at another time. Medians; the rest is what they leave."
    return f"## To know a file, by stage\n\n{said}\n\n{table(header, rows)}"


def end_to_end_table(end_to_end: Sequence[EndToEnd], skipped: str) -> str:
    """Files to pairs, ours and the other tool's."""
    title = f"## Files to pairs, beside {PEER}"
    if not end_to_end:
        return f"{title}\n\nNot measured: {skipped}"
    rows = [
        [
            each.size,
            str(each.images),
            name,
            f"{know_s.median:.2f}",
            f"{all_s.median - know_s.median:.2f}",
            _rate(per_s),
            f"{each.times_faster.median:.2f}" if name == "ours" else "",
            _quartiles(each.times_faster) if name == "ours" else "",
            str(all_s.count),
        ]
        for each in end_to_end
        for name, know_s, all_s, per_s in (
            ("ours", each.ours_know_s, each.ours_s, each.ours_per_s),
            (PEER, each.peer_know_s, each.peer_s, each.peer_per_s),
        )
    ]
    header = ["photos", "images", "tool", "know s", "find s", "images/s", "times faster", "quartiles", "turns"]
    unread = "".join(
        f"\n\n{PEER} read {each.peer_encoded} of {each.images} files ({each.size})."
        for each in end_to_end
        if each.peer_encoded < each.images
    )
    said = f"All cores; starting processes counts. {PEER}: PHash, {PEER_DEFAULT_BITS} bits, its defaults."
    return f"{title}\n\n{said}\n\n{table(header, rows)}{unread}"


def found_table(found: Found) -> str:
    """Recall by change for both tools at their best thresholds, and what the thresholds they come with give."""
    tools: dict[str, Quality] = {"ours": found.ours}
    if found.peer:
        tools[PEER] = found.peer
    operating = {
        **{f"{tool}, best": quality.best for tool, quality in tools.items()},
        **{f"{tool}, as it comes": quality.usual for tool, quality in tools.items()},
    }
    columns = [each for each in operating.values() if each is not None]
    header = ["change", *(name for name, each in operating.items() if each is not None)]
    rows = [
        [change, *(f"{each.found[change] / found.pictures:.2f}" for each in columns)]
        for change in found.ours.usual.found
    ]
    rows += [
        ["all changes", *(f"{each.recall:.3f}" for each in columns)],
        ["precision", *(f"{each.precision:.4f}" for each in columns)],
        ["wrong pairs", *(str(each.wrong) for each in columns)],
        ["threshold", *(_threshold(each) for each in columns)],
    ]
    none = "".join(f"\n\n{name}: no threshold reaches it." for name, each in operating.items() if each is None)
    said = (
        f"{found.pictures} pictures, one copy of each by each change, all pairs of each change judged. Best: the "
        f"highest recall at a precision of at least {MIN_PRECISION:g}, by correlation (ours) or bits ({PEER})."
    )
    return f"## Copies found, by change\n\n{said}\n\n{table(header, rows)}{none}"


def search_table(
    radii: dict[int, bool], random_keys: Sequence[Searched], real_keys: Sequence[tuple[str, Searched]]
) -> str:
    """The search among random and real keys."""
    exponents = ["", *(f"{each:.2f}" for each in growth(random_keys))]
    named = [(f"{each.keys:,} random", each, exponent) for each, exponent in zip(random_keys, exponents, strict=True)]
    named += [(f"{each.keys:,} of real photos, {what}", each, "") for what, each in real_keys]
    rows = [
        [
            name,
            f"{each.seconds:.2f}",
            f"{each.cpu_s:.2f}",
            exponent,
            f"{each.peak_bytes / _MB:.0f}",
            f"{(each.peak_bytes - each.before_bytes) / _MB:.0f}",
            f"{each.pairs:,}",
            f"{sum(each.found)} of {sum(each.planted)}" if each.planted else "",
            "" if each.brute_force_s is None else f"{each.brute_force_s:.2f}",
            "" if each.is_equal is None else "yes" if each.is_equal else "NO",
        ]
        for name, each, exponent in named
    ]
    header = [
        "keys",
        "s",
        "CPU s",
        "exponent",
        "peak MB",
        "of it search",
        "pairs",
        "planted found",
        "brute force s",
        "equal",
    ]
    checked = ", ".join(f"{radius}: {'equal' if same else 'NOT EQUAL'}" for radius, same in radii.items())
    return (
        f"## Pairs of keys at most {RADIUS} of 64 bits apart\n\nPlanted at distances 0 to {RADIUS}. Small sets against "
        f"brute force, by radius: {checked}.\n\n{table(header, rows)}"
    )


def candidates_table(candidates: Sequence[CandidateSearch]) -> str:
    """Memory and seconds of the search for candidates."""
    growths = ["", *(f"{each:.0f}" for each in _bytes_per_further(candidates))]
    rows = [
        [
            f"{each.signatures:,}",
            f"{each.seconds:.1f}",
            f"{each.pairs:,}",
            f"{each.before_bytes / _MB:.0f}",
            f"{each.peak_bytes / _MB:.0f}",
            grown,
        ]
        for each, grown in zip(candidates, growths, strict=True)
    ]
    header = ["images", "s", "pairs", "MB before", "peak MB", "bytes for each more"]
    return (
        "## Candidates: all windows, flips and turns\n\nSynthetic signatures of 256 bytes, a tenth of them copies. "
        f"Where each further image costs the same, it is fixed-width columns.\n\n{table(header, rows)}"
    )


def aim_table(reached: Sequence[Aim]) -> str:
    """Every aim and whether it is met."""
    rows = [[aim.text, aim.limit, aim.measured, "met" if aim.is_met else "missed"] for aim in reached]
    return f"## Aims\n\n{table(['aim', 'limit', 'measured', ''], rows)}"


def _recall_aims(found: Found) -> list[Aim]:
    if found.peer is None:
        return []
    ours, theirs = (quality.best.recall if quality.best else 0.0 for quality in (found.ours, found.peer))
    text = f"recall at precision {MIN_PRECISION:g}, above {PEER}'s"
    return [Aim(text, f"> {theirs:.3f}", f"{ours:.3f}", ours > theirs)]


def _speed_up_of_floors(known: Known) -> float:
    return known.known_speed_up.median / known.floor_speed_up.median


def _bytes_per_further(candidates: Sequence[CandidateSearch]) -> list[float]:
    return [(b.peak_bytes - a.peak_bytes) / (b.signatures - a.signatures) for a, b in pairwise(candidates)]


def _memory_growth(candidates: Sequence[CandidateSearch]) -> float:
    """What an image costs at the end, over what it cost at the beginning."""
    costs = _bytes_per_further(candidates)
    return costs[-1] / costs[0]


def _threshold(operating: Operating) -> str:
    return f"{operating.threshold:.3f}" if operating.threshold > 0 else f"{-operating.threshold:.0f} bits"


def _rate(per_s: float) -> str:
    return f"{per_s:.0f}" if per_s >= 100 else f"{per_s:.1f}"  # noqa: PLR2004 - three figures


def _quartiles(values: Spread) -> str:
    return f"{values.first_quartile:.2f}-{values.third_quartile:.2f}"
