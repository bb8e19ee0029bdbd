"""Many readings on PostgreSQL, made by the database itself: thirteen months of a small fleet, with what belongs
to them.

In: how many meters, and the seconds between two readings, of late and before. Out: rows. The one rule: as many as are asked for are
made in seconds, so that plans are those of a full table.
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
    """Thirteen months of readings, days and states of meters 1, 2, 3 …, four to a dwelling, ten dwellings to a residence;
    an alert of each dwelling that has ended, and one of every fifth that has not. Returns how many readings.
    """
    database = current_database()
    end_s = int(END.timestamp())
    months = [next_month(month_of(end_s), -back) for back in range(MONTHS)]
    first_s = month_start_s(months[-1])
    await ensure_months(database, months)
    recent_s = end_s - RECENT_DAYS * DAY_S
    dwellings = max(meters // 4 + 1, FEWEST_DWELLINGS)
    at = f"(timestamptz '{END.isoformat()}')"
    for statement in (
        f"INSERT INTO operator (id, code, name, created_at) VALUES (1, 'ocea', 'Many', {at})",
        "INSERT INTO residence (id, code, operator_id, name, street, postcode, city, time_zone, remote_reading,"
        f" resident_portal_option) SELECT n, n::text, 1, '', '', '', '', 'Europe/Paris', TRUE, TRUE"
        f" FROM generate_series(1, {dwellings // 10 + 1}) n",
        "INSERT INTO dwelling (id, residence_id, number, building, staircase, floor)"
        f" SELECT n, n / 10 + 1, n::text, '', '', '' FROM generate_series(1, {dwellings}) n",
        "INSERT INTO meter (id, dwelling_id, fluid, vendor, printed_serial, serial_key, radio_address,"
        " register_step, location, installed_at) SELECT n, n / 4 + 1, 'COLD_WATER', 'many', n::text, n::text,"
        f" n::text, 1, '', {at} - interval '2 years' FROM generate_series(1, {meters}) n",
        _readings(first_s, recent_s, step_s, meters),
        _readings(recent_s, end_s, recent_step_s, meters),
        "INSERT INTO daily_volume SELECT m, to_char(d, 'YYYYMMDD')::int, 144, 'M' FROM generate_series("
        f"to_timestamp({first_s}), to_timestamp({end_s - DAY_S}), '1 day') d, generate_series(1, {meters}) m",
        "INSERT INTO meter_state SELECT m, last.read_at, last.index_value, last.telegram_digest, 0, last.read_at,"
        " last.read_at, last.read_at, last.index_value, 2, 3, 0 FROM generate_series(1, {0}) m,"
        " LATERAL (SELECT * FROM reading r WHERE r.meter_id = m ORDER BY read_at DESC LIMIT 1) last".format(
            meters
        ),
        "INSERT INTO alert (alert_key, kind, dwelling_id, fluid, started_on, ended_on, raised_at)"
        " SELECT 'many:' || d || ':' || n, 'OVER_CONSUMPTION', d, 'COLD_WATER', date '2026-10-01',"
        f" CASE WHEN n = 0 AND d % 5 = 0 THEN NULL ELSE date '2026-10-31' END, {at}"
        f" FROM generate_series(1, {dwellings}) d, generate_series(0, 9) n",
    ):
        await database.execute_query(statement)
    for table in ("reading", "daily_volume", "meter_state", "alert", "meter", "dwelling"):
        await database.execute_query(f"VACUUM ANALYZE {table}")
    (row,) = await database.execute_query_dict("SELECT COUNT(*) AS readings FROM reading")
    return int(row["readings"])


def _readings(first_s: int, end_s: int, step_s: int, meters: int) -> str:
    return (
        "INSERT INTO reading SELECT m, s + m % 1500, s / 600, 0, s, s * 31 + m, 2"  # noqa: S608 - numbers
        f" FROM generate_series({first_s}::bigint, {end_s - step_s}, {step_s}) s, generate_series(1, {meters}) m"
    )
