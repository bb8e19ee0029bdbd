"""Readings and volumes: composite keys (meter, time), which Tortoise 1.x cannot model.

Times are whole seconds since 1970 in UTC, days are written 20261122: both databases order, compare and index
them alike, and a row stays small (26 bytes on SQLite WITHOUT ROWID, measured). Amounts are in the fluid's
smallest unit. `quality` is M measured, E estimated, P partial.
"""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = (
    """
    CREATE TABLE reading (
        meter_id BIGINT NOT NULL REFERENCES meter (id) ON DELETE RESTRICT,
        read_at BIGINT NOT NULL,
        index_value BIGINT NOT NULL,
        status_bits INTEGER NOT NULL,
        received_at BIGINT NOT NULL,
        telegram_digest BIGINT NOT NULL,
        PRIMARY KEY (meter_id, read_at)
    )""",
    """
    CREATE TABLE hourly_volume (
        meter_id BIGINT NOT NULL REFERENCES meter (id) ON DELETE RESTRICT,
        hour_at BIGINT NOT NULL,
        amount BIGINT NOT NULL,
        PRIMARY KEY (meter_id, hour_at)
    )""",
    """
    CREATE TABLE daily_volume (
        meter_id BIGINT NOT NULL REFERENCES meter (id) ON DELETE RESTRICT,
        day INTEGER NOT NULL,
        amount BIGINT NOT NULL,
        quality CHAR(1) NOT NULL,
        PRIMARY KEY (meter_id, day)
    )""",
)
NAMES = ("daily_volume", "hourly_volume", "reading")


async def create(apps: Any, editor: Any) -> None:
    suffix = " WITHOUT ROWID" if editor.client.capabilities.dialect == "sqlite" else ""
    for table in TABLES:
        await editor.client.execute_script(table + suffix)


async def drop(apps: Any, editor: Any) -> None:
    for name in NAMES:
        await editor.client.execute_script(f"DROP TABLE {name}")


class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]
    operations = [ops.RunPython(code=create, reverse_code=drop)]
