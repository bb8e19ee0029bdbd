from tortoise import migrations
from tortoise.migrations import operations as ops
from core.alerting.workflow import Deed, KnownUse, Party
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0005_registration')]

    initial = False

    operations = [
        ops.CreateModel(
            name='AlertDeed',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('alert', fields.ForeignKeyField('models.Alert', source_field='alert_id', db_constraint=True, to_field='id', related_name='deeds', on_delete=OnDelete.CASCADE)),
                ('deed', fields.CharEnumField(description='ACKNOWLEDGED: ACKNOWLEDGED\nREPAIRED: REPAIRED\nNOT_A_LEAK: NOT_A_LEAK\nVERIFIED: VERIFIED\nRELAPSED: RELAPSED', enum_type=Deed, max_length=16)),
                ('party', fields.CharEnumField(description='RESIDENT: RESIDENT\nMANAGER: MANAGER\nMETER: METER', enum_type=Party, max_length=12)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', null=True, db_constraint=True, to_field='id', related_name='alert_deeds', on_delete=OnDelete.SET_NULL)),
                ('done_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('repaired_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('reason', fields.CharEnumField(null=True, description='WATER_SOFTENER: WATER_SOFTENER\nREVERSE_OSMOSIS: REVERSE_OSMOSIS\nHUMIDIFIER: HUMIDIFIER\nWATERING: WATERING\nRECIRCULATION: RECIRCULATION\nSHARED_METER: SHARED_METER\nMETER_FAULT: METER_FAULT\nOTHER: OTHER', enum_type=KnownUse, max_length=20)),
                ('silent_until', fields.DateField(null=True)),
                ('note', fields.CharField(default='', max_length=300)),
            ],
            options={'table': 'alert_deed', 'app': 'models', 'indexes': [Index(fields=['alert_id', 'id'])], 'pk_attr': 'id', 'table_description': 'What somebody did about an alert, or what the meter said to it. Rows are only ever added.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ManagedResidence',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name='managed_residences', on_delete=OnDelete.CASCADE)),
                ('residence', fields.ForeignKeyField('models.Residence', source_field='residence_id', db_constraint=True, to_field='id', related_name='managers', on_delete=OnDelete.CASCADE)),
                ('granted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'managed_residence', 'app': 'models', 'unique_together': (('account', 'residence'),), 'indexes': [Index(fields=['residence_id'])], 'pk_attr': 'id', 'table_description': "A residence that a manager's account looks after."},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Alert',
            name='last_deed',
            field=fields.CharEnumField(null=True, description='of alert_deed', enum_type=Deed, max_length=16),
        ),
        ops.AddField(
            model_name='Alert',
            name='repaired_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Alert',
            name='silent_level',
            field=fields.SmallIntField(null=True, description='up to which level it is silent'),
        ),
        ops.AddField(
            model_name='Alert',
            name='silent_until',
            field=fields.DateField(null=True, description='exclusive: called no leak until then'),
        ),
        ops.AddIndex(
            model_name='Alert',
            index=Index(fields=['last_deed']),
        ),
    ]
