from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0009_conditions')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Residence',
            name='water_price_eur_per_m3',
            field=fields.DecimalField(null=True, description='waste water included, null where not known', max_digits=7, decimal_places=4),
        ),
    ]
