import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


GROUP = "Reviewers"


def make_group(apps, schema_editor):
    """The role of a reviewer: one permission. Django makes permissions after all migrations, so this one is made here."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="api", model="reviewcase"
    )
    review, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type,
        codename="review",
        defaults={"name": "Can read cases, before seeing what the model answered"},
    )
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=GROUP)
    group.permissions.add(review)


def remove_group(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name=GROUP).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('api', '0006_model_versions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ControlDraw',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('drawn_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('since', models.DateField(help_text='first day of the log that it was drawn from; empty: from the start', null=True)),
                ('population', models.PositiveIntegerField(help_text='answers that it was drawn from: all not drawn before')),
                ('size', models.PositiveIntegerField()),
                ('drawn_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-drawn_at'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ReviewCase',
            fields=[
                ('prediction', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='review_case', serialize=False, to='api.prediction')),
                ('created_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                ('opinions_required', models.PositiveSmallIntegerField(default=1)),
                ('leased_until', models.DateTimeField(null=True)),
                ('standing', models.CharField(choices=[('waiting', 'waiting'), ('disputed', 'disputed'), ('concluded', 'concluded'), ('undecided', 'undecided')], default='waiting', max_length=10)),
                ('wants_reading', models.BooleanField(db_index=True, default=True)),
                ('verdict', models.CharField(blank=True, choices=[('class', 'class'), ('not_a_lesion', 'not_a_lesion'), ('unsure', 'unsure')], max_length=12)),
                ('label', models.CharField(blank=True, max_length=64)),
                ('basis', models.CharField(blank=True, choices=[('histology', 'histology'), ('consensus', 'consensus'), ('follow_up', 'follow_up'), ('opinion', 'opinion')], max_length=10)),
                ('control_draw', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cases', to='api.controldraw')),
                ('leased_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('skipped_by', models.ManyToManyField(related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-pk'],
                'permissions': [('review', 'Can read cases, before seeing what the model answered'), ('manage_reviews', 'Can see all reviews, choose what is read and draw samples')],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('reviewer_pseudonym', models.CharField(max_length=16)),
                ('kind', models.CharField(choices=[('opinion', 'opinion'), ('resolution', 'resolution'), ('result', 'result')], max_length=10)),
                ('is_reading', models.BooleanField(help_text='given before anything of the model or of other reviewers was shown')),
                ('may_read_log', models.BooleanField(help_text="the reviewer had the permission to look the model's answer up before")),
                ('verdict', models.CharField(choices=[('class', 'class'), ('not_a_lesion', 'not_a_lesion'), ('unsure', 'unsure')], max_length=12)),
                ('label', models.CharField(blank=True, max_length=64)),
                ('basis', models.CharField(choices=[('histology', 'histology'), ('consensus', 'consensus'), ('follow_up', 'follow_up'), ('opinion', 'opinion')], max_length=10)),
                ('modality', models.CharField(blank=True, choices=[('dermatoscopic', 'dermatoscopic'), ('clinical', 'clinical')], max_length=13)),
                ('reviewer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reviews', to=settings.AUTH_USER_MODEL)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reviews', to='api.reviewcase')),
            ],
            options={
                'ordering': ['created_at', 'id'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ReviewPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('policy', models.CharField(choices=[('priority', 'priority'), ('suspicious', 'suspicious'), ('uncertain', 'uncertain'), ('disagreeing', 'disagreeing'), ('entropy', 'entropy'), ('margin', 'margin'), ('diversity', 'diversity'), ('random', 'random')], default='priority', max_length=12)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('changed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ReviewRemark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('text', models.TextField()),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='remarks', to='api.review')),
            ],
            options={
                'ordering': ['created_at', 'id'],
                'default_permissions': (),
            },
        ),
        migrations.AddConstraint(
            model_name='reviewcase',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('standing', 'concluded'), ('wants_reading', False), models.Q(('verdict', ''), _negated=True), models.Q(('basis', ''), _negated=True)), models.Q(models.Q(('standing', 'concluded'), _negated=True), ('basis', ''), ('label', ''), ('verdict', '')), _connector='OR'), name='review_case_has_a_finding_when_concluded'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.UniqueConstraint(condition=models.Q(('is_reading', True)), fields=('case', 'reviewer_pseudonym'), name='review_one_reading_each'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'class'), models.Q(('label', ''), _negated=True)), models.Q(models.Q(('verdict', 'class'), _negated=True), ('label', '')), _connector='OR'), name='review_has_a_label_when_it_names_a_class'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('is_reading', True), models.Q(('basis', 'opinion'), _negated=True), _connector='OR'), name='review_opinion_is_a_reading'),
        ),
        migrations.AddConstraint(
            model_name='reviewplan',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='review_plan_is_one_row'),
        ),
        migrations.RunPython(make_group, remove_group),
    ]
