from tortoise import migrations
from tortoise.migrations import operations as ops
from core.consumption.fluids import Fluid
from core.alerting.over_consumption import LimitPeriod
from core.alerting.kinds import AlertKind
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class SameColumn(ops.AlterField):
    """Another description of a column that stays as it is: on SQLite an alteration would rebuild the table,
    which loses its indexes (decision 3).
    """

    async def database_forward(self, *_args: object, **_more: object) -> None:
        pass

    async def database_backward(self, *_args: object, **_more: object) -> None:
        pass


class Migration(migrations.Migration):
    dependencies = [('models', '0008_publication')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ConsumptionLimit',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name='consumption_limits', on_delete=OnDelete.CASCADE)),
                ('dwelling', fields.ForeignKeyField('models.Dwelling', source_field='dwelling_id', db_constraint=True, to_field='id', related_name='consumption_limits', on_delete=OnDelete.CASCADE)),
                ('fluid', fields.CharEnumField(description='COLD_WATER: COLD_WATER\nHOT_WATER: HOT_WATER\nHEAT: HEAT\nHEAT_ALLOCATOR: HEAT_ALLOCATOR', enum_type=Fluid, max_length=16)),
                ('period', fields.CharEnumField(description='see LimitPeriod', enum_type=LimitPeriod, max_length=8)),
                ('amount', fields.BigIntField(description='in the smallest unit of the fluid')),
                ('set_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'consumption_limit', 'app': 'models', 'unique_together': (('account', 'dwelling', 'fluid', 'period'),), 'indexes': [Index(fields=['dwelling_id'])], 'pk_attr': 'id', 'table_description': 'What a resident asked to be told of: more than so much a day or a month.'},
            bases=['Model'],
        ),
        SameColumn(
            model_name='Alert',
            name='kind',
            field=fields.CharEnumField(description='see AlertKind', enum_type=AlertKind, max_length=20),
        ),
        ops.AddField(
            model_name='Alert',
            name='account',
            field=fields.ForeignKeyField('models.Account', source_field='account_id', null=True, description='whose own limit was passed, and who alone sees it', db_constraint=True, to_field='id', related_name='own_alerts', on_delete=OnDelete.CASCADE),
        ),
        ops.AddField(
            model_name='Alert',
            name='meter',
            field=fields.ForeignKeyField('models.Meter', source_field='meter_id', null=True, description='of a condition of the meter', db_constraint=True, to_field='id', related_name='alerts', on_delete=OnDelete.CASCADE),
        ),
        ops.AddField(
            model_name='Alert',
            name='own_limit',
            field=fields.CharEnumField(null=True, description='see LimitPeriod', enum_type=LimitPeriod, max_length=8),
        ),
        ops.AddIndex(
            model_name='Alert',
            index=Index(fields=['meter_id', 'kind']),
        ),
    ]
