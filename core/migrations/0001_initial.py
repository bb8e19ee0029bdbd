"""The tables of Submeter.

In: an empty database. Out: every table, index and trigger of it. The one rule: a migration states its values
as literals and imports nothing of the application, so that it makes the same tables after any later change of
the models.

Until 0.2 is released this is the only migration, and `make migration` writes what follows the line below from
the models (docs/decisions/0003-migrations.md). What stands above that line is written by hand: what Tortoise
cannot model.

The time series have composite keys (meter, time). Their times are whole seconds since 1970 in UTC, days are
written 20261122: both databases order, compare and index them alike, and rows are small (26 bytes on SQLite
WITHOUT ROWID, measured). A reading that turns out to lie outside its meter's time in service is kept in
`reading_outside_service`, one dated by a server's clock that was ahead in `reading_in_future`: both have
the same columns. Amounts are in the fluid's smallest unit. `quality` is M measured, E estimated,
P partial. `month_volume` has the parts of months (between moves) whose days are past their period, with the
days that were known, partial and estimated as bits (day 1 is bit 0); `archived_month` has the same once no
resident or manager reads them any more. The audit is kept by triggers: no row is changed, and none is removed before it is a year old.

On PostgreSQL `reading` is partitioned by month of `read_at` (UTC); the partitions are made by the program
(`core.services.shared.partitions`). `meter_state` is what intake has to know of a meter before its next
reading; it exists from the first reading on, and so its reference alone keeps a meter with readings from being
deleted: a reference of each reading would be looked up with every row. A directory version counts the changes of what workers hold in memory.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_generator.state import ModelState

READING_COLUMNS = """
        meter_id BIGINT NOT NULL,
        read_at BIGINT NOT NULL,
        index_value BIGINT NOT NULL,
        status_bits INTEGER NOT NULL,
        received_at BIGINT NOT NULL,
        telegram_digest BIGINT NOT NULL,
        evidence SMALLINT NOT NULL DEFAULT 0,
        PRIMARY KEY (meter_id, read_at)
    """
TIME_SERIES = (
    f"CREATE TABLE reading_outside_service ({READING_COLUMNS})",
    f"CREATE TABLE reading_in_future ({READING_COLUMNS})",
    """
    CREATE TABLE daily_volume (
        meter_id BIGINT NOT NULL,
        day INTEGER NOT NULL,
        amount BIGINT NOT NULL,
        quality CHAR(1) NOT NULL,
        PRIMARY KEY (meter_id, day)
    )""",
    """
    CREATE TABLE month_volume (
        meter_id BIGINT NOT NULL,
        first_day INTEGER NOT NULL,
        last_day INTEGER NOT NULL,
        amount BIGINT NOT NULL,
        known_days BIGINT NOT NULL,
        partial_days BIGINT NOT NULL,
        estimated_days BIGINT NOT NULL,
        PRIMARY KEY (meter_id, first_day)
    )""",
    """
    CREATE TABLE archived_month (
        meter_id BIGINT NOT NULL,
        first_day INTEGER NOT NULL,
        last_day INTEGER NOT NULL,
        amount BIGINT NOT NULL,
        known_days BIGINT NOT NULL,
        partial_days BIGINT NOT NULL,
        estimated_days BIGINT NOT NULL,
        PRIMARY KEY (meter_id, first_day)
    )""",
    """
    CREATE TABLE meter_state (
        meter_id BIGINT NOT NULL REFERENCES meter (id) ON DELETE RESTRICT,
        last_at BIGINT NOT NULL,
        last_index BIGINT NOT NULL,
        last_digest BIGINT NOT NULL,
        fast_at BIGINT NOT NULL,
        level_since BIGINT NOT NULL,
        quiet_at BIGINT NOT NULL,
        day_from BIGINT NOT NULL,
        day_index BIGINT NOT NULL,
        last_evidence SMALLINT NOT NULL,
        plain_steps SMALLINT NOT NULL,
        flags SMALLINT NOT NULL,
        PRIMARY KEY (meter_id)
    )""",
)
OFTEN_UPDATED = ("daily_volume", "meter_state")
"""PostgreSQL leaves room in their pages, so that an update remains in its page and touches no index."""

VERSION_TABLE = """
    CREATE TABLE directory_version (
        topic VARCHAR(20) NOT NULL PRIMARY KEY,
        version BIGINT NOT NULL
    )"""
VERSION_OF = {
    "METERS": ("operator", "residence", "dwelling", "meter", "meter_alias", "meter_key"),
    "LIMITS": ("consumption_limit",),
}
"""What workers hold in memory, and the tables that it is read from: a change counts the version up."""

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


class CreateModels(ops.TortoiseOperation):
    """All models in one operation: between two operations Tortoise makes every model anew, 5 s for these."""

    reversible = False

    def __init__(self, *models: ops.CreateModel) -> None:
        self.models = models

    def describe(self) -> str:
        return f"Create {len(self.models)} models"

    def state_forward(self, app_label: str, state: Any) -> None:
        for made in self.models:
            state.models[app_label, made.name] = ModelState.make_from_model(app_label, made.model)
        state.reload_models([(app_label, made.name) for made in self.models])

    async def database_forward(
        self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None
    ) -> None:
        for made in self.models:
            await made.database_forward(app_label, old_state, new_state, state_editor)


async def add_what_tortoise_cannot_model(_apps: Any, editor: Any) -> None:
    sqlite = editor.client.capabilities.dialect == "sqlite"
    run = editor.client.execute_query  # not as a script: Tortoise cuts one at each semicolon
    reading = f"CREATE TABLE reading ({READING_COLUMNS})"
    await run(reading + (" WITHOUT ROWID" if sqlite else " PARTITION BY RANGE (read_at)"))
    for table in TIME_SERIES:
        await run(table + (" WITHOUT ROWID" if sqlite else ""))
    await run(VERSION_TABLE)
    for topic in VERSION_OF:
        await run(f"INSERT INTO directory_version (topic, version) VALUES ('{topic}', 1)")  # noqa: S608
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        await run(statement)
    for statement in _version_triggers(sqlite=sqlite):
        await run(statement)
    for table in () if sqlite else OFTEN_UPDATED:
        await run(f"ALTER TABLE {table} SET (fillfactor = 70)")


def _version_triggers(*, sqlite: bool) -> Iterator[str]:
    counted = "UPDATE directory_version SET version = version + 1 WHERE topic = "
    if not sqlite:
        yield (
            "CREATE FUNCTION count_directory_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"{counted} TG_ARGV[0]; RETURN NULL; END $$"
        )
    for topic, tables in VERSION_OF.items():
        for table in tables:
            for event in ("INSERT", "UPDATE", "DELETE"):
                name = f"{table}_{event.lower()}_counted"
                if sqlite:
                    yield f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {counted} '{topic}'; END"
                else:
                    yield (
                        f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH STATEMENT"
                        f" EXECUTE FUNCTION count_directory_version('{topic}')"
                    )


def one_of(*values: str) -> Any:
    """The values that a text column may have, as they were when this was written."""
    return StrEnum("Values", {value: value for value in values})


# Written by `make migration` from here on.
AccountPurpose = one_of("LEAK_EMAIL", "LEAK_SMS", "OVER_CONSUMPTION_EMAIL", "OVER_CONSUMPTION_SMS",
    "NEW_DOCUMENT_EMAIL", "NEW_DOCUMENT_SMS", "SLOW_LEAK_EMAIL", "NEWSLETTER", "THIRD_PARTY")
Act = one_of("ACCOUNT_CREATED", "ACCOUNT_DISABLED", "ACCOUNT_ENABLED", "ACCOUNT_ERASED", "ACCOUNT_LOCKED",
    "ALERT_WITHDRAWN", "CODE_REFUSED", "CONSENT_CHANGED", "CONTACT_CHANGED", "DATA_ACCESSED", "DATA_EXPORTED",
    "DATA_EXPORT_REQUESTED", "DOCUMENT_DEPOSITED", "DOCUMENT_WITHDRAWN", "DWELLING_CONTESTED",
    "DWELLING_REQUEST_DECIDED", "DWELLING_REQUEST_WITHDRAWN", "EMAIL_CHANGED", "EMAIL_CHANGE_REQUESTED",
    "FINE_DATA_PURGED", "FUTURE_READINGS_SET_APART", "GRANT_ISSUED", "GRANT_REVOKED", "HOUSEHOLD_INVITED",
    "HOUSEHOLD_JOINED", "HOUSEHOLD_REVOKED", "MESSAGE_READ", "METER_ALIAS_ADDED", "METER_ALIAS_REMOVED",
    "NOTES_PRINTED", "NOTIFICATIONS_CHANGED", "OCCUPANCY_ENDED", "OCCUPANCY_STARTED", "PAPER_ISSUED",
    "PASSWORD_CHANGED", "PASSWORD_RESET", "PASSWORD_RESET_REQUESTED", "PHONE_CONFIRMED", "RATE_LIMITED",
    "READING_ACCEPTED", "READING_WITHDRAWN", "RECOVERY_CODE_USED", "RECURRING_DRAW_ANSWERED",
    "REGISTRATION_CANCELLED", "REGISTRATION_STARTED", "RESIDENCE_GRANTED", "RESIDENCE_PUBLISHED",
    "RESIDENCE_REVOKED", "RESIDENCE_UNPUBLISHED", "RESIDENT_INVITED", "SECOND_FACTOR_ENROLLED",
    "SECOND_FACTOR_REFUSED", "SECOND_FACTOR_REMOVED", "SECOND_FACTOR_RESET", "SESSION_RENEWED",
    "SESSION_REVOKED", "SIGNED_IN", "SIGNED_OUT", "SIGN_IN_REFUSED", "STATEMENT_ISSUED",
    "TEMPORARY_PASSWORD_ISSUED", "TERMS_ACCEPTED", "TOKEN_ISSUED", "TOKEN_REVOKED")
AlertActionKind = one_of("ACKNOWLEDGED", "REPAIRED", "NOT_A_LEAK", "VERIFIED", "RELAPSED")
AlertKind = one_of("LEAK", "OVER_CONSUMPTION", "BURST", "BACKFLOW", "DRY", "TAMPER", "NO_DATA", "METER_LEAK")
ChallengePurpose = one_of("RESET_PASSWORD", "CONFIRM_EMAIL", "CONFIRM_PHONE")
Channel = one_of("EMAIL", "SMS")
Civility = one_of("MADAME", "MONSIEUR")
ConsentAuthor = one_of("OCCUPANT", "MANAGER")
ConsentPurpose = one_of("MANAGER_DAILY_DATA")
ConsentState = one_of("GRANTED", "REFUSED")
CorrectionReason = one_of("LATE_READING", "DOUBTFUL_READING", "WITHDRAWN_READING", "ACCEPTED_READING",
    "METER_REPLACED", "CLOCK_ERROR", "RECOMPUTED")
CouncilMember = one_of("YES", "NO", "UNDISCLOSED")
DocumentKind = one_of("PORTAL_READY", "PORTAL_CLOSED")
DocumentType = one_of("MONTHLY_NOTE", "ANNUAL_NOTE", "CHARGES", "CONTRACT", "INSPECTION", "MEETING", "NOTICE",
    "RULES", "WORKS", "OTHER")
Doubt = one_of("RISE_TOO_FAST", "FALL_UNEXPLAINED", "CONTRADICTED", "CONFLICTING_READING", "NOT_CONFIRMED",
    "WITHDRAWN")
DrawAnswer = one_of("MINE", "NOT_MINE")
DwellingRequestKind = one_of("REVIEW", "CONTESTED")
DwellingRequestState = one_of("OPEN", "APPROVED", "REFUSED")
ExportState = one_of("REQUESTED", "READY", "FAILED")
FixedCharge = one_of("MONTH", "YEAR")
Fluid = one_of("COLD_WATER", "HOT_WATER", "HEAT", "HEAT_ALLOCATOR")
IssuedPaperKind = one_of("INDEX_STATEMENT", "INDEX_CERTIFICATE", "LEAK_DOSSIER")
KnownUse = one_of("WATER_SOFTENER", "REVERSE_OSMOSIS", "HUMIDIFIER", "WATERING", "RECIRCULATION",
    "SHARED_METER", "METER_FAULT", "OTHER")
LimitPeriod = one_of("DAY", "MONTH", "GOAL")
MessageState = one_of("PENDING", "SENT", "FAILED")
OccupancyKind = one_of("TENANT", "OWNER_OCCUPIER", "OWNER_NON_OCCUPANT")
PaperSide = one_of("OUTGOING", "INCOMING")
Party = one_of("RESIDENT", "MANAGER", "METER")
Path = one_of("SITE_CODE", "ADDRESS", "BUILDING_CODE", "SERIAL", "LOT_NUMBER", "DWELLING_REFERENCE")
Resolution = one_of("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY", "BILLING_PERIOD")
Role = one_of("RESIDENT", "HOUSEHOLD_MEMBER", "THIRD_PARTY", "MANAGER", "STAFF", "ANALYST", "GATEWAY",
    "SYSTEM")
Step = one_of("OCCUPANCY", "RESIDENCE", "DWELLING", "ATTESTATION", "PROFILE", "OPTIONS", "PERSONAL_DATA",
    "VERIFICATION", "FIRST_SIGN_IN", "UNDER_REVIEW", "COMPLETE")
TelegramState = one_of("WAITING", "REPLAYED")


class Migration(migrations.Migration):
    initial = True
    operations = [
        CreateModels(
            ops.CreateModel("AuditRecord", [
                ("id", fields.BigIntField(primary_key=True)),
                ("at", fields.DatetimeField()),
                ("act", fields.CharEnumField(Act, description="what happened, see core.access.acts", max_length=40)),
                ("role", fields.CharField(null=True, description="who acted, null for nobody known", max_length=16)),
                ("actor_id", fields.BigIntField(null=True, description="the account that acted")),
                ("subject", fields.CharField(description="the kind of thing acted on", max_length=40)),
                ("subject_id", fields.BigIntField(null=True)),
                ("address", fields.CharField(null=True, max_length=45)),
                ("details", fields.JSONField()),
            ], {"table": "audit_record", "indexes": (("subject", "subject_id"), ("at",)), "table_description": "A security-relevant act. Rows are only added: triggers refuse to change one or to remove a recent one."}),
            ops.CreateModel("CompactFormat", [
                ("id", fields.BigIntField(primary_key=True)),
                ("manufacturer", fields.CharField(max_length=3)),
                ("version", fields.SmallIntField()),
                ("medium", fields.SmallIntField()),
                ("headers", fields.CharField(max_length=500)),
                ("learned_at", fields.DatetimeField()),
            ], {"table": "compact_format", "unique_together": (("manufacturer", "version", "medium", "headers"),), "table_description": "Record headers of a full telegram, with which compact ones of its kind are decoded (EN 13757-3)."}),
            ops.CreateModel("DegreeDay", [
                ("id", fields.BigIntField(primary_key=True)),
                ("station", fields.CharField(max_length=32)),
                ("day", fields.DateField()),
                ("degree_days", fields.DecimalField(max_digits=6, decimal_places=2)),
                ("base_celsius", fields.DecimalField(max_digits=4, decimal_places=1)),
                ("source", fields.CharField(max_length=120)),
            ], {"table": "degree_day", "unique_together": (("station", "day"),), "table_description": "How cold a day was at a weather station: the degrees below a base temperature, and who measured it."}),
            ops.CreateModel("Operator", [
                ("id", fields.BigIntField(primary_key=True)),
                ("code", fields.CharField(unique=True, max_length=32)),
                ("name", fields.CharField(max_length=120)),
                ("created_at", fields.DatetimeField(auto_now_add=True)),
            ], {"table": "operator", "table_description": "A metering company, landlord or co-op that runs residences."}),
            ops.CreateModel("Account", [
                ("id", fields.BigIntField(primary_key=True)),
                ("operator", fields.ForeignKeyField("models.Operator", source_field="operator_id", related_name="accounts", on_delete=fields.RESTRICT)),
                ("email", fields.CharField(max_length=254)),
                ("email_key", fields.CharField(unique=True, description="trimmed and case-folded (C-12)", max_length=254)),
                ("password_hash", fields.CharField(max_length=200)),
                ("civility", fields.CharField(default="", max_length=16)),
                ("first_name", fields.CharField(max_length=80)),
                ("last_name", fields.CharField(max_length=80)),
                ("phone_e164", fields.CharField(null=True, max_length=16)),
                ("language", fields.CharField(default="fr", max_length=2)),
                ("leak_by_email", fields.BooleanField(default=False)),
                ("leak_by_sms", fields.BooleanField(default=False)),
                ("over_consumption_by_email", fields.BooleanField(default=False)),
                ("over_consumption_by_sms", fields.BooleanField(default=False)),
                ("new_document_by_email", fields.BooleanField(default=False, db_default=False)),
                ("new_document_by_sms", fields.BooleanField(default=False, db_default=False)),
                ("slow_leak_by_email", fields.BooleanField(default=False, description="hints about slow leaks, which are no alerts", db_default=False)),
                ("role", fields.CharEnumField(Role, default="RESIDENT", description="RESIDENT, MANAGER, STAFF or ANALYST", db_default="RESIDENT", max_length=16)),
                ("temporary_password_until", fields.DatetimeField(null=True, description="set while the password is a temporary one, which must be changed (R-061)")),
                ("temporary_password_used_at", fields.DatetimeField(null=True)),
                ("password_changed_at", fields.DatetimeField(null=True)),
                ("terms_version", fields.CharField(null=True, description="the last one accepted (R-062)", max_length=32)),
                ("terms_accepted_at", fields.DatetimeField(null=True)),
                ("phone_confirmed_at", fields.DatetimeField(null=True)),
                ("second_factor_encrypted", fields.BinaryField(null=True)),
                ("second_factor_since", fields.DatetimeField(null=True)),
                ("second_factor_step", fields.BigIntField(null=True, description="the last time step used, never again")),
                ("privacy_version", fields.CharField(null=True, description="of the notice acknowledged at sign-up (R-211)", max_length=32)),
                ("newsletter_since", fields.DatetimeField(null=True, description="null without a subscription (NL-01)")),
                ("created_at", fields.DatetimeField()),
                ("disabled_at", fields.DatetimeField(null=True)),
            ], {"table": "account", "table_description": "A person's access, a resident's or a manager's."}),
            ops.CreateModel("AccessToken", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="access_tokens", on_delete=fields.CASCADE)),
                ("name", fields.CharField(max_length=80)),
                ("token_hash", fields.CharField(unique=True, max_length=64)),
                ("scopes", fields.JSONField()),
                ("created_at", fields.DatetimeField()),
                ("expires_at", fields.DatetimeField(null=True)),
                ("last_used_at", fields.DatetimeField(null=True)),
                ("revoked_at", fields.DatetimeField(null=True)),
            ], {"table": "access_token", "indexes": (("account_id",),), "table_description": "A personal access token: a program's key to a part of its owner's data."}),
            ops.CreateModel("AccountConsent", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", null=True, related_name="account_consents", on_delete=fields.SET_NULL)),
                ("purpose", fields.CharEnumField(AccountPurpose, max_length=32)),
                ("state", fields.CharEnumField(ConsentState, max_length=16)),
                ("text_version", fields.CharField(max_length=32)),
                ("recorded_at", fields.DatetimeField()),
                ("details", fields.JSONField(description="of a third party: the grant")),
            ], {"table": "account_consent", "indexes": (("account_id", "purpose"),), "table_description": "An answer for one purpose of an account. Rows are only ever added: the last one counts (CN-07)."}),
            ops.CreateModel("AnalysisPublication", [
                ("id", fields.BigIntField(primary_key=True)),
                ("operator", fields.ForeignKeyField("models.Operator", source_field="operator_id", related_name="analysis_publications", on_delete=fields.CASCADE)),
                ("month", fields.IntField(description="202610")),
                ("published_at", fields.DatetimeField()),
            ], {"table": "analysis_publication", "unique_together": (("operator", "month"),), "table_description": "The statistics of one month of an operator. They are computed once and not changed."}),
            ops.CreateModel("Challenge", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="challenges", on_delete=fields.CASCADE)),
                ("purpose", fields.CharEnumField(ChallengePurpose, max_length=32)),
                ("secret_hash", fields.CharField(max_length=64)),
                ("target", fields.CharField(max_length=254)),
                ("tries", fields.IntField(default=0)),
                ("created_at", fields.DatetimeField()),
                ("expires_at", fields.DatetimeField()),
                ("used_at", fields.DatetimeField(null=True)),
            ], {"table": "challenge", "indexes": (("account_id", "purpose"), ("secret_hash",)), "table_description": "A secret sent to an address, to be shown once. The target is the address that it proves."}),
            ops.CreateModel("DataExport", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="data_exports", on_delete=fields.CASCADE)),
                ("state", fields.CharEnumField(ExportState, default="REQUESTED", max_length=12)),
                ("requested_at", fields.DatetimeField()),
                ("claimed_until", fields.DatetimeField(null=True, description="a worker is making it until then")),
                ("ready_at", fields.DatetimeField(null=True)),
                ("expires_at", fields.DatetimeField(null=True)),
                ("size_bytes", fields.BigIntField(default=0)),
                ("sha256", fields.CharField(default="", max_length=64)),
                ("tries", fields.SmallIntField(default=0)),
            ], {"table": "data_export", "indexes": (("account_id",), ("state", "id"), ("expires_at",)), "table_description": "An archive of a person's data (GDPR Art. 15 and 20), whose parts are deleted when it expires."}),
            ops.CreateModel("DataExportPart", [
                ("id", fields.BigIntField(primary_key=True)),
                ("export", fields.ForeignKeyField("models.DataExport", source_field="export_id", related_name="parts", on_delete=fields.CASCADE)),
                ("number", fields.IntField()),
                ("content", fields.BinaryField()),
            ], {"table": "data_export_part", "unique_together": (("export", "number"),), "table_description": "A part of an archive, of a size that a process holds in memory."}),
            ops.CreateModel("Device", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="devices", on_delete=fields.CASCADE)),
                ("token_hash", fields.CharField(unique=True, max_length=64)),
                ("created_at", fields.DatetimeField()),
                ("last_used_at", fields.DatetimeField()),
            ], {"table": "device", "indexes": (("account_id",),), "table_description": "A browser or app that an account has signed in with: exempt from a lock-out of unknown devices."}),
            ops.CreateModel("Gateway", [
                ("id", fields.BigIntField(primary_key=True)),
                ("operator", fields.ForeignKeyField("models.Operator", source_field="operator_id", related_name="gateways", on_delete=fields.RESTRICT)),
                ("name", fields.CharField(max_length=80)),
                ("key_hash", fields.CharField(unique=True, max_length=64)),
                ("created_at", fields.DatetimeField()),
                ("revoked_at", fields.DatetimeField(null=True)),
            ], {"table": "gateway", "unique_together": (("operator", "name"),), "table_description": "A radio gateway and the SHA-256 of its API key."}),
            ops.CreateModel("DeadLetter", [
                ("id", fields.BigIntField(primary_key=True)),
                ("line", fields.TextField()),
                ("line_digest", fields.CharField(unique=True, max_length=64)),
                ("source", fields.CharField(max_length=200)),
                ("gateway", fields.ForeignKeyField("models.Gateway", source_field="gateway_id", null=True, related_name="dead_letters", on_delete=fields.SET_NULL)),
                ("received_at", fields.DatetimeField()),
                ("stage", fields.CharField(max_length=16)),
                ("reason", fields.CharField(max_length=40)),
                ("byte_offset", fields.IntField(null=True)),
                ("message", fields.CharField(max_length=300)),
                ("radio_address", fields.CharField(null=True, max_length=20)),
                ("telegram_digest", fields.BigIntField(null=True)),
                ("times_seen", fields.IntField(default=1)),
                ("state", fields.CharEnumField(TelegramState, default="WAITING", max_length=12)),
                ("replayed_at", fields.DatetimeField(null=True)),
            ], {"table": "dead_letter", "indexes": (("state", "id"), ("radio_address",), ("telegram_digest",)), "table_description": "A gateway line that could not become a reading, with the fault, its place, and the sender."}),
            ops.CreateModel("PeriodicJob", [
                ("name", fields.CharField(primary_key=True, max_length=40)),
                ("due_at", fields.DatetimeField()),
            ], {"table": "periodic_job", "table_description": "When a periodic job is due. Whoever moves the moment on runs the job: once among all processes."}),
            ops.CreateModel("Recomputation", [
                ("id", fields.BigIntField(primary_key=True)),
                ("selection", fields.CharField(unique=True, description="SHA-256 of what was asked: the day, and which meters", max_length=64)),
                ("begun_at", fields.DatetimeField()),
                ("last_meter_id", fields.BigIntField(default=0, description="the last meter that is done")),
                ("meters", fields.BigIntField(default=0, description="how many are done")),
                ("days", fields.BigIntField(default=0, description="how many days had another volume")),
                ("alerts", fields.BigIntField(default=0, description="how many alerts were changed")),
                ("messages", fields.BigIntField(default=0, description="how many messages were queued")),
            ], {"table": "recomputation", "table_description": "A recomputation that has begun and not ended. Each batch of meters moves it on, in one transaction."}),
            ops.CreateModel("RecoveryCode", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="recovery_codes", on_delete=fields.CASCADE)),
                ("code_hash", fields.CharField(max_length=64)),
                ("used_at", fields.DatetimeField(null=True)),
            ], {"table": "recovery_code", "unique_together": (("account", "code_hash"),), "table_description": "Replaces the second factor once, when its device is lost."}),
            ops.CreateModel("Residence", [
                ("id", fields.BigIntField(primary_key=True)),
                ("operator", fields.ForeignKeyField("models.Operator", source_field="operator_id", related_name="residences", on_delete=fields.RESTRICT)),
                ("code", fields.CharField(max_length=16)),
                ("name", fields.CharField(max_length=120)),
                ("street", fields.CharField(max_length=200)),
                ("postcode", fields.CharField(max_length=10)),
                ("city", fields.CharField(max_length=100)),
                ("time_zone", fields.CharField(default="Europe/Paris", max_length=64)),
                ("remote_reading", fields.BooleanField(default=True, db_default=True)),
                ("resident_portal_option", fields.BooleanField(default=True)),
                ("published_at", fields.DatetimeField(null=True)),
                ("water_price_eur_per_m3", fields.DecimalField(null=True, description="waste water included, null where not known", max_digits=7, decimal_places=4)),
                ("billing_starts", fields.CharField(null=True, description="MM-DD, where billing periods are not calendar years", max_length=5)),
                ("weather_station", fields.CharField(null=True, description="whose degree days its heating is compared by", max_length=32)),
            ], {"table": "residence", "unique_together": (("operator", "code"),), "table_description": "A building or group of buildings. Its code is the site code (AA000) or building code (50001369)."}),
            ops.CreateModel("AnalysisRow", [
                ("id", fields.BigIntField(primary_key=True)),
                ("publication", fields.ForeignKeyField("models.AnalysisPublication", source_field="publication_id", related_name="rows", on_delete=fields.CASCADE)),
                ("topic", fields.CharField(description="see StatisticTable", max_length=16)),
                ("residence", fields.ForeignKeyField("models.Residence", source_field="residence_id", null=True, description="null: the whole operator", related_name="analysis_rows", on_delete=fields.CASCADE)),
                ("fluid", fields.CharField(null=True, max_length=16)),
                ("grouping", fields.CharField(description="what the classes are of", max_length=12)),
                ("classes", fields.CharField(description="joined by +, or ALL", max_length=500)),
                ("dwellings", fields.IntField(description="rounded to a multiple of five")),
                ("figures", fields.JSONField(description="in the order of the topic's figures")),
            ], {"table": "analysis_row", "indexes": (("publication_id", "topic", "residence_id"), ("residence_id",)), "table_description": "One row of a table of statistics: of a residence, or of the whole operator."}),
            ops.CreateModel("AveragePublication", [
                ("id", fields.BigIntField(primary_key=True)),
                ("residence", fields.ForeignKeyField("models.Residence", source_field="residence_id", related_name="average_publications", on_delete=fields.CASCADE)),
                ("month", fields.IntField(description="202610")),
                ("published_at", fields.DatetimeField()),
            ], {"table": "average_publication", "unique_together": (("residence", "month"),), "table_description": "The averages of a month of a residence, as residents see them. Made once and not changed."}),
            ops.CreateModel("BuildingAverage", [
                ("id", fields.BigIntField(primary_key=True)),
                ("publication", fields.ForeignKeyField("models.AveragePublication", source_field="publication_id", related_name="averages", on_delete=fields.CASCADE)),
                ("fluid", fields.CharEnumField(Fluid, max_length=16)),
                ("building", fields.CharField(null=True, description="null: all of the residence together", max_length=16)),
                ("amount", fields.BigIntField(description="of all homes, in the smallest unit")),
                ("surface_cm2", fields.BigIntField(description="of all homes")),
                ("homes", fields.IntField()),
            ], {"table": "building_average", "indexes": (("publication_id", "fluid"),), "table_description": "What five homes or more used in a month, by their surface (core.access.floor)."}),
            ops.CreateModel("Dwelling", [
                ("id", fields.BigIntField(primary_key=True)),
                ("residence", fields.ForeignKeyField("models.Residence", source_field="residence_id", related_name="dwellings", on_delete=fields.RESTRICT)),
                ("building", fields.CharField(default="", max_length=16)),
                ("staircase", fields.CharField(default="", max_length=16)),
                ("floor", fields.CharField(default="", max_length=16)),
                ("number", fields.CharField(max_length=16)),
                ("lot", fields.CharField(null=True, max_length=16)),
                ("manager_reference", fields.CharField(null=True, max_length=32)),
                ("surface_m2", fields.DecimalField(null=True, max_digits=7, decimal_places=2)),
            ], {"table": "dwelling", "unique_together": (("residence", "building", "staircase", "floor", "number"),), "table_description": "One home. Floors and numbers are texts as printed, since they may contain letters."}),
            ops.CreateModel("ConsumptionLimit", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="consumption_limits", on_delete=fields.CASCADE)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", related_name="consumption_limits", on_delete=fields.CASCADE)),
                ("fluid", fields.CharEnumField(Fluid, max_length=16)),
                ("period", fields.CharEnumField(LimitPeriod, description="see LimitPeriod", max_length=8)),
                ("amount", fields.BigIntField(description="in the smallest unit of the fluid")),
                ("set_at", fields.DatetimeField()),
            ], {"table": "consumption_limit", "unique_together": (("account", "dwelling", "fluid", "period"),), "indexes": (("dwelling_id",),), "table_description": "A resident's own limit: more than this amount a day or a month raises an alert."}),
            ops.CreateModel("DwellingRequest", [
                ("id", fields.BigIntField(primary_key=True)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", related_name="dwelling_requests", on_delete=fields.RESTRICT)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="dwelling_requests", on_delete=fields.CASCADE)),
                ("kind", fields.CharEnumField(DwellingRequestKind, max_length=16)),
                ("state", fields.CharEnumField(DwellingRequestState, default="OPEN", max_length=16)),
                ("occupancy_kind", fields.CharEnumField(OccupancyKind, max_length=20)),
                ("move_in", fields.DateField()),
                ("attested_at", fields.DatetimeField()),
                ("council_member", fields.CharEnumField(CouncilMember, null=True, max_length=16)),
                ("manager_daily_data", fields.BooleanField(null=True)),
                ("opened_at", fields.DatetimeField()),
                ("decided_at", fields.DatetimeField(null=True)),
            ], {"table": "dwelling_request", "indexes": (("state", "id"), ("account_id", "state")), "table_description": "Somebody asks for a dwelling and a manager decides. The account exists and sees nothing until then."}),
            ops.CreateModel("EmissionFactor", [
                ("id", fields.BigIntField(primary_key=True)),
                ("operator", fields.ForeignKeyField("models.Operator", source_field="operator_id", related_name="emission_factors", on_delete=fields.CASCADE)),
                ("residence", fields.ForeignKeyField("models.Residence", source_field="residence_id", null=True, related_name="emission_factors", on_delete=fields.CASCADE)),
                ("fluid", fields.CharEnumField(Fluid, max_length=16)),
                ("valid_from", fields.DateField()),
                ("grams_per_unit", fields.DecimalField(description="a cubic metre, a kilowatt-hour or an allocator unit", max_digits=10, decimal_places=3)),
                ("source", fields.CharField(max_length=120)),
            ], {"table": "emission_factor", "indexes": (("operator_id", "fluid", "valid_from"),), "table_description": "How much carbon dioxide a fluid stands for from a day on, and who says so."}),
            ops.CreateModel("FineDataPurge", [
                ("id", fields.BigIntField(primary_key=True)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", related_name="fine_data_purges", on_delete=fields.CASCADE)),
                ("kept_from", fields.DateField(description="the first day whose fine data are kept")),
                ("purged_at", fields.DatetimeField()),
                ("readings", fields.BigIntField(description="how many were deleted")),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", null=True, description="who asked for it, null after a move", related_name="fine_data_purges", on_delete=fields.SET_NULL)),
            ], {"table": "fine_data_purge", "indexes": (("dwelling_id", "kept_from"),), "table_description": "The readings within the days of a dwelling before a day were deleted. Rows are only added (CN-06)."}),
            ops.CreateModel("HouseholdMember", [
                ("id", fields.BigIntField(primary_key=True)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", related_name="household", on_delete=fields.RESTRICT)),
                ("holder", fields.ForeignKeyField("models.Account", source_field="holder_id", related_name="household", on_delete=fields.CASCADE)),
                ("name", fields.CharField(max_length=80)),
                ("email", fields.CharField(max_length=254)),
                ("email_key", fields.CharField(max_length=254)),
                ("token_hash", fields.CharField(unique=True, description="of the invitation", max_length=64)),
                ("invited_at", fields.DatetimeField()),
                ("expires_at", fields.DatetimeField(description="of the invitation")),
                ("member", fields.ForeignKeyField("models.Account", source_field="member_id", null=True, related_name="member_of", on_delete=fields.CASCADE)),
                ("accepted_at", fields.DatetimeField(null=True)),
                ("revoked_at", fields.DatetimeField(null=True)),
            ], {"table": "household_member", "indexes": (("holder_id",), ("dwelling_id",), ("member_id",)), "table_description": "Somebody whom the holder of a dwelling's account lets look: a partner, a child who helps a parent."}),
            ops.CreateModel("ManagedResidence", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="managed_residences", on_delete=fields.CASCADE)),
                ("residence", fields.ForeignKeyField("models.Residence", source_field="residence_id", related_name="managers", on_delete=fields.CASCADE)),
                ("granted_at", fields.DatetimeField()),
                ("administrator", fields.BooleanField(default=False, description="notified by e-mail (R-134)", db_default=False)),
            ], {"table": "managed_residence", "unique_together": (("account", "residence"),), "indexes": (("residence_id",),), "table_description": "A residence that a manager's account manages."}),
            ops.CreateModel("Meter", [
                ("id", fields.BigIntField(primary_key=True)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", related_name="meters", on_delete=fields.RESTRICT)),
                ("fluid", fields.CharEnumField(Fluid, max_length=16)),
                ("vendor", fields.CharField(max_length=40)),
                ("printed_serial", fields.CharField(max_length=40)),
                ("serial_key", fields.CharField(max_length=40)),
                ("radio_address", fields.CharField(unique=True, max_length=20)),
                ("register_step", fields.IntField(default=1)),
                ("register_capacity", fields.BigIntField(null=True)),
                ("nominal_flow_m3_per_h", fields.DecimalField(null=True, max_digits=8, decimal_places=3)),
                ("location", fields.CharField(default="", max_length=80)),
                ("installed_at", fields.DatetimeField()),
                ("removed_at", fields.DatetimeField(null=True)),
                ("coarsest_step", fields.BigIntField(null=True, description="of a meter with aliases: the coarsest step among the indexes received")),
            ], {"table": "meter", "indexes": (("dwelling_id",), ("serial_key",)), "table_description": "One remotely read device."}),
            ops.CreateModel("ConsumptionCorrection", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", related_name="corrections", on_delete=fields.CASCADE)),
                ("day", fields.IntField()),
                ("amount_before", fields.BigIntField(null=True, description="null: nothing was known of the day")),
                ("amount_after", fields.BigIntField(null=True, description="null: nothing is known of it any more")),
                ("reason", fields.CharEnumField(CorrectionReason, description="see CorrectionReason", max_length=20)),
                ("corrected_at", fields.DatetimeField()),
            ], {"table": "consumption_correction", "indexes": (("meter_id", "day"),), "table_description": "A day of a meter whose amount changed after it could be seen. Rows are only ever added."}),
            ops.CreateModel("DoubtfulReading", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", related_name="doubtful_readings", on_delete=fields.RESTRICT)),
                ("read_at", fields.BigIntField(description="epoch seconds")),
                ("index_value", fields.BigIntField(description="in the smallest unit of the fluid")),
                ("status_bits", fields.IntField()),
                ("received_at", fields.BigIntField(description="epoch seconds")),
                ("telegram_digest", fields.BigIntField()),
                ("evidence", fields.SmallIntField(description="see Evidence")),
                ("doubt", fields.CharEnumField(Doubt, description="see Doubt", max_length=20)),
                ("decided", fields.BooleanField(default=False, description="the readings after it have made it an outlier", db_default=False)),
            ], {"table": "doubtful_reading", "unique_together": (("meter", "read_at", "index_value"),), "table_description": "A reading that does not count: in no volume, no alert and no judgement."}),
            ops.CreateModel("LeakCheckpoint", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", related_name="leak_checkpoints", on_delete=fields.CASCADE)),
                ("settled_s", fields.BigIntField()),
                ("state", fields.BinaryField()),
                ("changes", fields.JSONField()),
            ], {"table": "leak_checkpoint", "unique_together": (("meter", "settled_s"),), "table_description": "The classifier state of a meter as it was settled at a moment, one a month: where a late reading makes"}),
            ops.CreateModel("LeakClassifierState", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.OneToOneField("models.Meter", source_field="meter_id", related_name="leak_classifier_state", on_delete=fields.CASCADE)),
                ("settled_s", fields.BigIntField()),
                ("state", fields.BinaryField()),
                ("changes", fields.JSONField()),
            ], {"table": "leak_classifier_state", "table_description": "The classifier state of a meter up to a moment (core.leaks.classifier.stream)."}),
            ops.CreateModel("LeakDayFlows", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.OneToOneField("models.Meter", source_field="meter_id", related_name="leak_day_flows", on_delete=fields.CASCADE)),
                ("first_day", fields.IntField()),
                ("until_day", fields.IntField()),
                ("flows_lph", fields.JSONField()),
            ], {"table": "leak_day_flows", "table_description": "The minimum flows of the whole days of a meter with a leak, from the first day of its runs on."}),
            ops.CreateModel("LeakEpisode", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", related_name="leak_episodes", on_delete=fields.CASCADE)),
                ("started_on", fields.DateField()),
                ("ended_on", fields.DateField(null=True, description="exclusive: the first day without the leak")),
                ("level_at_opening", fields.SmallIntField()),
                ("level_now", fields.SmallIntField()),
                ("level_max", fields.SmallIntField()),
                ("over_range", fields.BooleanField()),
                ("q_min_at_opening_lph", fields.DecimalField(max_digits=12, decimal_places=4)),
                ("loss_litres", fields.DecimalField(null=True, max_digits=16, decimal_places=2)),
                ("mean_flow_lph", fields.DecimalField(null=True, max_digits=12, decimal_places=4)),
                ("counted_days", fields.IntField()),
                ("segments", fields.JSONField()),
                ("close_reason", fields.CharField(null=True, max_length=24)),
                ("detected_at", fields.DatetimeField(null=True, description="the reading that showed the leak")),
                ("evidence", fields.JSONField(null=True, description="why: the rule and its figures, at the opening and at the last change")),
                ("judged_at", fields.DatetimeField()),
            ], {"table": "leak_episode", "unique_together": (("meter", "started_on"),), "table_description": "One leak of one meter from its first day on."}),
            ops.CreateModel("Alert", [
                ("id", fields.BigIntField(primary_key=True)),
                ("alert_key", fields.CharField(unique=True, max_length=80)),
                ("kind", fields.CharEnumField(AlertKind, description="see AlertKind", max_length=20)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", related_name="alerts", on_delete=fields.RESTRICT)),
                ("fluid", fields.CharEnumField(Fluid, max_length=16)),
                ("episode", fields.ForeignKeyField("models.LeakEpisode", source_field="episode_id", null=True, related_name="alerts", on_delete=fields.CASCADE)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", null=True, description="of a condition of the meter", related_name="alerts", on_delete=fields.CASCADE)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", null=True, description="whose own limit was passed, and who alone sees it", related_name="own_alerts", on_delete=fields.CASCADE)),
                ("own_limit", fields.CharEnumField(LimitPeriod, null=True, description="see LimitPeriod", max_length=8)),
                ("started_on", fields.DateField()),
                ("ended_on", fields.DateField(null=True)),
                ("amount", fields.BigIntField(null=True, description="over-consumption: the month's amount so far")),
                ("threshold", fields.BigIntField(null=True, description="over-consumption: the amount that was passed")),
                ("raised_at", fields.DatetimeField()),
                ("last_action", fields.CharEnumField(AlertActionKind, null=True, description="of alert_action", max_length=16)),
                ("repaired_at", fields.DatetimeField(null=True)),
                ("snoozed_until", fields.DateField(null=True, description="exclusive: dismissed as no leak until then")),
                ("snoozed_level", fields.SmallIntField(null=True, description="up to which level it is snoozed")),
            ], {"table": "alert", "indexes": (("dwelling_id", "ended_on"), ("episode_id",), ("last_action",), ("meter_id", "kind")), "table_description": "An alert to a resident. By the alert_key, judging the same readings again gives the same row."}),
            ops.CreateModel("AlertAction", [
                ("id", fields.BigIntField(primary_key=True)),
                ("alert", fields.ForeignKeyField("models.Alert", source_field="alert_id", related_name="actions", on_delete=fields.CASCADE)),
                ("action", fields.CharEnumField(AlertActionKind, max_length=16)),
                ("party", fields.CharEnumField(Party, max_length=12)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", null=True, related_name="alert_actions", on_delete=fields.SET_NULL)),
                ("done_at", fields.DatetimeField()),
                ("repaired_at", fields.DatetimeField(null=True)),
                ("reason", fields.CharEnumField(KnownUse, null=True, max_length=20)),
                ("snoozed_until", fields.DateField(null=True)),
                ("note", fields.CharField(default="", max_length=300)),
            ], {"table": "alert_action", "indexes": (("alert_id", "id"),), "table_description": "An action of a person on an alert, or the meter's verdict on a repair. Rows are only ever added."}),
            ops.CreateModel("MessageCounter", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", related_name="message_counters", on_delete=fields.CASCADE)),
                ("radio_address", fields.CharField(max_length=20)),
                ("counter", fields.BigIntField()),
                ("received_at", fields.DatetimeField()),
            ], {"table": "message_counter", "unique_together": (("meter", "radio_address"),), "table_description": "The newest message of a radio whose messages are counted and authenticated (mode 7)."}),
            ops.CreateModel("MeterAlias", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", related_name="aliases", on_delete=fields.CASCADE)),
                ("radio_address", fields.CharField(unique=True, max_length=20)),
                ("serial_key", fields.CharField(max_length=40)),
                ("encrypted", fields.BooleanField(default=False)),
                ("added_at", fields.DatetimeField()),
                ("added_by", fields.ForeignKeyField("models.Account", source_field="added_by_id", null=True, description="null: the command line", related_name="meter_aliases", on_delete=fields.SET_NULL)),
            ], {"table": "meter_alias", "indexes": (("meter_id",), ("serial_key",)), "table_description": "A further radio address of a meter: of another kind of telegram, or of another radio module."}),
            ops.CreateModel("MeterKey", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", related_name="keys", on_delete=fields.CASCADE)),
                ("encrypted_key", fields.BinaryField()),
                ("added_at", fields.DatetimeField()),
            ], {"table": "meter_key", "indexes": (("meter_id",),), "table_description": "A meter's AES key, encrypted with SUBMETER_SECRET_KEY. Several while a key is being changed."}),
            ops.CreateModel("Occupancy", [
                ("id", fields.BigIntField(primary_key=True)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", related_name="occupancies", on_delete=fields.RESTRICT)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", null=True, related_name="occupancies", on_delete=fields.SET_NULL)),
                ("kind", fields.CharEnumField(OccupancyKind, max_length=20)),
                ("move_in", fields.DateField()),
                ("move_out", fields.DateField(null=True)),
                ("access_until", fields.DateField(null=True, description="the first day on which a former occupant no longer sees the own period")),
                ("attested_at", fields.DatetimeField(null=True, description="when it was declared on honour (R-048)")),
                ("council_member", fields.CharEnumField(CouncilMember, null=True, max_length=16)),
            ], {"table": "occupancy", "indexes": (("account_id",), ("dwelling_id", "move_in")), "table_description": "Who holds a dwelling from which civil day to which: move_out is the first day no longer held."}),
            ops.CreateModel("ConsentRecord", [
                ("id", fields.BigIntField(primary_key=True)),
                ("occupancy", fields.ForeignKeyField("models.Occupancy", source_field="occupancy_id", related_name="consents", on_delete=fields.RESTRICT)),
                ("purpose", fields.CharEnumField(ConsentPurpose, max_length=32)),
                ("state", fields.CharEnumField(ConsentState, max_length=16)),
                ("author", fields.CharEnumField(ConsentAuthor, max_length=16)),
                ("author_account", fields.ForeignKeyField("models.Account", source_field="author_account_id", null=True, related_name="consents_recorded", on_delete=fields.SET_NULL)),
                ("text_version", fields.CharField(max_length=32)),
                ("evidence_reference", fields.CharField(null=True, max_length=200)),
                ("recorded_at", fields.DatetimeField()),
            ], {"table": "consent_record", "indexes": (("occupancy_id", "purpose", "recorded_at"),), "table_description": "One answer to one consent question. Rows are only ever added (CN-07, R-107, R-121)."}),
            ops.CreateModel("Document", [
                ("id", fields.BigIntField(primary_key=True)),
                ("residence", fields.ForeignKeyField("models.Residence", source_field="residence_id", related_name="resident_documents", on_delete=fields.CASCADE)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", null=True, related_name="documents", on_delete=fields.CASCADE)),
                ("occupancy", fields.ForeignKeyField("models.Occupancy", source_field="occupancy_id", null=True, related_name="documents", on_delete=fields.CASCADE)),
                ("type", fields.CharEnumField(DocumentType, max_length=16)),
                ("period_on", fields.DateField(null=True, description="of a note the first day of its month or year")),
                ("title", fields.CharField(default="", description="of a deposited file", max_length=120)),
                ("language", fields.CharField(max_length=2)),
                ("valid_from", fields.DateField(description="from when on it applies")),
                ("shown_from", fields.DateField(description="the civil day whose occupants it is for, and from when on they see it")),
                ("for_owner", fields.BooleanField(default=True, description="whether an owner who lives elsewhere sees it as well")),
                ("file_name", fields.CharField(default="", max_length=120)),
                ("media_type", fields.CharField(default="", max_length=80)),
                ("size_bytes", fields.BigIntField(null=True)),
                ("sha256", fields.CharField(null=True, max_length=64)),
                ("figures", fields.JSONField(null=True, description="the content of a note")),
                ("author", fields.ForeignKeyField("models.Account", source_field="author_id", null=True, related_name="documents_deposited", on_delete=fields.SET_NULL)),
                ("created_at", fields.DatetimeField()),
                ("deposited_at", fields.DatetimeField(null=True)),
                ("notified_at", fields.DatetimeField(null=True, description="when those who asked for it were written to")),
                ("withdrawn_at", fields.DatetimeField(null=True)),
                ("printed_at", fields.DatetimeField(null=True, description="of a note when it was printed first")),
            ], {"table": "document", "unique_together": (("occupancy", "type", "period_on"),), "indexes": (("dwelling_id",), ("residence_id", "type", "period_on"), ("sha256",)), "table_description": "A document of a residence, or of one dwelling, a note of one occupancy as well."}),
            ops.CreateModel("IssuedPaper", [
                ("id", fields.BigIntField(primary_key=True)),
                ("code", fields.CharField(unique=True, max_length=16)),
                ("kind", fields.CharEnumField(IssuedPaperKind, max_length=20)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", related_name="issued_papers", on_delete=fields.RESTRICT)),
                ("first_day", fields.DateField(description="of the days that it is about")),
                ("last_day", fields.DateField(description="of an index: the day whose end it is of")),
                ("issued_at", fields.DatetimeField()),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", null=True, description="to whom it was issued, null for a copy of a move", related_name="issued_papers", on_delete=fields.SET_NULL)),
                ("occupancy", fields.ForeignKeyField("models.Occupancy", source_field="occupancy_id", null=True, description="of a copy of a move: whose it is", related_name="issued_papers", on_delete=fields.SET_NULL)),
                ("side", fields.CharEnumField(PaperSide, null=True, max_length=8)),
                ("alert", fields.ForeignKeyField("models.Alert", source_field="alert_id", null=True, related_name="issued_papers", on_delete=fields.SET_NULL)),
                ("move_key", fields.CharField(null=True, unique=True, description="of a copy of a move, one each", max_length=80)),
                ("file_name", fields.CharField(max_length=120)),
                ("media_type", fields.CharField(max_length=100)),
                ("sha256", fields.CharField(max_length=64)),
                ("size", fields.IntField()),
                ("content", fields.BinaryField(null=True)),
            ], {"table": "issued_paper", "indexes": (("dwelling_id", "id"), ("account_id",), ("issued_at",)), "table_description": "A file that was handed out, with the code that is printed on it and the hash of its bytes."}),
            ops.CreateModel("OutboxMessage", [
                ("id", fields.BigIntField(primary_key=True)),
                ("idempotency_key", fields.CharField(unique=True, max_length=160)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", null=True, related_name="messages", on_delete=fields.CASCADE)),
                ("recipient", fields.CharField(null=True, max_length=254)),
                ("alert", fields.ForeignKeyField("models.Alert", source_field="alert_id", null=True, related_name="messages", on_delete=fields.SET_NULL)),
                ("document", fields.ForeignKeyField("models.Document", source_field="document_id", null=True, related_name="messages", on_delete=fields.SET_NULL)),
                ("channel", fields.CharEnumField(Channel, max_length=8)),
                ("template", fields.CharField(max_length=40)),
                ("language", fields.CharField(max_length=2)),
                ("values", fields.JSONField()),
                ("encrypted_values", fields.BinaryField(null=True)),
                ("state", fields.CharEnumField(MessageState, default="PENDING", max_length=8)),
                ("created_at", fields.DatetimeField()),
                ("attempts", fields.IntField(default=0, db_default=0)),
                ("due_at", fields.DatetimeField(null=True, description="not to be tried before, null for at once")),
                ("expires_at", fields.DatetimeField(null=True, description="not to be sent from then on")),
                ("claimed_by", fields.CharField(null=True, max_length=32)),
                ("claimed_until", fields.DatetimeField(null=True)),
                ("failure", fields.CharField(null=True, description="the last reason it was not sent", max_length=200)),
                ("sent_at", fields.DatetimeField(null=True)),
                ("erased_at", fields.DatetimeField(null=True, description="when its text and address were erased")),
            ], {"table": "outbox_message", "indexes": (("state", "id"), ("erased_at", "created_at"), ("document_id",)), "table_description": "One message by one channel. By the idempotency_key an event is notified once only."}),
            ops.CreateModel("RecurringDraw", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", related_name="recurring_draws", on_delete=fields.CASCADE)),
                ("since", fields.DateField(null=True, description="the first day of the occupancy, or of the time without one")),
                ("first_on", fields.DateField(description="the day of the first draw")),
                ("last_on", fields.DateField(description="the day of the last draw so far")),
                ("draws", fields.IntField()),
                ("minute_of_day", fields.SmallIntField(description="when the first began, by the residence's clock")),
                ("litres", fields.BigIntField(description="of the larger of the first two draws")),
                ("asked_at", fields.DatetimeField(null=True)),
            ], {"table": "recurring_draw", "indexes": (("meter_id",),), "table_description": "Draws of a meter at about the same hour in one occupancy, which the occupant is asked about once."}),
            ops.CreateModel("BurstDraw", [
                ("id", fields.BigIntField(primary_key=True)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", related_name="burst_draws", on_delete=fields.CASCADE)),
                ("shown_from_s", fields.BigIntField()),
                ("shown_until_s", fields.BigIntField()),
                ("ended_s", fields.BigIntField(null=True)),
                ("started_s", fields.BigIntField()),
                ("litres", fields.BigIntField()),
                ("flow_lph", fields.IntField()),
                ("reported", fields.BooleanField(description="the meter itself reported a burst meanwhile")),
                ("expected", fields.BooleanField(default=False, description="it recurs, and raises no alert")),
                ("recurring", fields.ForeignKeyField("models.RecurringDraw", source_field="recurring_id", null=True, related_name="members", on_delete=fields.SET_NULL)),
            ], {"table": "burst_draw", "unique_together": (("meter", "shown_from_s"),), "table_description": "A burst that readings of a meter show (core.alerting.recurring_draws). Times in epoch seconds."}),
            ops.CreateModel("RecurringDrawAnswer", [
                ("id", fields.BigIntField(primary_key=True)),
                ("recurring", fields.ForeignKeyField("models.RecurringDraw", source_field="recurring_id", related_name="answers", on_delete=fields.CASCADE)),
                ("answer", fields.CharEnumField(DrawAnswer, max_length=12)),
                ("party", fields.CharEnumField(Party, max_length=12)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", null=True, related_name="draw_answers", on_delete=fields.SET_NULL)),
                ("answered_at", fields.DatetimeField()),
            ], {"table": "recurring_draw_answer", "indexes": (("recurring_id", "id"),), "table_description": "An answer to whose draw it is. Rows are only ever added, and the last one counts."}),
            ops.CreateModel("Registration", [
                ("id", fields.BigIntField(primary_key=True)),
                ("operator", fields.ForeignKeyField("models.Operator", source_field="operator_id", related_name="registrations", on_delete=fields.RESTRICT)),
                ("token_hash", fields.CharField(unique=True, max_length=64)),
                ("language", fields.CharField(default="fr", max_length=2)),
                ("step", fields.CharEnumField(Step, max_length=20)),
                ("kind", fields.CharEnumField(OccupancyKind, null=True, max_length=20)),
                ("residence", fields.ForeignKeyField("models.Residence", source_field="residence_id", null=True, related_name="registrations", on_delete=fields.SET_NULL)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", null=True, related_name="registrations", on_delete=fields.SET_NULL)),
                ("path", fields.CharEnumField(Path, null=True, max_length=24)),
                ("proven", fields.BooleanField(default=False)),
                ("asked_within", fields.BooleanField(default=False, description="the residence was found first, then the dwelling", db_default=False)),
                ("contested", fields.BooleanField(default=False)),
                ("attested_at", fields.DatetimeField(null=True)),
                ("move_in", fields.DateField(null=True)),
                ("council_member", fields.CharEnumField(CouncilMember, null=True, max_length=16)),
                ("leak_by_email", fields.BooleanField(default=False)),
                ("leak_by_sms", fields.BooleanField(default=False)),
                ("over_consumption_by_email", fields.BooleanField(default=False)),
                ("manager_daily_data", fields.BooleanField(null=True)),
                ("civility", fields.CharEnumField(Civility, null=True, max_length=16)),
                ("first_name", fields.CharField(default="", max_length=80)),
                ("last_name", fields.CharField(default="", max_length=80)),
                ("email", fields.CharField(default="", max_length=254)),
                ("phone_e164", fields.CharField(null=True, max_length=16)),
                ("privacy_version", fields.CharField(null=True, max_length=32)),
                ("newsletter", fields.BooleanField(default=False)),
                ("password_hash", fields.CharField(null=True, max_length=200)),
                ("temporary_password_hash", fields.CharField(null=True, description="SHA-256, 100 bits", max_length=64)),
                ("code_hash", fields.CharField(null=True, max_length=64)),
                ("code_made_at", fields.DatetimeField(null=True)),
                ("code_tries", fields.IntField(default=0)),
                ("messages_sent", fields.IntField(default=0, description="how many, for their keys")),
                ("created_at", fields.DatetimeField()),
                ("expires_at", fields.DatetimeField()),
            ], {"table": "registration", "indexes": (("temporary_password_hash",), ("expires_at",)), "table_description": "A sign-up in progress. The token itself is never stored, only its SHA-256."}),
            ops.CreateModel("ResidenceDocument", [
                ("id", fields.BigIntField(primary_key=True)),
                ("residence", fields.ForeignKeyField("models.Residence", source_field="residence_id", related_name="documents", on_delete=fields.CASCADE)),
                ("kind", fields.CharEnumField(DocumentKind, max_length=20)),
                ("created_at", fields.DatetimeField()),
            ], {"table": "residence_document", "indexes": (("residence_id",),), "table_description": "A document of a residence, readable by everybody who manages it (C-10): of a publication or its end."}),
            ops.CreateModel("RetentionMark", [
                ("name", fields.CharField(primary_key=True, max_length=40)),
                ("border", fields.BigIntField(description="epoch seconds, or a day or month as a number")),
                ("last_dwelling_id", fields.BigIntField(default=0, description="the last dwelling that is done")),
                ("done", fields.BooleanField(default=False)),
            ], {"table": "retention_mark", "table_description": "How far retention has come with a series table: up to which border, and which dwellings are done."}),
            ops.CreateModel("RetentionRun", [
                ("id", fields.BigIntField(primary_key=True)),
                ("finished_at", fields.DatetimeField()),
                ("deleted", fields.JSONField(description="rows by the kind of data")),
            ], {"table": "retention_run", "indexes": (("finished_at",),), "table_description": "What one run of retention has deleted: rows by the kind of data. None if it deleted nothing."}),
            ops.CreateModel("Session", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="sessions", on_delete=fields.CASCADE)),
                ("token_hash", fields.CharField(unique=True, max_length=64)),
                ("user_agent", fields.CharField(default="", max_length=200)),
                ("address", fields.CharField(null=True, max_length=45)),
                ("created_at", fields.DatetimeField()),
                ("last_seen_at", fields.DatetimeField(null=True)),
                ("second_factor_at", fields.DatetimeField(null=True)),
                ("expires_at", fields.DatetimeField()),
                ("revoked_at", fields.DatetimeField(null=True)),
            ], {"table": "session", "indexes": (("account_id",),), "table_description": "A sign-in. The token itself is never stored: only its SHA-256."}),
            ops.CreateModel("SlowLeakHint", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="slow_leak_hints", on_delete=fields.CASCADE)),
                ("meter", fields.ForeignKeyField("models.Meter", source_field="meter_id", related_name="slow_leak_hints", on_delete=fields.CASCADE)),
                ("started_on", fields.DateField(description="the first of the days without a pause")),
                ("judged_on", fields.DateField(description="the last whole day that was looked at")),
                ("ended_on", fields.DateField(null=True, description="the day that shows a pause, or a leak alert")),
                ("flow_lph", fields.DecimalField(max_digits=8, decimal_places=2)),
                ("hinted_at", fields.DatetimeField()),
            ], {"table": "slow_leak_hint", "indexes": (("account_id", "meter_id"), ("meter_id", "ended_on")), "table_description": "A flow below level 1 that has not stopped for ten days, as hinted to an account that asked for hints."}),
            ops.CreateModel("Tariff", [
                ("id", fields.BigIntField(primary_key=True)),
                ("operator", fields.ForeignKeyField("models.Operator", source_field="operator_id", related_name="tariffs", on_delete=fields.CASCADE)),
                ("residence", fields.ForeignKeyField("models.Residence", source_field="residence_id", null=True, related_name="tariffs", on_delete=fields.CASCADE)),
                ("fluid", fields.CharEnumField(Fluid, max_length=16)),
                ("valid_from", fields.DateField()),
                ("eur_per_unit", fields.DecimalField(description="a cubic metre, a kilowatt-hour or an allocator unit", max_digits=9, decimal_places=5)),
                ("fixed_eur", fields.DecimalField(null=True, max_digits=9, decimal_places=2)),
                ("fixed_per", fields.CharEnumField(FixedCharge, null=True, description="see FixedCharge", max_length=8)),
                ("vat_included", fields.BooleanField(null=True, description="null: not stated")),
            ], {"table": "tariff", "indexes": (("operator_id", "fluid", "valid_from"),), "table_description": "What a fluid costs residents from a day on, in euros. One of a residence precedes its operator's."}),
            ops.CreateModel("ThirdPartyGrant", [
                ("id", fields.BigIntField(primary_key=True)),
                ("account", fields.ForeignKeyField("models.Account", source_field="account_id", related_name="third_party_grants", on_delete=fields.CASCADE)),
                ("dwelling", fields.ForeignKeyField("models.Dwelling", source_field="dwelling_id", related_name="third_party_grants", on_delete=fields.RESTRICT)),
                ("provider", fields.CharField(max_length=80)),
                ("contact", fields.CharField(max_length=254)),
                ("fluids", fields.JSONField()),
                ("resolution", fields.CharEnumField(Resolution, max_length=12)),
                ("first_day", fields.DateField(description="of the data that may be read")),
                ("last_day", fields.DateField(description="of the data, and the last day on which the token is valid")),
                ("token_hash", fields.CharField(unique=True, max_length=64)),
                ("created_at", fields.DatetimeField()),
                ("last_used_at", fields.DatetimeField(null=True)),
                ("revoked_at", fields.DatetimeField(null=True)),
            ], {"table": "third_party_grant", "indexes": (("account_id",), ("dwelling_id",)), "table_description": "A provider that a resident lets read consumption (EED-07). The token is stored as its SHA-256."}),
        ),
        ops.RunPython(code=add_what_tortoise_cannot_model),
    ]
