from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0002_series')]

    initial = False

    operations = [
        ops.CreateModel(
            name='CompactFormat',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('manufacturer', fields.CharField(max_length=3)),
                ('version', fields.SmallIntField()),
                ('medium', fields.SmallIntField()),
                ('headers', fields.CharField(max_length=500)),
                ('learned_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'compact_format', 'app': 'models', 'unique_together': (('manufacturer', 'version', 'medium', 'headers'),), 'pk_attr': 'id', 'table_description': 'Record headers that a full telegram taught, by which compact ones of its kind are read (EN 13757-3).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='MessageCounter',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('meter', fields.OneToOneField('models.Meter', source_field='meter_id', db_constraint=True, to_field='id', related_name='message_counter', on_delete=OnDelete.CASCADE)),
                ('counter', fields.BigIntField()),
                ('heard_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'message_counter', 'app': 'models', 'pk_attr': 'id', 'table_description': 'The newest message of a meter whose messages are counted and authenticated (mode 7).'},
            bases=['Model'],
        ),
    ]
