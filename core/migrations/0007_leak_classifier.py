from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0006_alert_workflow')]

    initial = False

    operations = [
        ops.CreateModel(
            name='LeakMemory',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('meter', fields.OneToOneField('models.Meter', source_field='meter_id', db_constraint=True, to_field='id', related_name='leak_memory', on_delete=OnDelete.CASCADE)),
                ('settled_s', fields.BigIntField()),
                ('state', fields.BinaryField()),
                ('changes', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={'table': 'leak_memory', 'app': 'models', 'pk_attr': 'id', 'table_description': 'What the classifier remembers of a meter up to a moment (core.leaks.classifier.stream).'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='LeakEpisode',
            name='detected_at',
            field=fields.DatetimeField(null=True, description='the reading that showed the leak', auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='LeakEpisode',
            name='evidence',
            field=fields.JSONField(null=True, description='why: the rule and what it looked at, at the opening and at the last change', encoder=JSON_DUMPS, decoder=loads),
        ),
    ]
