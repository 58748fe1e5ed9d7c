"""The wire format of the on-device description: what a phone reads to answer as the server does."""

from typing import Any

from rest_framework import serializers

from api.serializers import LabelSerializer, ModelIdentitySerializer
from ml_models.classification import Modality, ReasonCode

_BY_CODE = "by class code"


class ModelFileSerializer(serializers.Serializer[Any]):
    """The LiteRT file. Inputs and outputs have names, in `signature`; their order and tensor names mean nothing."""

    url = serializers.URLField(help_text="names the digest; 404 once another model is live")
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    signature = serializers.CharField()
    input = serializers.CharField(help_text="float32 [1, size_px, size_px, 3], RGB in 0-255")
    output = serializers.CharField(help_text="float32 [1, classes], uncalibrated logits in the order of `labels`")


class ModelInputSerializer(serializers.Serializer[Any]):
    """From an upright sRGB photo to the model's input; a reader must know `preprocess_version`."""

    size_px = serializers.IntegerField()
    preprocess_version = serializers.IntegerField()
    max_aspect = serializers.FloatField(help_text="the longer side is cut symmetrically to this times the shorter")
    shrink = serializers.ChoiceField(choices=["area"])
    enlarge = serializers.ChoiceField(choices=["bilinear"], help_text="where either side is under size_px")
    decoded_short_side_px = serializers.IntegerField(
        help_text="decode no smaller: the server takes the smallest of 1/8, 1/4, 1/2 and 1/1 that leaves this"
    )


class AdvisedLabelSerializer(LabelSerializer):
    """One class, and what to do about it."""

    advice = serializers.CharField()


class CalibrationSerializer(serializers.Serializer[Any]):
    """Logits divided by `temperature`, then moved by `bias`."""

    temperature = serializers.FloatField()
    bias = serializers.DictField(child=serializers.FloatField(), help_text=f"{_BY_CODE}; empty: none")


class _OffsetsField(serializers.DictField):
    """Fact to class code to offset."""

    child = serializers.DictField(child=serializers.FloatField(), help_text=_BY_CODE)


class PatientEffectsSerializer(serializers.Serializer[Any]):
    """What a known fact adds to the calibrated logits; what is missing adds nothing."""

    age = _OffsetsField(help_text="by age band")
    sex = _OffsetsField(help_text="by sex")
    site = _OffsetsField(help_text="by site")


class AgeBandSerializer(serializers.Serializer[Any]):
    """Whole years, both ends included."""

    band = serializers.CharField()
    from_years = serializers.IntegerField()
    to_years = serializers.IntegerField()


class SitePatternSerializer(serializers.Serializer[Any]):
    """A region of the body and the words for it, as a regular expression over folded text."""

    site = serializers.CharField()
    pattern = serializers.CharField()


class PatientRulesSerializer(serializers.Serializer[Any]):
    """How what a person says becomes facts, and what these add."""

    effects = PatientEffectsSerializer()
    age_bands = AgeBandSerializer(many=True)
    sexes = serializers.ListField(child=serializers.CharField(), help_text="any other word is unknown")
    left_out_of_site = serializers.CharField(help_text="regular expression: becomes a blank first")
    sites = SitePatternSerializer(many=True)


class GateSerializer(serializers.Serializer[Any]):
    """A photo whose `score` is under `minimum` is rejected with `reason`."""

    score = serializers.CharField()
    minimum = serializers.FloatField()
    reason = serializers.ChoiceField(choices=[each.value for each in ReasonCode])


class GatesSerializer(serializers.Serializer[Any]):
    """What is measured of the grey photo, shrunk to this short side, and the limits; see on_device/README.md."""

    measured_side_px = serializers.IntegerField()
    scores = serializers.ListField(child=serializers.CharField())
    rules = GateSerializer(many=True)


class DecisionTextsSerializer(serializers.Serializer[Any]):
    """Sentences of advice, and what stands before and after a diagnosis."""

    rejected_diagnosis = serializers.CharField()
    retake = serializers.CharField()
    suspicious_advice = serializers.CharField()
    uncertain_advice = serializers.CharField()
    unvalidated_advice = serializers.CharField()
    unsure = serializers.CharField(help_text="stands before a diagnosis")
    possibly_malignant = serializers.CharField(help_text="stands after a diagnosis")


class DecisionRulesSerializer(serializers.Serializer[Any]):
    """The numbers and words of the decision table."""

    malignancy_thresholds = serializers.DictField(
        child=serializers.FloatField(), help_text=f"by modality: {', '.join(Modality)}"
    )
    minimum_confidence = serializers.FloatField()
    gates_judged = serializers.BooleanField(help_text="false: no answer is safe")
    reasons = serializers.DictField(child=serializers.CharField(), help_text="text by reason code")
    texts = DecisionTextsSerializer()


class OnDeviceResponse(serializers.Serializer[Any]):
    """All that is needed to answer a photo without the server, as the server would."""

    format = serializers.IntegerField()
    model = ModelIdentitySerializer()
    intended_use = serializers.CharField()
    file = ModelFileSerializer()
    input = ModelInputSerializer()
    labels = AdvisedLabelSerializer(many=True)  # in the order of the model's outputs
    calibrations = serializers.DictField(
        child=CalibrationSerializer(), help_text="by modality; for an unknown one that of the highest temperature"
    )
    patient = PatientRulesSerializer()
    gates = GatesSerializer()
    decision = DecisionRulesSerializer()
    disclaimer = serializers.CharField()
