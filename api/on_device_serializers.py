"""The wire format of the on-device description: what a phone reads to answer as the server does."""

from typing import Any

from rest_framework import serializers

from api.serializers import LabelSerializer, ModelIdentitySerializer
from ml_models.classification import Modality, ReasonCode

_BY_CODE = "by class code"
_MODALITIES = [each.value for each in Modality]


class OutputNamesSerializer(serializers.Serializer[Any]):
    """What the outputs are called. `kinds` and `coverage`, the heads, are there together or not at all."""

    logits = serializers.CharField(help_text="float32 [1, classes], uncalibrated, in the order of `labels`")
    kinds = serializers.CharField(required=False, help_text="float32 [1, kinds], logits in the order of `kind_order`")
    coverage = serializers.CharField(
        required=False, help_text="float32 [1, grid, grid, 1], share of each cell that the lesion covers, not clipped"
    )


class ModelFileSerializer(serializers.Serializer[Any]):
    """The LiteRT file. Inputs and outputs have names, in `signature`; their order and tensor names mean nothing."""

    url = serializers.URLField(help_text="names the digest; 404 once another model is live")
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    signature = serializers.CharField()
    input = serializers.CharField(help_text="float32 [1, size_px, size_px, 3], RGB in 0-255")
    outputs = OutputNamesSerializer()


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


class HeadRulesSerializer(serializers.Serializer[Any]):
    """How the heads are read: a photo is of the likelier modality if that has this share of both, else of none."""

    kind_order = serializers.ListField(
        child=serializers.CharField(allow_null=True), help_text="modalities; null: no photo of a lesion"
    )
    modality_certainty = serializers.FloatField()


class GateSerializer(serializers.Serializer[Any]):
    """A photo whose `score` is under `minimum` is rejected with `reason`.

    `modality` null: whatever its kind; a photo whose kind is not certain has to pass the gates of every kind. Of the
    gates that a photo does not pass only those of the lowest `tier` are said.
    """

    score = serializers.CharField()
    minimum = serializers.FloatField()
    reason = serializers.ChoiceField(choices=[each.value for each in ReasonCode])
    modality = serializers.ChoiceField(choices=_MODALITIES, allow_null=True)
    tier = serializers.IntegerField()


class GatesSerializer(serializers.Serializer[Any]):
    """What is measured of the grey photo, shrunk to this short side, and the limits; see on_device/README.md."""

    measured_side_px = serializers.IntegerField()
    clipped_from = serializers.IntegerField(help_text="grey level of a pixel that tells nothing any more")
    photo_scores = serializers.ListField(child=serializers.CharField(), help_text="measured of the pixels")
    network_scores = serializers.ListField(child=serializers.CharField(), help_text="read off the heads")
    rules = GateSerializer(many=True)


class DecisionTextsSerializer(serializers.Serializer[Any]):
    """Sentences of advice, and what stands before and after a diagnosis."""

    rejected_diagnosis = serializers.CharField()
    retake = serializers.CharField()
    suspicious_advice = serializers.CharField()
    disagreeing_advice = serializers.CharField()
    uncertain_advice = serializers.CharField()
    unvalidated_advice = serializers.CharField()
    unsure = serializers.CharField(help_text="stands before a diagnosis")
    possibly_malignant = serializers.CharField(help_text="stands after a diagnosis")


class DecisionRulesSerializer(serializers.Serializer[Any]):
    """The numbers and words of the decision table."""

    malignancy_thresholds = serializers.DictField(
        child=serializers.FloatField(), help_text=f"by modality: {', '.join(Modality)}"
    )
    prediction_sets = serializers.DictField(
        child=serializers.FloatField(), help_text="probability by modality from which on a class cannot be ruled out"
    )
    gated = serializers.ListField(
        child=serializers.CharField(),
        help_text="modalities that gates were chosen for; of any other no answer is safe",
    )
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
        child=CalibrationSerializer(),
        help_text="by modality; for an unknown one the highest temperature, without a bias",
    )
    patient = PatientRulesSerializer()
    heads = HeadRulesSerializer()
    gates = GatesSerializer()
    decision = DecisionRulesSerializer()
    disclaimer = serializers.CharField()
