"""The directory's rows. Owns what a valid entry is and when two entries are the same."""

import hashlib
import math
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from api.text import folded

_DEGREES = _("%(value)s is not a number. Write degrees with a point, such as 48.2082.")


def validate_finite(value: float) -> None:
    """NaN passes every comparison with a limit."""
    if not math.isfinite(value):
        raise ValidationError(_("%(value)s is not a number.") % {"value": value}, code="not_finite")


class Dermatologist(models.Model):
    """A practice or clinic as the imported file tells it."""

    name = models.CharField(max_length=200)
    speciality = models.CharField(max_length=200)
    address = models.CharField(max_length=300)
    city = models.CharField(max_length=100)
    latitude = models.FloatField(
        error_messages={"invalid": _DEGREES},
        validators=[validate_finite, MinValueValidator(-90), MaxValueValidator(90)],
        help_text="degrees north",
    )
    longitude = models.FloatField(
        error_messages={"invalid": _DEGREES},
        validators=[validate_finite, MinValueValidator(-180), MaxValueValidator(180)],
        help_text="degrees east",
    )
    phone = models.CharField(max_length=40, blank=True)
    rating = models.FloatField(
        null=True,
        blank=True,
        error_messages={"invalid": _("%(value)s is not a number. Write a rating from 0 to 5, or nothing.")},
        validators=[validate_finite, MinValueValidator(0), MaxValueValidator(5)],
        help_text="0 to 5; empty when nobody has rated it",
    )
    city_key = models.CharField(max_length=300, editable=False, help_text="the city as it is searched")
    identity = models.CharField(
        max_length=64, unique=True, editable=False, help_text="sha256 of name, address and city in any spelling"
    )

    class Meta:
        ordering: ClassVar = ["city", "name"]
        indexes: ClassVar = [
            models.Index(fields=["latitude", "longitude"]),
            models.Index(fields=["city_key"]),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="dermatologist_is_on_earth",
                condition=Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
            ),
            models.CheckConstraint(
                name="dermatologist_rating_is_0_to_5",
                condition=Q(rating__isnull=True) | Q(rating__range=(0, 5)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"

    def clean(self) -> None:
        super().clean()
        self.derive_keys()
        if type(self).objects.filter(identity=self.identity).exclude(pk=self.pk).exists():
            raise ValidationError(_("The directory has an entry with this name, address and city already."))

    def derive_keys(self) -> None:
        """Fill what is derived from the other fields; every writer calls it before it saves."""
        self.city_key = folded(self.city)[:300]
        spelled = "\n".join(folded(part) for part in (self.name, self.address, self.city))
        self.identity = hashlib.sha256(spelled.encode()).hexdigest()
