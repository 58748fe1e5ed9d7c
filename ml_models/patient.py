"""What a person says of themselves (age, sex, site), and what it adds to the logits; an unknown fact adds exactly 0.

History in free words and the way a label was proven are no facts: nothing here can hold them.
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Sex(StrEnum):
    """The two that the data sets know; any other word is unknown to a model."""

    FEMALE = "female"
    MALE = "male"


class AgeBand(StrEnum):
    """Whole years, both ends included."""

    TO_19 = "0-19"
    TO_29 = "20-29"
    TO_39 = "30-39"
    TO_49 = "40-49"
    TO_59 = "50-59"
    TO_69 = "60-69"
    TO_79 = "70-79"
    FROM_80 = "80+"


class Site(StrEnum):
    """Regions of the body that every source tells apart; finer words (trunk, back, posterior torso) name the source."""

    HEAD_NECK = "head/neck"
    TORSO = "torso"
    UPPER_EXTREMITY = "upper extremity"
    LOWER_EXTREMITY = "lower extremity"
    PALMS_SOLES = "palms/soles"
    GENITAL = "genital"


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """What is known of a person; each may be missing. An age outside 0-120 years counts as unknown."""

    age_years: float | None = None
    sex: Sex | None = None
    site: Site | None = None

    @classmethod
    def from_words(cls, *, age_years: float | None = None, sex: str = "", site: str = "") -> "PatientFacts":
        """Facts from a form's or a data set's words, English or Spanish; what is not understood is unknown."""
        return cls(age_years, Sex(sex) if sex in tuple(Sex) else None, site_of(site))

    @property
    def age_band(self) -> AgeBand | None:
        """The band of the age; None when it is missing or impossible."""
        if self.age_years is None or not 0 <= self.age_years < OLDEST_YEARS + 1:
            return None
        return tuple(AgeBand)[min(max(int(self.age_years) // 10 - 1, 0), len(AgeBand) - 1)]


NOBODY = PatientFacts()


@dataclass(frozen=True, slots=True)
class PatientEffects:
    """Additive offsets on the calibrated logits: fact to class code to offset. Empty: a model without facts."""

    age: Mapping[AgeBand, Mapping[str, float]] = field(default_factory=dict)
    sex: Mapping[Sex, Mapping[str, float]] = field(default_factory=dict)
    site: Mapping[Site, Mapping[str, float]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.age or self.sex or self.site)

    def offsets(self, facts: PatientFacts, codes: Sequence[str]) -> NDArray[np.float64]:
        """What the facts add, float64 [classes], in the order of `codes`; zeros for facts that are not known."""
        total = np.zeros(len(codes))
        rows = (self.age.get(facts.age_band), self.sex.get(facts.sex), self.site.get(facts.site))  # type: ignore[arg-type]
        for row in rows:
            if row is not None:
                total += [row[code] for code in codes]
        return total

    def problem(self, codes: Sequence[str]) -> str | None:
        """What keeps the tables from serving a model of these classes; None when they fit."""
        for table in (self.age, self.sex, self.site):
            for value, row in table.items():
                if set(row) != set(codes):
                    return f"the offsets of {value!r} are for {sorted(row)}, not for {sorted(codes)}"
                if not all(math.isfinite(offset) for offset in row.values()):
                    return f"the offsets of {value!r} must be finite"
        return None


def site_of(words: str) -> Site | None:
    """The region that free words name, such as `left forearm` or `espalda`; None for none, or for several.

    Palms and soles win over the limb that they end.
    """
    folded = unicodedata.normalize("NFKD", words.casefold())
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    text = SIDE_OF.sub(" ", plain)
    found = {site for site, pattern in SITE_PATTERNS.items() if pattern.search(text)}
    if Site.PALMS_SOLES in found:
        found -= {Site.UPPER_EXTREMITY, Site.LOWER_EXTREMITY}
    return found.pop() if len(found) == 1 else None


OLDEST_YEARS = 120
# "back of the hand" is no back.
SIDE_OF = re.compile(r"\b(back|side|top|front|inside|outside)( side)? of\b|\b(dorso|parte trasera|cara interna) del?\b")
_WORDS: dict[Site, str] = {
    Site.HEAD_NECK: "head neck face scalp forehead temple cheek nose ear lip mouth chin jaw eyelid eyebrow eye "
    "cabeza cuello cara rostro frente sien mejilla nariz oreja labio boca menton mandibula parpado ceja ojo nuca",
    Site.TORSO: "torso trunk back chest abdomen belly stomach flank breast buttock waist navel "
    "tronco espalda pecho vientre barriga costado seno gluteo nalga cintura ombligo",
    Site.UPPER_EXTREMITY: "arm forearm hand finger thumb wrist elbow shoulder upper_extremity upper_extremities "
    "upper_limb brazo antebrazo mano dedo_de_la_mano pulgar muneca codo hombro",
    Site.LOWER_EXTREMITY: "leg thigh foot feet toe ankle knee calf calves shin heel hip lower_extremity "
    "lower_extremities lower_limb pierna muslo pie dedo_del_pie tobillo rodilla pantorrilla espinilla talon cadera",
    Site.PALMS_SOLES: "palm sole acral fingernail toenail palma planta",
    Site.GENITAL: "genital genitalia penis vulva scrotum groin escroto ingle",
}
SITE_PATTERNS: dict[Site, re.Pattern[str]] = {
    site: re.compile(rf"\b({'|'.join(words.split())})(s|es)?\b".replace("_", " ")) for site, words in _WORDS.items()
}
