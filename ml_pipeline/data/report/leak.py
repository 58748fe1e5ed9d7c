"""What careless splits of the same photos would have leaked, beside ours."""

from typing import Any

from ml_pipeline.data.build import Build
from ml_pipeline.data.deduplicate import Pair
from ml_pipeline.data.proof import refuse_leakage
from ml_pipeline.data.records import Split
from ml_pipeline.report_page.page import Cell, Column, Row, Section, Segment, Table, Text
from ml_pipeline.report_page.words import count, of, percent

_MEANING = {
    "by image": "random split by photo",
    "by lesion id": "random split by lesion id",
}
_WHY = ": the same patient, or the same picture, under another lesion id or without one."


def leak(build: Build, summary: dict[str, Any]) -> Section:
    """The table of leaks. Raises LeakageError when the build itself has one: nobody shall read that it has not."""
    copies = [pair for pair in build.pairs if pair.is_copy]
    refuse_leakage(build.records, [_ids(build, pair) for pair in copies])
    naive = summary["naive_split_would_leak"]
    tested = [record for record in build.records if record.split is Split.TEST]
    melanomas = sum(record.label == "mel" for record in tested)
    rows = [
        _row(name, naive[key]["test"], naive[key]["leaked"], naive[key]["melanomas"], naive[key]["leaked_melanomas"])
        for key, name in _MEANING.items()
    ]
    rows.append(_row("this build", len(tested), 0, melanomas, 0, role="chosen"))
    by_image, by_lesion = naive["by image"], naive["by lesion id"]
    see = (
        f"A random split by photo would have put a relative of {of(by_image['leaked'], by_image['test'])} test photos "
        f"into training. Splitting by lesion id alone leaks {of(by_lesion['leaked'], by_lesion['test'])}"
        f"{_WHY if by_lesion['leaked'] else '.'}"
    )
    meaning = (
        "A model may remember a leaked photo's relative instead of recognising the disease, so a score on such a test "
        "set is partly a memory test, and nobody can tell which part. A relative is a photo of the same lesion or "
        "patient or a copy of the same picture, or one that is connected through such photos."
    )
    proof = (
        f"The proof was run again for this report, on {count(len(build.records))} photos and {count(len(copies))} "
        "pairs of copies: it shares no code with the splitter and finds the groups anew, and nothing that belongs "
        "together lies in two splits. It can only know what is known: copies that the search misses and patients "
        "without an id are beyond it."
    )
    columns = (
        Column("split", numeric=False),
        *(Column(name) for name in ("test photos", "leaked", "share", "melanomas", "leaked", "share")),
        Column("share of leaked test photos", numeric=False, wide=True),
    )
    return Section(
        "leak", "The leak that was avoided", (Text(see, "see"), Table(columns, tuple(rows)), Text(meaning), Text(proof))
    )


def _ids(build: Build, pair: Pair) -> tuple[str, str]:
    return build.files[pair.left].image_id, build.files[pair.right].image_id


def _row(name: str, test: int, leaked: int, melanomas: int, leaked_melanomas: int, role: str = "weak") -> Row:
    texts = (
        *(name, count(test), count(leaked), percent(leaked, test)),
        *(count(melanomas), count(leaked_melanomas), percent(leaked_melanomas, melanomas)),
    )
    bar = (Segment(leaked / test if test else 0, "warm"),)
    return Row((*(Cell(text) for text in texts), Cell(bar=bar)), role)
