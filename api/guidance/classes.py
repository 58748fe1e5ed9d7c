"""What is told about each class of the model: what it is, what to watch for, and how soon a doctor should see it.

Every statement is the cautious end of its source: melanoma and squamous cell carcinoma are referred within two weeks
and basal cell carcinoma routinely (NICE guideline NG12, 2015); actinic keratosis (de Berker, British Association of
Dermatologists 2017); Bowen's disease (Sharma, BAD 2023); basal cell carcinoma (Nasr, BAD 2021); squamous cell
carcinoma (Keohane, BAD 2021); signs of melanoma (American Academy of Dermatology, "ABCDEs of melanoma"; Abbasi, JAMA
2004). Benign classes: DermNet's pages on seborrhoeic keratosis, dermatofibroma, melanocytic naevus and angioma.
"""

from dataclasses import dataclass
from enum import IntEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Urgency(IntEnum):
    """How soon, from the most to the least pressing."""

    DAYS = 0
    TWO_WEEKS = 1
    WEEKS = 2
    WATCH = 3


SENTENCES: dict[Urgency, Promise] = {
    Urgency.DAYS: _("Have a dermatologist see it within days; do not wait for it to change."),
    Urgency.TWO_WEEKS: _("Have a dermatologist see it within the next two weeks."),
    Urgency.WEEKS: _("Have a doctor look at it within the next few weeks."),
    Urgency.WATCH: _("Show it to a doctor when you next see one, and at once if it changes, bleeds, itches or hurts."),
}


@dataclass(frozen=True, slots=True)
class ClassGuidance:
    """Texts about one class. `name` is what people call it; the ABCDE tell it from a melanoma where `is_pigmented`."""

    name: Promise
    what: Promise
    watch: Promise
    urgency: Urgency
    is_pigmented: bool = False


BY_LABEL: dict[str, ClassGuidance] = {
    "akiec": ClassGuidance(
        name=_("Actinic keratosis or Bowen's disease"),
        what=_(
            "These are rough, scaly patches on skin that has had much sun over the years. They are early changes: "
            "some turn into squamous cell carcinoma, a skin cancer, and they can be treated before that."
        ),
        watch=_("Watch for a patch that thickens, becomes a lump, hurts, bleeds or turns into an open sore."),
        urgency=Urgency.WEEKS,
    ),
    "bcc": ClassGuidance(
        name=_("Basal cell carcinoma"),
        what=_(
            "This is the most common skin cancer. It grows slowly and rarely spreads to other parts of the body, "
            "but it damages the skin around it and needs treatment."
        ),
        watch=_("Watch for a shiny or pearly lump, a scar-like patch, or a sore that crusts, bleeds and comes back."),
        urgency=Urgency.TWO_WEEKS,
    ),
    "bkl": ClassGuidance(
        name=_("Benign keratosis"),
        what=_(
            "These are warty, waxy or flat brown spots that become common with age, such as seborrhoeic keratosis and "
            "solar lentigo. They are not cancer, but a melanoma can look like one of them."
        ),
        watch=_("Watch for one that looks unlike your others, is black or of several colours, grows fast or bleeds."),
        urgency=Urgency.WATCH,
        is_pigmented=True,
    ),
    "df": ClassGuidance(
        name=_("Dermatofibroma"),
        what=_(
            "This is a small, firm lump in the skin, often on the legs, sometimes after an insect bite or a scratch. "
            "It is not cancer. It usually stays for years."
        ),
        watch=_("Watch for one that keeps growing, bleeds or turns into an open sore."),
        urgency=Urgency.WATCH,
    ),
    "mel": ClassGuidance(
        name=_("Melanoma"),
        what=_(
            "This is a skin cancer that grows from pigment cells and can spread. Found early, it is usually cured by "
            "removing it, and that is why a doctor should see it soon."
        ),
        watch=_("While you wait for the appointment, watch for growth, new colours, bleeding or a new lump nearby."),
        urgency=Urgency.DAYS,
    ),
    "nv": ClassGuidance(
        name=_("Mole (melanocytic nevus)"),
        what=_(
            "This is a growth of pigment cells that most people have several of. Moles are not cancer, but a melanoma "
            "can look like a mole or begin in one."
        ),
        watch=_("Watch for a mole that changes, looks unlike your others, or appears new after the age of 40."),
        urgency=Urgency.WATCH,
        is_pigmented=True,
    ),
    "scc": ClassGuidance(
        name=_("Squamous cell carcinoma"),
        what=_(
            "This is a common skin cancer, mostly on skin that has had much sun. It can spread if it is left, and it "
            "is usually cured when it is treated early."
        ),
        watch=_("Watch for a crusted, thickening or tender lump, or a sore that does not heal."),
        urgency=Urgency.DAYS,
    ),
    "vasc": ClassGuidance(
        name=_("Vascular lesion"),
        what=_(
            "These are spots made of small blood vessels or of blood under the skin, such as cherry angiomas. Most are "
            "not cancer, but some melanomas are red or dark blue, too."
        ),
        watch=_("Watch for one that grows within weeks, bleeds again and again, or is black."),
        urgency=Urgency.WATCH,
    ),
}
