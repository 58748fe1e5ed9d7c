"""From a message in somebody's own words to the topic it is about. Pure; what words mean stands in `lexicon`."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from api.guidance import lexicon
from api.guidance.topics import Topic
from api.text import folded

_MAX_WORDS_BETWEEN = 3
_DENIAL_REACH = 5  # words between a denial and what it denies
_MIN_MISSPELLED_LENGTH = 5  # shorter words have too many neighbours
_MAX_WORD_LENGTH = 40
_MIN_LIKENESS = 0.84  # a letter lost, doubled or swapped; another letter instead, in seven and more

_APOSTROPHES = re.compile("['`\u2019\u00b4\u02bc]")  # as keyboards write them
_STRETCHED = re.compile(r"([a-z])\1{2,}")  # "nooo", "itchyyyy"
_WORD_OR_END = re.compile(r"[a-z0-9]+|[%.,;:!?()\n]")


@dataclass(frozen=True, slots=True)
class Match:
    """What a message is about, and the class it names, if any."""

    topic: Topic
    label: str | None


@dataclass(frozen=True, slots=True)
class _Term:
    words: frozenset[str]
    beginnings: tuple[str, ...]


_Phrase = tuple[_Term, ...]


def match(message: str) -> Match:
    """The most pressing topic of a message; UNKNOWN when nothing is recognised."""
    clauses = _clauses(message)
    said, denied = _concepts(clauses)
    topic = next((topic for topic, concepts in lexicon.RULES if concepts <= said), None)
    if denied and (topic is None or topic in _SMALL_TALK):
        topic = Topic.NO_SYMPTOM
    return Match(topic or Topic.UNKNOWN, _label(clauses))


def label_of(diagnosis: str) -> str | None:
    """The class code that a diagnosis names in English or Spanish; the gravest where it names several."""
    return _label(_clauses(diagnosis))


def is_hedged(diagnosis: str) -> bool:
    """Whether a diagnosis says that it is unsure, or that it may be malignant after all."""
    return any(_has(_doubts()[0], each) for each in _clauses(diagnosis))


def is_unusable(diagnosis: str) -> bool:
    """Whether a diagnosis says that there is none, for want of a usable photo."""
    return any(_has(_doubts()[1], each) for each in _clauses(diagnosis))


_SMALL_TALK = frozenset({Topic.HELP, Topic.THANKS, Topic.GREETING})


def _concepts(clauses: list[list[str]]) -> tuple[set[str], set[str]]:
    """Concepts that are said, and symptoms that are denied and nowhere said."""
    said: set[str] = set()
    denied: set[str] = set()
    for clause in clauses:
        said |= {name for name, phrases in _subjects().items() if _has(phrases, clause)}
        for name, phrases in _symptoms().items():
            for start in _starts(phrases, clause):
                (denied if _is_denied(clause, start) else said).add(name)
    return said, denied - said


def _label(clauses: list[list[str]]) -> str | None:
    return next((code for code, phrases in _classes() if any(_has(phrases, each) for each in clauses)), None)


def _clauses(message: str) -> list[list[str]]:
    """Words without accents between `^` and `$`, cut at punctuation and at words such as "but"."""
    plain = _STRETCHED.sub(r"\1", folded(_APOSTROPHES.sub("", message)))
    clauses: list[list[str]] = [[]]
    for word in _WORD_OR_END.findall(plain):
        if word in lexicon.CLAUSE_ENDS or not (word.isalnum() or word == "%"):
            clauses.append([])
        else:
            clauses[-1].append(word[:_MAX_WORD_LENGTH])
    return [["^", *clause, "$"] for clause in clauses if clause]


def _has(phrases: Iterable[_Phrase], clause: list[str]) -> bool:
    return next(_starts(phrases, clause), None) is not None


def _starts(phrases: Iterable[_Phrase], clause: list[str]) -> Iterator[int]:
    """Where in the clause any of the phrases begins."""
    terms = [_terms_of(word) for word in clause]
    present = frozenset().union(*terms)
    for phrase in phrases:
        if not present.issuperset(phrase):  # long messages have many words, and few of them mean anything
            continue
        for start in range(len(clause)):
            if _follows(phrase, terms, start, 0):
                yield start


def _follows(phrase: _Phrase, terms: list[frozenset[_Term]], position: int, words_between: int) -> bool:
    """Whether the phrase's first term is at `position` or up to `words_between` later, and the others after it."""
    return any(
        phrase[0] in terms[index] and (len(phrase) == 1 or _follows(phrase[1:], terms, index + 1, _MAX_WORDS_BETWEEN))
        for index in range(position, min(position + words_between + 1, len(terms)))
    )


def _is_denied(clause: list[str], start: int) -> bool:
    for index in range(max(0, start - _DENIAL_REACH), start):
        following = clause[index : index + 3]
        takes_back = {" ".join(following[:2]), " ".join(following)} & lexicon.NOT_DENIALS
        if clause[index] in lexicon.DENIALS and not takes_back:
            return True
    return False


@lru_cache(maxsize=4096)  # people write the same words; a bound, because somebody may not
def _terms_of(word: str) -> frozenset[_Term]:
    """The terms that a word stands for: as it is written or, where it is no known word, as it may have been meant."""
    spelled = frozenset(term for term in _all_terms() if word in term.words or word.startswith(term.beginnings))
    if spelled or len(word) < _MIN_MISSPELLED_LENGTH or word in lexicon.UNRELATED:
        return spelled
    meant = {known for known in _known_by_first_letter().get(word[0], ()) if _is_like(known, word)}
    if not meant:
        return frozenset()
    return frozenset(term for term in _all_terms() if meant & (term.words | {f"{each}*" for each in term.beginnings}))


def _is_like(known: str, word: str) -> bool:
    """`known` is a word, or a beginning marked with `*`."""
    beginning = known.removesuffix("*")
    ends = (len(beginning), len(beginning) + 1) if known.endswith("*") else (len(word),)
    return any(_is_spelled_like(beginning, word[:end]) for end in ends)


def _is_spelled_like(known: str, word: str) -> bool:
    """As difflib says, which is not asked where letters that only one of the two has already settle it: it is slow."""
    length = len(known) + len(word)
    return (
        abs(len(known) - len(word)) <= 1
        and len({*known} ^ {*word}) <= (1 - _MIN_LIKENESS) * length
        and difflib.SequenceMatcher(None, known, word).ratio() >= _MIN_LIKENESS
    )


@cache
def _known_by_first_letter() -> dict[str, frozenset[str]]:
    """Words, and beginnings marked with `*`, that are long enough to be recognised when misspelled."""
    known = {word for term in _all_terms() for word in (*term.words, *(f"{each}*" for each in term.beginnings))}
    long = {word for word in known if len(word.removesuffix("*")) >= _MIN_MISSPELLED_LENGTH}
    return {letter: frozenset(word for word in long if word[0] == letter) for letter in {word[0] for word in long}}


@cache
def _symptoms() -> dict[str, tuple[_Phrase, ...]]:
    return {name: _phrases(texts) for name, texts in lexicon.SYMPTOMS.items()}


@cache
def _subjects() -> dict[str, tuple[_Phrase, ...]]:
    return {name: _phrases(texts) for name, texts in lexicon.SUBJECTS.items()}


@cache
def _classes() -> tuple[tuple[str, tuple[_Phrase, ...]], ...]:
    return tuple((code, _phrases(texts)) for code, texts in lexicon.CLASSES)


@cache
def _doubts() -> tuple[tuple[_Phrase, ...], tuple[_Phrase, ...]]:
    return _phrases(lexicon.HEDGES), _phrases(lexicon.UNUSABLE)


@cache
def _all_terms() -> frozenset[_Term]:
    tables = (*_symptoms().values(), *_subjects().values(), *(phrases for _, phrases in _classes()), *_doubts())
    return frozenset(term for phrases in tables for phrase in phrases for term in phrase)


def _phrases(texts: Iterable[str]) -> tuple[_Phrase, ...]:
    return tuple(tuple(_term(text) for text in phrase.split()) for phrase in texts)


def _term(text: str) -> _Term:
    alternatives = text.split("|")
    return _Term(
        words=frozenset(each for each in alternatives if not each.endswith("*")),
        beginnings=tuple(each[:-1] for each in alternatives if each.endswith("*")),
    )
