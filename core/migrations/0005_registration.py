from tortoise import migrations
from tortoise.migrations import operations as ops
from core.models.registration import CaseKind, CaseState
from core.operators.journey import OccupancyKind, Path, Step
from core.registration.draft import Civility, CouncilMember
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0004_accounts')]

    initial = False

    operations = [
        ops.CreateModel(
            name='DwellingCase',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('dwelling', fields.ForeignKeyField('models.Dwelling', source_field='dwelling_id', db_constraint=True, to_field='id', related_name='cases', on_delete=OnDelete.RESTRICT)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name='cases', on_delete=OnDelete.CASCADE)),
                ('kind', fields.CharEnumField(description='REVIEW: REVIEW\nCONTESTED: CONTESTED', enum_type=CaseKind, max_length=16)),
                ('state', fields.CharEnumField(default=CaseState.OPEN, description='OPEN: OPEN\nAPPROVED: APPROVED\nREFUSED: REFUSED', enum_type=CaseState, max_length=16)),
                ('occupancy_kind', fields.CharEnumField(description='TENANT: TENANT\nOWNER_OCCUPIER: OWNER_OCCUPIER\nOWNER_NON_OCCUPANT: OWNER_NON_OCCUPANT', enum_type=OccupancyKind, max_length=20)),
                ('move_in', fields.DateField()),
                ('attested_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('council_member', fields.CharEnumField(null=True, description='YES: YES\nNO: NO\nUNDISCLOSED: UNDISCLOSED', enum_type=CouncilMember, max_length=16)),
                ('manager_daily_data', fields.BooleanField(null=True)),
                ('opened_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'dwelling_case', 'app': 'models', 'indexes': [Index(fields=['state', 'id']), Index(fields=['account_id', 'state'])], 'pk_attr': 'id', 'table_description': 'Somebody asks for a dwelling and a manager decides. The account exists and sees nothing until then.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Registration',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('operator', fields.ForeignKeyField('models.Operator', source_field='operator_id', db_constraint=True, to_field='id', related_name='registrations', on_delete=OnDelete.RESTRICT)),
                ('token_hash', fields.CharField(unique=True, max_length=64)),
                ('language', fields.CharField(default='fr', max_length=2)),
                ('step', fields.CharEnumField(description='OCCUPANCY: OCCUPANCY\nRESIDENCE: RESIDENCE\nDWELLING: DWELLING\nATTESTATION: ATTESTATION\nPROFILE: PROFILE\nOPTIONS: OPTIONS\nPERSONAL_DATA: PERSONAL_DATA\nVERIFICATION: VERIFICATION\nFIRST_SIGN_IN: FIRST_SIGN_IN\nUNDER_REVIEW: UNDER_REVIEW\nCOMPLETE: COMPLETE', enum_type=Step, max_length=20)),
                ('kind', fields.CharEnumField(null=True, description='TENANT: TENANT\nOWNER_OCCUPIER: OWNER_OCCUPIER\nOWNER_NON_OCCUPANT: OWNER_NON_OCCUPANT', enum_type=OccupancyKind, max_length=20)),
                ('residence', fields.ForeignKeyField('models.Residence', source_field='residence_id', null=True, db_constraint=True, to_field='id', related_name='registrations', on_delete=OnDelete.SET_NULL)),
                ('dwelling', fields.ForeignKeyField('models.Dwelling', source_field='dwelling_id', null=True, db_constraint=True, to_field='id', related_name='registrations', on_delete=OnDelete.SET_NULL)),
                ('path', fields.CharEnumField(null=True, description='SITE_CODE: SITE_CODE\nADDRESS: ADDRESS\nBUILDING_CODE: BUILDING_CODE\nSERIAL: SERIAL\nLOT_NUMBER: LOT_NUMBER\nDWELLING_REFERENCE: DWELLING_REFERENCE', enum_type=Path, max_length=24)),
                ('proven', fields.BooleanField(default=False)),
                ('contested', fields.BooleanField(default=False)),
                ('attested_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('move_in', fields.DateField(null=True)),
                ('council_member', fields.CharEnumField(null=True, description='YES: YES\nNO: NO\nUNDISCLOSED: UNDISCLOSED', enum_type=CouncilMember, max_length=16)),
                ('leak_by_email', fields.BooleanField(default=False)),
                ('leak_by_sms', fields.BooleanField(default=False)),
                ('over_consumption_by_email', fields.BooleanField(default=False)),
                ('manager_daily_data', fields.BooleanField(null=True)),
                ('civility', fields.CharEnumField(null=True, description='MADAME: MADAME\nMONSIEUR: MONSIEUR', enum_type=Civility, max_length=16)),
                ('first_name', fields.CharField(default='', max_length=80)),
                ('last_name', fields.CharField(default='', max_length=80)),
                ('email', fields.CharField(default='', max_length=254)),
                ('phone_e164', fields.CharField(null=True, max_length=16)),
                ('privacy_version', fields.CharField(null=True, max_length=32)),
                ('newsletter', fields.BooleanField(default=False)),
                ('password_hash', fields.CharField(null=True, max_length=200)),
                ('temporary_password_hash', fields.CharField(null=True, description='SHA-256, 100 bits', max_length=64)),
                ('code_hash', fields.CharField(null=True, max_length=64)),
                ('code_made_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('code_tries', fields.IntField(default=0)),
                ('letters', fields.IntField(default=0, description='how many were sent, for their keys')),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'registration', 'app': 'models', 'indexes': [Index(fields=['temporary_password_hash']), Index(fields=['expires_at'])], 'pk_attr': 'id', 'table_description': 'A sign-up that is under way. The token itself is never stored, only its SHA-256.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Account',
            name='newsletter_since',
            field=fields.DatetimeField(null=True, description='null for not wished (NL-01)', auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Account',
            name='privacy_version',
            field=fields.CharField(null=True, description='of the notice acknowledged at sign-up (R-211)', max_length=32),
        ),
        ops.AddField(
            model_name='Occupancy',
            name='access_until',
            field=fields.DateField(null=True, description='the first day on which somebody who left no longer sees the own period'),
        ),
        ops.AddField(
            model_name='Occupancy',
            name='attested_at',
            field=fields.DatetimeField(null=True, description='when it was declared on honour (R-048)', auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Occupancy',
            name='council_member',
            field=fields.CharEnumField(null=True, description='YES: YES\nNO: NO\nUNDISCLOSED: UNDISCLOSED', enum_type=CouncilMember, max_length=16),
        ),
        ops.AddField(
            model_name='Residence',
            name='remote_reading',
            field=fields.BooleanField(default=True, db_default=True),
        ),
    ]
