"""A residence at a glance, for its manager: who lives there, which meters are received, leaks, outliers.

In: residences. Out: an overview of each, by a fixed number of statements however many there are. The one
rule: it says of a dwelling nothing that a manager may not always see (CN-01): amounts of a month that is
over, never of a day; who lives there by number alone; alerts without loss and flow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from core.access import Permission, Role, Viewer
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.consumption.outliers import DwellingMonth, OutlierKind, outliers
from core.consumption.periods import civil_day
from core.models import AlertKind, ConsentState, Dwelling, ManagedResidence, Occupancy, Residence
from core.services.managers.overview_rows import (
    AlertCount,
    MeterRow,
    OverviewSpan,
    alert_counts,
    last_answers_of,
    meter_rows,
    silent_meters,
)
from core.services.places.managed_residences import place_of
from core.services.shared.many_rows import slices
from core.services.shared.scope import OccupancyPeriod, occupants, with_periods
from core.services.shared.transaction import current_database

WINDOW_DAYS = 30
"""Days whose completeness is shown, up to yesterday: today is not over."""

LEAST_OF_VACANT = {
    Fluid.COLD_WATER: 500,
    Fluid.HOT_WATER: 500,
    Fluid.HEAT: 10**12,
    Fluid.HEAT_ALLOCATOR: 10**12,
}
"""Litres of a month; a vacant dwelling is heated against frost."""


@dataclass(frozen=True, slots=True)
class HomeCounts:
    """How many dwellings there are. The consents are those of the present occupants.

    `vacant`: whoever lived there has left, and nobody has moved in since. `unknown`: no occupancy was ever
    recorded.
    """

    total: int
    occupied: int
    vacant: int
    unknown: int
    with_account: int
    without_account: int
    consent_granted: int
    consent_refused: int
    consent_unanswered: int


@dataclass(frozen=True, slots=True)
class HomeView:
    """A dwelling of an overview."""

    id: int
    place: str
    lot: str | None


@dataclass(frozen=True, slots=True)
class MeterOfHome:
    """A meter that needs a look; `last_read_at` is None where it was never read."""

    id: int
    fluid: Fluid
    printed_serial: str
    home: HomeView
    last_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Completeness:
    """The days of a fluid's meters in the window: how many should have data, and how many have."""

    fluid: Fluid
    expected_days: int
    days_with_data: int


@dataclass(frozen=True, slots=True)
class OutlierView:
    """A dwelling whose consumption of a month stands out; amounts in the smallest unit of the fluid."""

    home: HomeView
    fluid: Fluid
    month: Month
    kind: OutlierKind
    amount: int
    median: Fraction


@dataclass(frozen=True, slots=True)
class Overview:
    """A residence on a day. `leaks`: active leak alerts by level; `alerts`: active alerts by kind."""

    residence_id: int
    day: date
    month: Month
    homes: HomeCounts
    without_account: Sequence[HomeView]
    meters_in_service: int
    unread: Sequence[MeterOfHome]
    silent: Sequence[MeterOfHome]
    completeness: Sequence[Completeness]
    leaks: Mapping[int, int]
    alerts: Mapping[AlertKind, int]
    outliers: Sequence[OutlierView]


async def overviews(viewer: Viewer, residence_ids: Sequence[int], *, now: datetime) -> dict[int, Overview]:
    """The overviews of the manager's residences; what is not the manager's is left out."""
    viewer.require(Permission.MANAGED_RESIDENCES_READ)
    mine = await _mine(viewer, residence_ids)
    numbers = [row.id for row in mine]
    if not numbers:
        return {}
    spans = {row.id: _span(row, now) for row in mine}
    meters = await meter_rows(current_database(), list(spans.values()))
    homes = await Dwelling.filter(residence_id__in=numbers)
    known = await with_periods(
        await occupants().filter(dwelling__residence_id__in=numbers).select_related("account")
    )
    answers: dict[int, tuple[int, ConsentState]] = {}
    for some in slices(row.id for row, _ in known):
        answers |= await last_answers_of(some)
    today = min(civil_day(now, row.time_zone) for row in mine)  # of alerts, which end by the day
    counts, silent = await alert_counts(numbers, today=today), await silent_meters(numbers, today=today)
    by_home: dict[int, list[tuple[Occupancy, OccupancyPeriod]]] = {}
    for one in known:
        by_home.setdefault(one[0].dwelling_id, []).append(one)
    found = {}
    for row in mine:
        its_homes = [home for home in homes if home.residence_id == row.id]
        found[row.id] = _overview(
            _Rows(
                row,
                its_homes,
                [one for one in meters if one.residence_id == row.id],
                {home.id: by_home.get(home.id, ()) for home in its_homes},
                answers,
                [one for one in counts if one.residence_id == row.id],
                silent,
            ),
            spans[row.id],
        )
    return found


@dataclass(frozen=True, slots=True)
class _Rows:
    """What was read of one residence; the occupancies by dwelling."""

    residence: Residence
    homes: Sequence[Dwelling]
    meters: Sequence[MeterRow]
    occupancies: Mapping[int, Sequence[tuple[Occupancy, OccupancyPeriod]]]
    answers: Mapping[int, tuple[int, ConsentState]]
    alerts: Sequence[AlertCount]
    silent: set[int]


async def _mine(viewer: Viewer, residence_ids: Sequence[int]) -> list[Residence]:
    """Those of the residences that the viewer manages."""
    rows = Residence.filter(id__in=list(residence_ids)).order_by("id")
    if viewer.role is Role.SYSTEM:
        return await rows
    if viewer.role is not Role.MANAGER or viewer.account_id is None:
        return []
    granted = ManagedResidence.filter(account_id=viewer.account_id, residence_id__in=list(residence_ids))
    return await rows.filter(id__in=await granted.values_list("residence_id", flat=True))


def _span(residence: Residence, now: datetime) -> OverviewSpan:
    yesterday = civil_day(now, residence.time_zone) - timedelta(days=1)
    month = Month.of(yesterday + timedelta(days=1)).previous()
    first = yesterday - timedelta(days=WINDOW_DAYS - 1)
    return OverviewSpan(residence.id, month.first_day, month.last_day, first, yesterday)


def _overview(rows: _Rows, span: OverviewSpan) -> Overview:
    zone = ZoneInfo(rows.residence.time_zone)
    today = span.window_last + timedelta(days=1)
    homes = {home.id: HomeView(home.id, place_of(home), home.lot) for home in rows.homes}
    in_service = [row for row in rows.meters if _in_service(row, today, today, zone)]
    without, counts = _homes(rows, today)
    return Overview(
        residence_id=rows.residence.id,
        day=today,
        month=Month.of(span.month_first),
        homes=counts,
        without_account=sorted((homes[number] for number in without), key=lambda home: (home.place, home.id)),
        meters_in_service=len(in_service),
        unread=_meters([row for row in in_service if row.last_read_s is None], homes, zone),
        silent=_meters(
            [row for row in in_service if row.id in rows.silent and row.last_read_s is not None], homes, zone
        ),
        completeness=_completeness(rows.meters, span, zone),
        leaks={
            one.level: one.count
            for one in rows.alerts
            if one.kind is AlertKind.LEAK and one.level is not None
        },
        alerts=_by_kind(rows.alerts),
        outliers=_outliers(rows, homes, span, zone),
    )


def _homes(rows: _Rows, today: date) -> tuple[list[int], HomeCounts]:
    """The dwellings whose occupant has no account, and the counts."""
    present: dict[int, list[Occupancy]] = {}
    for number, known in rows.occupancies.items():
        if there := [row for row, period in known if period.holds(today)]:
            present[number] = there
    left = sum(bool(known) and number not in present for number, known in rows.occupancies.items())
    without = [number for number, known in present.items() if not any(_has_account(row) for row in known)]
    states = [_answer(rows, known) for known in present.values()]
    granted, refused = states.count(ConsentState.GRANTED), states.count(ConsentState.REFUSED)
    return without, HomeCounts(
        total=len(rows.homes),
        occupied=len(present),
        vacant=left,
        unknown=len(rows.homes) - len(present) - left,
        with_account=len(present) - len(without),
        without_account=len(without),
        consent_granted=granted,
        consent_refused=refused,
        consent_unanswered=len(present) - granted - refused,
    )


def _has_account(row: Occupancy) -> bool:
    return row.account is not None and row.account.disabled_at is None


def _answer(rows: _Rows, present: Sequence[Occupancy]) -> ConsentState | None:
    """The last answer for the present occupancy, whatever rows it is made of."""
    whose = max(present, key=lambda row: (row.account_id is not None, row.move_in, row.id))
    parts = [whose.id]
    if whose.account_id is not None:
        parts = _chain(rows.occupancies[whose.dwelling_id], whose)
    given = [rows.answers[number] for number in parts if number in rows.answers]
    return max(given)[1] if given else None


def _chain(known: Sequence[tuple[Occupancy, OccupancyPeriod]], whose: Occupancy) -> list[int]:
    """The occupancies of the same account that follow one another, this one among them
    (`core.services.places.occupant_periods.rows_of_period`).
    """
    same = (one for one in known if one[0].account_id == whose.account_id)
    chains: list[list[int]] = []
    last_day: date | None = None
    for row, period in sorted(same, key=lambda one: (one[1].first_day, one[0].id)):
        if not chains or (last_day is not None and period.first_day > last_day + timedelta(days=1)):
            chains.append([])
        chains[-1].append(row.id)
        last_day = period.last_day
    return next(chain for chain in chains if whose.id in chain)


def _in_service(row: MeterRow, first: date, last: date, zone: ZoneInfo) -> bool:
    """Whether a meter was in service on a day from `first` to `last`."""
    installed = row.installed_at.astimezone(zone).date()
    removed = row.removed_at.astimezone(zone).date() if row.removed_at else None
    return installed <= last and (removed is None or removed > first)


def _meters(rows: Sequence[MeterRow], homes: Mapping[int, HomeView], zone: ZoneInfo) -> list[MeterOfHome]:
    found = [
        MeterOfHome(
            id=row.id,
            fluid=row.fluid,
            printed_serial=row.printed_serial,
            home=homes[row.dwelling_id],
            last_read_at=None if row.last_read_s is None else datetime.fromtimestamp(row.last_read_s, zone),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.home.place, one.printed_serial))


def _completeness(rows: Sequence[MeterRow], span: OverviewSpan, zone: ZoneInfo) -> list[Completeness]:
    expected, known = dict.fromkeys(Fluid, 0), dict.fromkeys(Fluid, 0)
    for row in rows:
        first = max(row.installed_at.astimezone(zone).date(), span.window_first)
        removed = row.removed_at.astimezone(zone).date() if row.removed_at else None
        last = span.window_last if removed is None else min(removed - timedelta(days=1), span.window_last)
        days = max(0, (last - first).days + 1)
        expected[row.fluid] += days
        known[row.fluid] += min(row.window_days, days)
    return [Completeness(fluid, expected[fluid], known[fluid]) for fluid in Fluid if expected[fluid]]


def _by_kind(counts: Sequence[AlertCount]) -> dict[AlertKind, int]:
    found: dict[AlertKind, int] = {}
    for one in counts:
        found[one.kind] = found.get(one.kind, 0) + one.count
    return found


def _outliers(
    rows: _Rows, homes: Mapping[int, HomeView], span: OverviewSpan, zone: ZoneInfo
) -> list[OutlierView]:
    month = Month.of(span.month_first)
    found: list[OutlierView] = []
    for fluid in Fluid:
        complete = _complete_amounts([row for row in rows.meters if row.fluid is fluid], month, zone)
        months = [
            DwellingMonth(number, amount, *_lived_in(rows, number, month))
            for number, amount in complete.items()
        ]
        found += [
            OutlierView(homes[one.dwelling_id], fluid, month, one.kind, one.amount, one.median)
            for one in outliers(months, least_of_vacant=LEAST_OF_VACANT[fluid])
        ]
    return found


def _complete_amounts(rows: Sequence[MeterRow], month: Month, zone: ZoneInfo) -> dict[int, int]:
    """The month's amount of each dwelling whose meters of the fluid were all in service, and read, on every
    day of it.
    """
    found: dict[int, int] = {}
    partly: set[int] = set()
    for row in rows:
        if not _in_service(row, month.first_day, month.last_day, zone):
            continue
        if row.month_days == month.length_days:
            found[row.dwelling_id] = found.get(row.dwelling_id, 0) + row.month_amount
        else:
            partly.add(row.dwelling_id)
    return {number: amount for number, amount in found.items() if number not in partly}


def _lived_in(rows: _Rows, dwelling_id: int, month: Month) -> tuple[bool, bool]:
    """Whether somebody is known to have lived there all month; and whether whoever did before had left, and
    nobody lived there on any day of it.
    """
    known = [period for _, period in rows.occupancies[dwelling_id]]
    touched = [
        period
        for period in known
        if period.first_day <= month.last_day
        and not period.over_on(month.first_day)
        and (period.last_day is None or period.last_day >= period.first_day)
    ]
    all_month = any(
        period.first_day <= month.first_day and not period.over_on(month.last_day) for period in touched
    )
    left = any(period.over_on(month.first_day) for period in known)
    return all_month, left and not touched
