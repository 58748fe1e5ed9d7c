from django.db import migrations, models

MODALITIES = [("dermatoscopic", "dermatoscopic"), ("clinical", "clinical")]


def name_rejections(apps, schema_editor):
    """Until now an answer was to one photo, so the reasons of a rejected one are those of its photo."""
    rows = apps.get_model("api", "PredictionImage").objects.filter(prediction__status="rejected")
    for image in rows.select_related("prediction").iterator():
        image.rejections = [reason["code"] for reason in image.prediction.reasons]
        image.save(update_fields=["rejections"])


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0007_reviews'),
    ]

    operations = [
        migrations.AddField(
            model_name='prediction',
            name='modality',
            field=models.CharField(blank=True, choices=MODALITIES, default='', help_text='empty when unsure', max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='prediction',
            name='possible',
            field=models.JSONField(default=list, help_text='[code] that cannot be ruled out, most probable first'),
        ),
        migrations.AddField(
            model_name='predictionimage',
            name='modality',
            field=models.CharField(blank=True, choices=MODALITIES, default='', help_text='empty when unsure', max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='predictionimage',
            name='rejections',
            field=models.JSONField(default=list, help_text='[reason code] of the gates that it does not pass'),
        ),
        migrations.AlterField(
            model_name='prediction',
            name='duration_ms',
            field=models.FloatField(help_text='decoding and inference of all photos, without storing'),
        ),
        migrations.AlterField(
            model_name='predictionimage',
            name='position',
            field=models.PositiveSmallIntegerField(default=0, help_text='among those sent; a repeated one leaves a gap'),
        ),
        migrations.AlterField(
            model_name='predictionimage',
            name='probabilities',
            field=models.JSONField(help_text='of this photo alone, null when rejected', null=True),
        ),
        migrations.RunPython(name_rejections, migrations.RunPython.noop),
    ]
