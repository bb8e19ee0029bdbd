from tortoise import migrations
from tortoise.migrations import operations as ops
from core.models.places import DocumentKind
from tortoise.fields.base import OnDelete
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0007_leak_classifier')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ResidenceDocument',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('residence', fields.ForeignKeyField('models.Residence', source_field='residence_id', db_constraint=True, to_field='id', related_name='documents', on_delete=OnDelete.CASCADE)),
                ('kind', fields.CharEnumField(description='PORTAL_READY: PORTAL_READY', enum_type=DocumentKind, max_length=20)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'residence_document', 'app': 'models', 'unique_together': (('residence', 'kind'),), 'pk_attr': 'id', 'table_description': 'A document of a residence, readable by everybody who manages it (C-10).'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='ManagedResidence',
            name='administrator',
            field=fields.BooleanField(default=False, description='told by e-mail (R-134)', db_default=False),
        ),
    ]
