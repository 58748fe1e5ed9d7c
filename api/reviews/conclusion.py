"""What the answers to a case come to: one pure function. Must not know Django."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_READERS = 3  # a case that three people could not decide from the photo is not decided by a fourth


class Verdict(StrEnum):
    """What somebody says a photo shows."""

    CLASS = "class"
    NOT_A_LESION = "not_a_lesion"
    UNSURE = "unsure"


class Basis(StrEnum):
    """How an answer is known, strongest first."""

    HISTOLOGY = "histology"
    CONSENSUS = "consensus"
    FOLLOW_UP = "follow_up"
    OPINION = "opinion"

    @property
    def rank(self) -> int:
        """0 is the strongest."""
        return tuple(Basis).index(self)


class Kind(StrEnum):
    """What an answer is to its case: a reading, the end of a disagreement, or news that came later."""

    OPINION = "opinion"
    RESOLUTION = "resolution"
    RESULT = "result"


class Standing(StrEnum):
    """How far a case has come."""

    WAITING = "waiting"
    DISPUTED = "disputed"
    CONCLUDED = "concluded"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, with the code of the class where it is one."""

    verdict: Verdict
    label: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a case. `is_reading`: from the photo, before anything of the model or of others was shown."""

    finding: Finding
    basis: Basis
    kind: Kind = Kind.OPINION
    is_reading: bool = True

    @property
    def decides(self) -> bool:
        """Whether it weighs: being unsure does so only where it ends a disagreement."""
        return self.finding.verdict is not Verdict.UNSURE or self.kind is Kind.RESOLUTION


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a case has come to. `finding` and `basis` only when concluded; `wants_reading`: somebody should read it."""

    standing: Standing
    wants_reading: bool = False
    finding: Finding | None = None
    basis: Basis | None = None


def conclude(answers: Sequence[Answer], *, opinions_required: int = 1) -> Conclusion:
    """What the answers, in the order in which they were given, come to.

    The strongest basis decides. Where its answers differ, the last resolution among them stands, with what came after
    it; without one the case is disputed, and if they are opinions a further reader resolves it. Opinions conclude a
    case once enough readers agree.
    """
    readings = sum(answer.is_reading for answer in answers)
    deciding = [answer for answer in answers if answer.decides]
    if not deciding:
        return _unfinished(readings)
    basis = min((answer.basis for answer in deciding), key=lambda each: each.rank)
    standing = _since_last_resolution([answer for answer in deciding if answer.basis is basis])
    findings = {answer.finding for answer in standing}
    if len(findings) > 1:
        return Conclusion(Standing.DISPUTED, wants_reading=basis is Basis.OPINION)
    (finding,) = findings
    if finding.verdict is Verdict.UNSURE:
        return Conclusion(Standing.UNDECIDED)
    is_resolved = standing[0].kind is Kind.RESOLUTION
    if basis is Basis.OPINION and not is_resolved and len(standing) < opinions_required:
        return _unfinished(readings)
    return Conclusion(Standing.CONCLUDED, finding=finding, basis=basis)


def _unfinished(readings: int) -> Conclusion:
    if readings < MAX_READERS:
        return Conclusion(Standing.WAITING, wants_reading=True)
    return Conclusion(Standing.UNDECIDED)


def _since_last_resolution(answers: Sequence[Answer]) -> Sequence[Answer]:
    resolutions = [index for index, answer in enumerate(answers) if answer.kind is Kind.RESOLUTION]
    return answers[resolutions[-1] :] if resolutions else answers
