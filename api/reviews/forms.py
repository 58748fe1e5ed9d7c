"""What a reviewer sends. Classes are those of the case; everything else is fixed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from api.reviews.classes import ClassChoice
from api.reviews.conclusion import Basis, Finding, Verdict
from api.reviews.policies import PolicyName
from api.reviews.services import Reading
from api.reviews.wording import BASES, MODALITIES
from ml_models.classification import Modality

SKIP = "skip"
MAX_SAMPLE = 10_000
_CLASS = "class:"


class ReadingForm(forms.Form):
    """The answer to a case: one button, and how it is known."""

    answer = forms.ChoiceField(error_messages={"required": _("Choose an answer.")})
    modality = forms.ChoiceField(
        choices=[(each.value, MODALITIES[each]) for each in MODALITIES],
        initial=Modality.CLINICAL.value,
        widget=forms.RadioSelect,
    )
    basis = forms.ChoiceField(
        choices=[(each.value, BASES[each]) for each in BASES], initial=Basis.OPINION.value, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, classes: tuple[ClassChoice, ...], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["answer"].choices = [  # type: ignore[attr-defined]
            *((f"{_CLASS}{each.code}", each.name) for each in classes),
            *((verdict.value, verdict.value) for verdict in (Verdict.NOT_A_LESION, Verdict.UNSURE)),
            (SKIP, SKIP),
        ]

    @property
    def is_skip(self) -> bool:
        """Whether the case is left to others."""
        return bool(self.cleaned_data["answer"] == SKIP)

    def reading(self) -> Reading:
        """The validated form."""
        return Reading(
            _finding(self.cleaned_data["answer"]),
            Basis(self.cleaned_data["basis"]),
            Modality(self.cleaned_data["modality"]),
        )


class ResultForm(forms.Form):
    """What has become known of a case since."""

    finding = forms.ChoiceField(label=_("It is"))
    basis = forms.ChoiceField(
        label=_("Known by"),
        choices=[(each.value, BASES[each]) for each in Basis if each is not Basis.OPINION],
        initial=Basis.HISTOLOGY.value,
    )

    def __init__(self, *args: Any, classes: tuple[ClassChoice, ...], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["finding"].choices = [  # type: ignore[attr-defined]
            ("", "---"),
            *((f"{_CLASS}{each.code}", each.name) for each in classes),
            (Verdict.NOT_A_LESION.value, _("Not a lesion")),
            (Verdict.UNSURE.value, _("Unsure")),
        ]

    def reading(self) -> Reading:
        """The validated form."""
        return Reading(_finding(self.cleaned_data["finding"]), Basis(self.cleaned_data["basis"]))


class RemarkForm(forms.Form):
    """Words beside an answer."""

    text = forms.CharField(
        label=_("Remark"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Do not name anybody: it is kept with the photo."),
    )


class DrawForm(forms.Form):
    """How large a control sample, and from which day of the log on."""

    size = forms.IntegerField(min_value=1, max_value=MAX_SAMPLE, initial=50)
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))


class PolicyForm(forms.Form):
    """What reviewers read first."""

    policy = forms.ChoiceField(choices=[(each.value, each.value) for each in PolicyName])


def _finding(answer: str) -> Finding:
    if answer.startswith(_CLASS):
        return Finding(Verdict.CLASS, answer.removeprefix(_CLASS))
    return Finding(Verdict(answer))
