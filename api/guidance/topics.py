"""What a message can be about."""

from enum import StrEnum


class Topic(StrEnum):
    """The subjects of the chat, in the order in which they win: what cannot wait comes first."""

    SELF_HARM = "self_harm"
    BREATHING = "breathing"
    HEAVY_BLEEDING = "heavy_bleeding"
    SPREADING_INFECTION = "spreading_infection"
    BLEEDING = "bleeding"
    CHANGE = "change"
    PAIN_ITCH = "pain_itch"
    NEW_SPOT = "new_spot"
    PRIVACY = "privacy"
    FIND_DOCTOR = "find_doctor"
    CONTAGIOUS = "contagious"
    SUN = "sun"
    TREATMENT = "treatment"
    PHOTO = "photo"
    ACCURACY = "accuracy"
    WATCH = "watch"
    EXPLAIN = "explain"
    URGENCY = "urgency"
    CANCER = "cancer"
    NO_SYMPTOM = "no_symptom"
    HELP = "help"
    THANKS = "thanks"
    GREETING = "greeting"
    UNKNOWN = "unknown"


EMERGENCIES = frozenset({Topic.SELF_HARM, Topic.BREATHING, Topic.HEAVY_BLEEDING, Topic.SPREADING_INFECTION})
