from django.db import migrations, models


def name_labels(apps, schema_editor):
    """What was kept until now is the map of the decided label, without what is negative, its peak scaled to 1."""
    rows = apps.get_model("api", "PredictionImage").objects.filter(activations__isnull=False)
    for image in rows.select_related("prediction").iterator():
        image.activations = {image.prediction.label: image.activations}
        image.save(update_fields=["activations"])


def keep_decided_label(apps, schema_editor):
    """The way back: only the map that was kept before."""
    rows = apps.get_model("api", "PredictionImage").objects.filter(activations__isnull=False)
    for image in rows.select_related("prediction").iterator():
        evidence = [[max(0.0, value) for value in row] for row in image.activations[image.prediction.label]]
        peak = max(map(max, evidence)) or 1.0
        image.activations = [[round(value / peak, 4) for value in row] for row in evidence]
        image.save(update_fields=["activations"])


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0004_scans_and_history'),
    ]

    operations = [
        migrations.RenameField(
            model_name='predictionimage',
            old_name='activation',
            new_name='activations',
        ),
        migrations.AlterField(
            model_name='predictionimage',
            name='activations',
            field=models.JSONField(help_text='{code: [rows][columns]}: what each cell adds to the logit of every label, when asked for', null=True),
        ),
        migrations.RunPython(name_labels, keep_decided_label),
    ]
