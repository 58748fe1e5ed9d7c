"""The states of reviews in words, in the language of the request."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from api.reviews.conclusion import Basis, Kind, Standing, Verdict
from ml_models.classification import Modality, Status

VERDICTS: Mapping[Verdict, Promise] = {
    Verdict.NOT_A_LESION: _("Not a lesion"),
    Verdict.UNSURE: _("Unsure"),
}
BASES: Mapping[Basis, Promise] = {
    Basis.OPINION: _("Opinion, from the photo"),
    Basis.FOLLOW_UP: _("Follow-up, no change over time"),
    Basis.CONSENSUS: _("Consensus of several experts"),
    Basis.HISTOLOGY: _("Histology"),
}
MODALITIES: Mapping[Modality, Promise] = {
    Modality.CLINICAL: _("Plain photo"),
    Modality.DERMATOSCOPIC: _("Through a dermatoscope"),
}
KINDS: Mapping[Kind, Promise] = {
    Kind.OPINION: _("read"),
    Kind.RESOLUTION: _("resolved the disagreement"),
    Kind.RESULT: _("added later"),
}
STANDINGS: Mapping[Standing, Promise] = {
    Standing.WAITING: _("Waits for another reader"),
    Standing.DISPUTED: _("Disagreement"),
    Standing.CONCLUDED: _("Concluded"),
    Standing.UNDECIDED: _("Cannot be decided from the photo"),
}
STATUSES: Mapping[Status, Promise] = {
    Status.OK: _("answered"),
    Status.UNCERTAIN: _("told to be unsure"),
    Status.REJECTED: _("rejected"),
}
GATE_SCORES: Mapping[str, Promise] = {
    "brightness": _("Brightness"),
    "contrast": _("Contrast"),
    "sharpness": _("Sharpness"),
    "unclipped": _("Share not burnt out"),
    "detail_px": _("Short side, px (at most 200)"),
    "lesion_photo": _("A photo of a lesion"),
    "lesion_share": _("Share of the frame covered"),
    "lesion_inside": _("Share of the rim free of it"),
    "modality_certainty": _("Certainty of the kind of photo"),
}


def finding_text(verdict: str, label: str, names: Mapping[str, str]) -> str:
    """A verdict in words, or the name of the class."""
    if verdict == Verdict.CLASS.value:
        return names.get(label, label)
    return str(VERDICTS[Verdict(verdict)])
