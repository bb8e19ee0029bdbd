"""Accounts: what opens them, what was done with them, and how a message is sent.

Beside what Tortoise writes by itself, two things. A message may go to somebody who has no account yet, which
on SQLite rebuilds `outbox_message`, so its constraint and index are made again. And the audit is kept by
triggers: no row is changed, and none is removed before it is a year old.
"""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops
from core.access.acts import Act
from core.access.permissions import Role
from core.models.access import ChallengePurpose
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields
from tortoise.indexes import Index

SQLITE_INDEXES = (
    'CREATE UNIQUE INDEX "uid_outbox_mess_idempotency" ON "outbox_message" ("idempotency_key")',
    'CREATE INDEX "idx_outbox_mess_state_id" ON "outbox_message" ("state", "id")',
)
SQLITE_TRIGGERS = (
    """CREATE TRIGGER audit_record_unchanged BEFORE UPDATE ON audit_record
    BEGIN SELECT RAISE(ABORT, 'audit records are never changed'); END""",
    """CREATE TRIGGER audit_record_kept BEFORE DELETE ON audit_record
    WHEN OLD.at > datetime('now', '-365 days')
    BEGIN SELECT RAISE(ABORT, 'audit records are kept for a year'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION audit_record_held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'UPDATE' THEN RAISE EXCEPTION 'audit records are never changed'; END IF;
        IF OLD.at > now() - interval '365 days' THEN
            RAISE EXCEPTION 'audit records are kept for a year'; END IF;
        RETURN OLD;
    END $$""",
    """CREATE TRIGGER audit_record_held BEFORE UPDATE OR DELETE ON audit_record
    FOR EACH ROW EXECUTE FUNCTION audit_record_held()""",
)


async def hold(apps: Any, editor: Any) -> None:
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for statement in (*SQLITE_INDEXES, *SQLITE_TRIGGERS) if sqlite else POSTGRESQL_TRIGGERS:
        await editor.client.execute_query(statement)


async def let_go(apps: Any, editor: Any) -> None:
    if editor.client.capabilities.dialect == "sqlite":
        names = ("TRIGGER audit_record_unchanged", "TRIGGER audit_record_kept")
    else:
        names = ("TRIGGER audit_record_held ON audit_record", "FUNCTION audit_record_held()")
    for name in names:
        await editor.client.execute_query(f"DROP {name}")


class Migration(migrations.Migration):
    dependencies = [('models', '0003_compact_formats_and_counters')]

    initial = False

    operations = [
        ops.CreateModel(
            name='AccessToken',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name='access_tokens', on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(max_length=80)),
                ('token_hash', fields.CharField(unique=True, max_length=64)),
                ('scopes', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'access_token', 'app': 'models', 'indexes': [Index(fields=['account_id'])], 'pk_attr': 'id', 'table_description': "A personal access token: a program's key to a part of its owner's data."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AuditRecord',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('act', fields.CharEnumField(description='what happened, see core.access.acts', enum_type=Act, max_length=40)),
                ('role', fields.CharField(null=True, description='who acted, null for nobody known', max_length=16)),
                ('actor_id', fields.BigIntField(null=True, description='the account that acted')),
                ('subject', fields.CharField(description='the kind of thing acted on', max_length=40)),
                ('subject_id', fields.BigIntField(null=True)),
                ('address', fields.CharField(null=True, max_length=45)),
                ('details', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={'table': 'audit_record', 'app': 'models', 'indexes': [Index(fields=['subject', 'subject_id']), Index(fields=['at'])], 'pk_attr': 'id', 'table_description': 'A security-relevant act. Rows are only added: triggers refuse to change one or to remove a young one.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Challenge',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name='challenges', on_delete=OnDelete.CASCADE)),
                ('purpose', fields.CharEnumField(description='RESET_PASSWORD: RESET_PASSWORD\nCONFIRM_EMAIL: CONFIRM_EMAIL\nCONFIRM_PHONE: CONFIRM_PHONE', enum_type=ChallengePurpose, max_length=32)),
                ('secret_hash', fields.CharField(max_length=64)),
                ('target', fields.CharField(max_length=254)),
                ('tries', fields.IntField(default=0)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'challenge', 'app': 'models', 'indexes': [Index(fields=['account_id', 'purpose']), Index(fields=['secret_hash'])], 'pk_attr': 'id', 'table_description': 'A secret sent to an address, to be shown once. The target is the address that it proves.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Device',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name='devices', on_delete=OnDelete.CASCADE)),
                ('token_hash', fields.CharField(unique=True, max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'device', 'app': 'models', 'indexes': [Index(fields=['account_id'])], 'pk_attr': 'id', 'table_description': 'A browser or app that an account has signed in with: a lock-out of strangers does not hold it off.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('models.Account', source_field='account_id', db_constraint=True, to_field='id', related_name='recovery_codes', on_delete=OnDelete.CASCADE)),
                ('code_hash', fields.CharField(max_length=64)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'recovery_code', 'app': 'models', 'unique_together': (('account', 'code_hash'),), 'pk_attr': 'id', 'table_description': 'Stands in for the second factor once, when its device is lost.'},
            bases=['Model'],
        ),
        ops.AlterModelOptions(
            name='Account',
            options={'table': 'account', 'app': 'models', 'pk_attr': 'id', 'table_description': "A person's access, a resident's or a manager's."},
        ),
        ops.AddField(
            model_name='Account',
            name='new_document_by_email',
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name='Account',
            name='new_document_by_sms',
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name='Account',
            name='password_changed_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Account',
            name='phone_confirmed_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Account',
            name='role',
            field=fields.CharEnumField(default=Role.RESIDENT, description='RESIDENT or MANAGER', db_default='RESIDENT', enum_type=Role, max_length=16),
        ),
        ops.AddField(
            model_name='Account',
            name='second_factor_sealed',
            field=fields.BinaryField(null=True),
        ),
        ops.AddField(
            model_name='Account',
            name='second_factor_since',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Account',
            name='second_factor_step',
            field=fields.BigIntField(null=True, description='the last time step used, never again'),
        ),
        ops.AddField(
            model_name='Account',
            name='temporary_password_until',
            field=fields.DatetimeField(null=True, description='set while the password is a temporary one, which must be changed (R-061)', auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Account',
            name='temporary_password_used_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Account',
            name='terms_accepted_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Account',
            name='terms_version',
            field=fields.CharField(null=True, description='the last one accepted (R-062)', max_length=32),
        ),
        ops.AlterModelOptions(
            name='OutboxMessage',
            options={'table': 'outbox_message', 'app': 'models', 'indexes': [Index(fields=['state', 'id'])], 'pk_attr': 'id', 'table_description': 'One message by one channel. The idempotency_key lets an event be told once only.'},
        ),
        ops.AddField(
            model_name='OutboxMessage',
            name='attempts',
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name='OutboxMessage',
            name='claimed_by',
            field=fields.CharField(null=True, max_length=32),
        ),
        ops.AddField(
            model_name='OutboxMessage',
            name='claimed_until',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='OutboxMessage',
            name='due_at',
            field=fields.DatetimeField(null=True, description='not to be tried before, null for at once', auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='OutboxMessage',
            name='expires_at',
            field=fields.DatetimeField(null=True, description='not to be sent from then on', auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='OutboxMessage',
            name='failure',
            field=fields.CharField(null=True, description='the last reason it was not sent', max_length=200),
        ),
        ops.AddField(
            model_name='OutboxMessage',
            name='recipient',
            field=fields.CharField(null=True, max_length=254),
        ),
        ops.AddField(
            model_name='OutboxMessage',
            name='sealed_values',
            field=fields.BinaryField(null=True),
        ),
        ops.AddField(
            model_name='Session',
            name='address',
            field=fields.CharField(null=True, max_length=45),
        ),
        ops.AddField(
            model_name='Session',
            name='last_seen_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Session',
            name='second_factor_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AlterField(
            model_name='OutboxMessage',
            name='account',
            field=fields.ForeignKeyField('models.Account', source_field='account_id', null=True, db_constraint=True, to_field='id', related_name='messages', on_delete=OnDelete.CASCADE),
        ),
        ops.RunPython(code=hold, reverse_code=let_go),
    ]
