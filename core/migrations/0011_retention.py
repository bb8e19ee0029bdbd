from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0010_water_price')]

    initial = False

    operations = [
        ops.AddField(
            model_name='OutboxMessage',
            name='erased_at',
            field=fields.DatetimeField(null=True, description='when its words and address were erased', auto_now=False, auto_now_add=False),
        ),
        ops.AddIndex(
            model_name='OutboxMessage',
            index=Index(fields=['erased_at', 'created_at']),
        ),
    ]
