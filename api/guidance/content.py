"""What is said about each topic. Written for this project; the sources of facts stand beside them.

A text here must be true whatever the photo's result was: what depends on the result is added by `reply`.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from api.guidance.topics import Topic

# Emergency numbers: 112 in the European Union (Directive 2018/1972), 911 in most of the Americas. Breathing and
# swelling: European Resuscitation Council, First Aid 2021. Bleeding: direct pressure, same source; ten minutes: NHS,
# "Cuts and grazes". Spreading redness with fever: NICE guideline NG141 on cellulitis, 2019. Self-harm: NICE guideline
# NG225, 2022; 988 (United States, Canada) and 024 (Spain) are national lines, 116 123 is that of the Samaritans.
EMERGENCY_REPLIES: dict[Topic, Promise] = {
    Topic.SELF_HARM: _(
        "I am a program, and this is too important for me. Please talk to a person now.\n"
        "• If you may hurt yourself, call the emergency number: 112 in Europe, 911 in most of the Americas.\n"
        "• Someone to talk to, day and night: 988 in the United States and Canada, 116 123 in the United Kingdom and "
        "Ireland, 024 in Spain. findahelpline.com lists other countries.\n"
        "• Stay with somebody you trust, and put away what you could hurt yourself with.\n"
        "Whatever the photo showed, there are people who can help you with it. You do not have to face it alone."
    ),
    Topic.BREATHING: _(
        "Trouble with breathing, or a swelling face, tongue or throat, is an emergency. Call 112 (Europe), 911 (most "
        "of the Americas) or your local emergency number now.\n"
        "• Use an adrenaline pen if you have been given one.\n"
        "• Sit up; lie down with raised legs if you feel faint.\n"
        "• Do not drive yourself, and do not stay alone."
    ),
    Topic.HEAVY_BLEEDING: _(
        "Press on it firmly with a clean cloth, for ten minutes by the clock, without lifting the cloth to look.\n"
        "• If blood spurts, soaks through, or still flows after ten minutes of pressure, or if you feel faint, call "
        "112 (Europe), 911 (most of the Americas) or your local emergency number.\n"
        "• If you take blood thinners, get medical help at once.\n"
        "When it has stopped, have a doctor see the spot within days: a spot that bleeds needs to be examined."
    ),
    Topic.SPREADING_INFECTION: _(
        "Fever, or redness that spreads, can mean an infection that needs treatment today.\n"
        "• Get medical help the same day. Draw a line around the edge of the redness to see whether it moves.\n"
        "• Call 112 (Europe), 911 (most of the Americas) or your local emergency number if it spreads within hours, or "
        "if you feel very ill, confused, faint or short of breath.\n"
        "• Do not squeeze or cut the spot."
    ),
}

# What the American Academy of Dermatology teaches ("ABCDEs of melanoma"); E was added by Abbasi, JAMA 2004. Bleeding,
# itching, crusting, new after 40, unlike the others: DermNet, "Melanoma"; NICE guideline NG12, 2015.
ABCDE = _(
    "• A, asymmetry: one half is unlike the other.\n"
    "• B, border: ragged, notched or blurred.\n"
    "• C, colour: several shades, or black, blue, white or red parts.\n"
    "• D, diameter: over 6 mm, though a melanoma can be smaller.\n"
    "• E, evolving: it changes in size, shape, colour or height, or starts to bleed, itch or crust."
)

REPLIES: dict[Topic, Promise] = {
    Topic.BLEEDING: _(
        "A spot that bleeds, oozes, crusts or does not heal needs a doctor's eye within days, whatever the photo "
        "showed. Cover it with a clean dressing and do not pick at it. If it bleeds and ten minutes of firm pressure "
        "do not stop it, call your emergency number (112 or 911)."
    ),
    Topic.CHANGE: _(
        "Change is the most important warning sign, whatever the photo showed: a spot that grows or gets another shape "
        "or colour should be seen by a dermatologist within days. Take a photo with a ruler today, and bring older "
        "photos if you have any."
    ),
    Topic.PAIN_ITCH: _(
        "Itching, burning or pain can come from scratching or clothes, but it can also be a warning sign. Have a "
        "doctor look at it: within days if it comes with a change or bleeding, else within a few weeks. Do not "
        "scratch it."
    ),
    Topic.NEW_SPOT: _(
        "New spots are common when one is young. After the age of 40, or if it is dark, growing, unlike your others, "
        "or under a nail, have a dermatologist see a new spot within days. Otherwise photograph it with a ruler and "
        "compare in four weeks; any change is a reason to go."
    ),
    Topic.NO_SYMPTOM: _(
        "Thank you, that is useful to tell the doctor as well. But a spot that neither bleeds, hurts nor changes can "
        "still be serious: many skin cancers cause no complaints at first."
    ),
    Topic.PRIVACY: _(
        "Place, date and other hidden data are removed from your photo before it is stored. Dermatologists of this "
        "service can see it to check the program's answers. Photos that belong to no account are deleted after a "
        "limited time; with an account you can delete yours, or your whole account. I do not keep this chat."
    ),
    Topic.FIND_DOCTOR: _(
        "The app can list dermatologists near you: open the search for doctors, and allow your location or type your "
        "city. Your family doctor can look at the spot, too, and refer you. I am a program; I cannot make appointments."
    ),
    Topic.CONTAGIOUS: _(
        "Moles, keratoses, skin cancers and vascular spots are not passed on by touch; some rashes, warts and "
        "infections are. The program can be wrong about what yours is: until a doctor has seen it, do not share towels "
        "or razors."
    ),
    # American Academy of Dermatology, "How to apply sunscreen": broad spectrum, SPF 30 or higher, every two hours.
    Topic.SUN: _(
        "Sun is the main cause of skin cancer that can be avoided. Stay in the shade around noon, wear clothes and a "
        "hat, and put sunscreen (broad spectrum, SPF 30 or more) on what stays bare, again every two hours. Do not use "
        "sunbeds. Keep the spot itself out of the sun until a doctor has seen it."
    ),
    Topic.TREATMENT: _(
        "Do not cut, burn, freeze or treat the spot yourself, not with creams or home remedies either: that can hide "
        "a cancer, leave scars and cause infections. Which treatment is right, or whether none is needed, depends on "
        "what it is. A doctor can tell, sometimes only after removing a sample and looking at it under a microscope."
    ),
    Topic.PHOTO: _(
        "For a good photo:\n"
        "• daylight without direct sun or flash;\n"
        "• straight from above, 10 to 15 cm away;\n"
        "• tap on the spot to focus, and hold still;\n"
        "• the spot in the middle, filling about a third of the frame, without hair, jewellery or make-up.\n"
        "If no photo works, that is no all-clear: show the spot to a doctor."
    ),
    Topic.ACCURACY: _(
        "The program makes mistakes: it misses some skin cancers and warns where there is none. The percentage says "
        "how strongly it leans towards one class, not how likely you are to be well or ill. It was tested mostly on "
        "photos taken with a dermatoscope and on light skin. Only an examination gives certainty."
    ),
    Topic.WATCH: _("Check all of your skin once a month in good light, and look for:"),
    Topic.EXPLAIN: _("Send me the name of a result, such as “mole” or “melanoma”, and I will explain it."),
    Topic.URGENCY: _(
        "Within days: a spot that changes, bleeds, does not heal or looks unlike your others, or a result of high "
        "severity. Within a few weeks: a result of moderate severity. Today: fever with spreading redness, or bleeding "
        "that does not stop."
    ),
    Topic.CANCER: _(
        "I cannot tell you whether it is cancer, and neither can a photo. Being worried is understandable, and a good "
        "reason to have it examined: a dermatologist often knows more within minutes."
    ),
    Topic.HELP: _(
        "I can explain a result, say what to watch for and how soon to see a doctor, and answer questions about "
        "symptoms, treatment, sun, photos and how reliable this program is."
    ),
    Topic.THANKS: _("You are welcome. Keep an eye on your skin."),
    Topic.GREETING: _("Hello. I can explain results and tell you when a spot should be seen by a doctor."),
    Topic.UNKNOWN: _(
        "I did not understand that. I can explain a result, say what to watch for and how soon to see a doctor, and "
        "answer questions about symptoms, treatment, sun and photos. If you feel very ill, have trouble breathing or "
        "cannot stop a bleeding, call your emergency number (112 or 911)."
    ),
}

UNUSABLE = _("The photo could not be used, so nothing is known about the spot from it.")
SUSPICIOUS = _("Your result needs a doctor's eye.")
LEANING = _("The program leans towards: %(name)s. That is not a diagnosis.")
# A benign name beside signs of cancer: what is true of the name would calm at the wrong moment.
CONTRADICTED = _("It also sees signs that can mean skin cancer, so do not rely on this name.")
WAY_OUT = _("I am a program, not a doctor. If you are unsure or worried, see one.")

# Sent back as they are, these lead to their topic in either language.
QUESTIONS: dict[Topic, Promise] = {
    Topic.EXPLAIN: _("What does this result mean?"),
    Topic.WATCH: _("What should I watch for?"),
    Topic.URGENCY: _("When should I see a doctor?"),
    Topic.FIND_DOCTOR: _("Where can I find a dermatologist?"),
    Topic.CANCER: _("Is it dangerous?"),
    Topic.ACCURACY: _("How reliable is the result?"),
    Topic.PHOTO: _("How do I take a good photo?"),
    Topic.TREATMENT: _("How is it treated?"),
    Topic.SUN: _("How do I protect myself from the sun?"),
    Topic.CHANGE: _("It has changed"),
    Topic.BLEEDING: _("It bleeds"),
    Topic.PAIN_ITCH: _("It itches or hurts"),
    Topic.HEAVY_BLEEDING: _("The bleeding does not stop"),
    Topic.HELP: _("What can I ask you?"),
}

_USUAL = (Topic.EXPLAIN, Topic.WATCH, Topic.URGENCY, Topic.FIND_DOCTOR)
NEXT: dict[Topic, tuple[Topic, ...]] = {
    Topic.SELF_HARM: (Topic.FIND_DOCTOR, Topic.HELP),
    Topic.BREATHING: (Topic.FIND_DOCTOR, Topic.HELP),
    Topic.HEAVY_BLEEDING: (Topic.URGENCY, Topic.FIND_DOCTOR),
    Topic.SPREADING_INFECTION: (Topic.URGENCY, Topic.FIND_DOCTOR),
    Topic.BLEEDING: (Topic.HEAVY_BLEEDING, Topic.URGENCY, Topic.FIND_DOCTOR),
    Topic.CHANGE: (Topic.WATCH, Topic.URGENCY, Topic.FIND_DOCTOR),
    Topic.PAIN_ITCH: (Topic.CHANGE, Topic.BLEEDING, Topic.FIND_DOCTOR),
    Topic.NEW_SPOT: (Topic.WATCH, Topic.CHANGE, Topic.FIND_DOCTOR),
    Topic.NO_SYMPTOM: (Topic.WATCH, Topic.URGENCY, Topic.PHOTO),
    Topic.EXPLAIN: (Topic.WATCH, Topic.URGENCY, Topic.ACCURACY, Topic.FIND_DOCTOR),
    Topic.WATCH: (Topic.CHANGE, Topic.BLEEDING, Topic.PAIN_ITCH, Topic.URGENCY),
    Topic.URGENCY: (Topic.FIND_DOCTOR, Topic.WATCH, Topic.EXPLAIN),
    Topic.CANCER: (Topic.URGENCY, Topic.WATCH, Topic.ACCURACY, Topic.FIND_DOCTOR),
    Topic.ACCURACY: (Topic.URGENCY, Topic.PHOTO, Topic.FIND_DOCTOR),
    Topic.PHOTO: (Topic.WATCH, Topic.ACCURACY, Topic.URGENCY),
    Topic.TREATMENT: (Topic.URGENCY, Topic.FIND_DOCTOR, Topic.SUN),
    Topic.SUN: (Topic.WATCH, Topic.EXPLAIN, Topic.HELP),
    Topic.FIND_DOCTOR: (Topic.URGENCY, Topic.WATCH, Topic.EXPLAIN),
}


def next_topics(topic: Topic) -> tuple[Topic, ...]:
    """What may be asked next."""
    return NEXT.get(topic, _USUAL)
