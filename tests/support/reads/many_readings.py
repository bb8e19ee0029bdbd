"""Many readings on PostgreSQL, made by the database itself: thirteen months of a small fleet.

In: how many meters, and the seconds between two readings, of late and before. Out: rows, and what belongs to
them. The one rule: as many as are asked for are made in seconds, so that plans are those of a full table.
"""

from datetime import UTC, datetime

from core.services.shared.partitions import ensure_months, month_of, month_start_s, next_month
from core.services.shared.transaction import current_database

END = datetime(2026, 11, 22, tzinfo=UTC)
MONTHS = 13
DAY_S = 86_400
FEWEST_DWELLINGS = 3_000
RECENT_DAYS = 52
"""Readings may be closer to each other in these: plans depend on the rows of a partition."""


async def fill(meters: int, step_s: int, recent_step_s: int) -> int:
    """Store readings, days and states of meters 1, 2, 3 …, four to a dwelling; returns how many readings.

    Ten dwellings make a residence; each dwelling has alerts that have ended, every fifth one that has not.
    """
    database = current_database()
    end_s = int(END.timestamp())
    months = [next_month(month_of(end_s), -back) for back in range(MONTHS)]
    first_s = month_start_s(months[-1])
    await ensure_months(database, months)
    recent_s = end_s - RECENT_DAYS * DAY_S
    for statement in (
        *_places(meters, max(meters // 4 + 1, FEWEST_DWELLINGS)),
        _readings(first_s, recent_s, step_s, meters),
        _readings(recent_s, end_s, recent_step_s, meters),
        *_computed(meters, first_s, end_s - DAY_S),
    ):
        await database.execute_query(statement)
    for table in ("reading", "daily_volume", "meter_state", "alert", "meter", "dwelling"):
        await database.execute_query(f"VACUUM ANALYZE {table}")
    (row,) = await database.execute_query_dict("SELECT COUNT(*) AS readings FROM reading")
    return int(row["readings"])


def _places(meters: int, dwellings: int) -> tuple[str, ...]:
    at = f"timestamptz '{END.isoformat()}'"
    return (
        f"INSERT INTO operator (id, code, name, created_at) VALUES (1, 'ocea', 'Many', {at})",
        f"""INSERT INTO residence (id, code, operator_id, name, street, postcode, city, time_zone,
                remote_reading, resident_portal_option)
            SELECT n, n::text, 1, '', '', '', '', 'Europe/Paris', TRUE, TRUE
            FROM generate_series(1, {dwellings // 10 + 1}) n""",
        f"""INSERT INTO dwelling (id, residence_id, number, building, staircase, floor)
            SELECT n, n / 10 + 1, n::text, '', '', '' FROM generate_series(1, {dwellings}) n""",
        f"""INSERT INTO meter (id, dwelling_id, fluid, vendor, printed_serial, serial_key, radio_address,
                register_step, location, installed_at)
            SELECT n, n / 4 + 1, 'COLD_WATER', 'many', n::text, n::text, n::text, 1, '',
                {at} - interval '2 years'
            FROM generate_series(1, {meters}) n""",
        f"""INSERT INTO alert (alert_key, kind, dwelling_id, fluid, started_on, ended_on, raised_at)
            SELECT 'many:' || d || ':' || n, 'OVER_CONSUMPTION', d, 'COLD_WATER', date '2026-10-01',
                CASE WHEN n = 0 AND d % 5 = 0 THEN NULL ELSE date '2026-10-31' END, {at}
            FROM generate_series(1, {dwellings}) d, generate_series(0, 9) n""",
    )


def _readings(first_s: int, end_s: int, step_s: int, meters: int) -> str:
    return f"""INSERT INTO reading SELECT m, s + m % 1500, s / 600, 0, s, s * 31 + m, 2
        FROM generate_series({first_s}::bigint, {end_s - step_s}, {step_s}) s,
            generate_series(1, {meters}) m"""


def _computed(meters: int, first_s: int, last_s: int) -> tuple[str, ...]:
    return (
        f"""INSERT INTO daily_volume SELECT m, to_char(d, 'YYYYMMDD')::int, 144, 'M'
            FROM generate_series(to_timestamp({first_s}), to_timestamp({last_s}), '1 day') d,
                generate_series(1, {meters}) m""",
        f"""INSERT INTO meter_state SELECT m, r.read_at, r.index_value, r.telegram_digest, 0, r.read_at,
                r.read_at, r.read_at, r.index_value, 2, 3, 0
            FROM generate_series(1, {meters}) m,
                LATERAL (SELECT * FROM reading WHERE meter_id = m ORDER BY read_at DESC LIMIT 1) r""",
    )
