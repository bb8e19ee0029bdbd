"""The reads of the product whose plans are watched, each with the tables and indexes that it may touch.

In: a meter and a residence of `many_readings`. Out: the plans as executed. The one rule: one place says what
is intended, for the tests and for bench/explain.py.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from core.consumption.fluids import Fluid
from core.services.places.daily_volumes import days_by_fluid
from core.services.places.dwelling_days import DaysAsked, SumsAsked, columns_of, figures_of
from core.services.shared import time_series
from core.services.shared.alert_rows import AlertsAsked, alerts_of
from core.services.shared.reception_habits import meters_without_data
from core.services.shared.time_series import Window
from core.services.shared.transaction import current_database
from tests.support.reads.many_readings import DAY_S, END
from tests.support.reads.plans import Plan, plans_of

METER, RESIDENCE = 17, 2
A_DAY = Window(
    METER,
    int(datetime(2026, 10, 9, tzinfo=UTC).timestamp()),
    int(datetime(2026, 10, 10, tzinfo=UTC).timestamp()),
)

ALERTS = AlertsAsked(
    dwelling_id=None,
    account_id=None,
    first_day=date(1900, 1, 1),
    last_day=None,
    running_on=END.date(),
    most=51,
    residence_id=RESIDENCE,
)
"""The active alerts of a residence, as its manager asks for them."""

DWELLING, ZONE, SINCE = METER // 4 + 1, "Europe/Paris", date(2025, 11, 1)
RUNNING = AlertsAsked(
    dwelling_id=DWELLING, account_id=1, first_day=SINCE, last_day=None, running_on=END.date()
)
SCREEN = SumsAsked(DWELLING, ZONE, SINCE, END.date(), alerts=RUNNING)
"""The first screen of a resident's home."""

SERIES = DaysAsked(DWELLING, ZONE, Fluid.COLD_WATER, SINCE, END.date())


@dataclass(frozen=True, slots=True)
class Read:
    """A read of the product.

    Attributes:
        name: as it is printed.
        naming: the table that its statement names.
        ask: makes it.
        tables: what it may touch of that table's partitions; None for the table itself.
        index: how the name of every index used begins or ends.
        at_most: how many rows a node may look at.
    """

    name: str
    naming: str
    ask: Callable[[], Awaitable[object]]
    tables: frozenset[str]
    index: str
    at_most: int


READS = (
    Read(
        "dashboard: the months of a dwelling",
        "daily_volume",
        lambda: figures_of(current_database(), [SCREEN]),
        frozenset({"daily_volume"}),
        "daily_volume_pkey",
        400,
    ),
    Read(
        "dashboard: the alerts that run there",
        "FROM alert",
        lambda: figures_of(current_database(), [SCREEN]),
        frozenset({"alert"}),
        "",
        60,
    ),
    Read(
        "days that a limit looks at: this month and the last, of a dwelling",
        "daily_volume",
        lambda: days_by_fluid([METER // 4 + 1], (date(2026, 10, 1), END.date())),
        frozenset({"daily_volume"}),
        "daily_volume_pkey",
        60,
    ),
    Read(
        "series of thirteen months, by day",
        "daily_volume",
        lambda: columns_of(current_database(), [SERIES]),
        frozenset({"daily_volume"}),
        "daily_volume_pkey",
        400,
    ),
    Read(
        "the hours of a day: its readings and their neighbours",
        "reading",
        lambda: time_series.rows_around(current_database(), [A_DAY]),
        frozenset({"reading_202610"}),
        "reading_202610_pkey",
        60,
    ),
    Read(
        "a page of a meter's readings of a day",
        "reading",
        lambda: time_series.readings_page(current_database(), A_DAY, newest_first=True, limit=50),
        frozenset({"reading_202610"}),
        "reading_202610_pkey",
        60,
    ),
    Read(
        "the latest reading of forty meters",
        "reading",
        lambda: time_series.last_readings(current_database(), range(1, 41)),
        frozenset({"reading_202611"}),
        "reading_202611_pkey",
        40,
    ),
    Read(
        "the newest reading as intake asks",
        "reading",
        lambda: time_series.newest_readings(current_database(), [METER]),
        frozenset({"reading_202611"}),
        "reading_202611_pkey",
        1,
    ),
    Read(
        "48 hours before the last readings of ten meters",
        "reading",
        lambda: time_series.readings_near(
            current_database(),
            [
                Window(meter, int((END - timedelta(days=2)).timestamp()), int(END.timestamp()))
                for meter in range(1, 11)
            ],
        ),
        frozenset({"reading_202611"}),
        "reading_202611_pkey",
        100,
    ),
    Read(
        "meters without data",
        "reading",
        lambda: meters_without_data(
            current_database(),
            now_s=int(END.timestamp()) + 30 * DAY_S,
            since_s=int(END.timestamp()),
            look_back_s=7 * DAY_S,
            after_id=0,
            limit=20,
        ),
        frozenset({"reading_202611"}),
        "reading_202611_pkey",
        10**9,
    ),
    Read(
        "the active alerts of a residence",
        '"alert"',
        lambda: alerts_of(current_database(), [ALERTS]),
        frozenset({"alert"}),
        "",
        60,
    ),
)


async def plans(monkeypatch: Any, read: Read) -> list[Plan]:
    """The plans of a read's statements."""
    return await plans_of(monkeypatch, read.ask(), naming=read.naming)


def faults(read: Read, plan: Plan) -> list[str]:
    """What a plan does that is not intended."""
    found = [
        f"{one.how} of {one.table}"
        for one in plan.touched
        if one.how == "Seq Scan" and one.table in read.tables
    ]
    table = read.naming.removeprefix("FROM ").strip('"')
    if plan.tables(table) - read.tables:
        found.append(f"touches {sorted(plan.tables(table) - read.tables)}")
    scans = [one for one in plan.touched if one.table in read.tables]
    found += [f"uses {one.index}" for one in scans if one.index and read.index not in one.index]
    found += [f"looks at {one.rows:.0f} rows of {one.table}" for one in scans if one.rows > read.at_most]
    return found if scans else [*found, "touches nothing"]
