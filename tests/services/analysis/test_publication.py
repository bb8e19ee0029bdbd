"""Monthly statistics from stored days, leaks and meters: what is published, when, and that it remains."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from random import Random

import pytest
from tortoise.transactions import in_transaction

from core.access import Role, Viewer
from core.consumption import DayVolume, Month, Quality
from core.consumption.fluids import Fluid
from core.errors import Forbidden, InvalidInput, NotFound
from core.models import AnalysisPublication, AnalysisRow, Dwelling, Meter, Operator, Residence
from core.services.analysis import facts
from core.services.analysis.figures import Grouping, StatisticTable
from core.services.analysis.groups import Group, Published, published
from core.services.analysis.publication import MONTHS_AT_FIRST, publish_due
from core.services.analysis.statistics import (
    Choice,
    StatisticRow,
    all_statistics,
    published_months,
    statistics,
)
from core.services.shared import time_series
from tests.support.analyses import OCTOBER, Home, add_leak, add_residence, days_of
from tests.support.attack import watched
from tests.support.factories import store_readings

SMALL, LARGE = Home(100, 35), Home(300, 120)

pytestmark = pytest.mark.usefixtures("application")


async def analyst(operator: str = "ocea") -> Viewer:
    return Viewer(Role.ANALYST, account_id=1, operator_id=(await Operator.get(code=operator)).id)


async def rows(
    topic: StatisticTable, choice: Choice | None = None, operator: str = "ocea"
) -> list[StatisticRow]:
    page = await statistics(await analyst(operator), topic, choice or Choice(), first=1_000)
    return page.items


def by_classes(found: list[StatisticRow]) -> dict[str, tuple[float | None, ...]]:
    return {"+".join(row.classes): row.figures for row in found}


async def test_the_consumption_of_a_month(now: datetime) -> None:
    """31 days of 100 or 300 litres, 4 homes of one class and 16 of another, are one group of 20 homes."""
    await add_residence("A", [SMALL] * 4 + [LARGE] * 16)
    assert await publish_due(now=now) == 1
    row, whole = await rows(StatisticTable.CONSUMPTION, Choice(by_residence=True))
    assert (whole.classes, whole.figures) == (("ALL",), row.figures)
    assert (row.month, row.fluid, row.dwellings) == (OCTOBER, Fluid.COLD_WATER, 20)
    assert row.classes == ("UNDER_40_M2", "FROM_100_M2")
    assert row.residence is not None
    assert row.residence.code == "A"
    # (4 x 3.1 + 16 x 9.3) / 20 = 8.06; the quartile is the mean of four low and two high ones, or nearly so.
    assert row.figure(StatisticTable.CONSUMPTION, "mean") == 8.06
    assert row.figure(StatisticTable.CONSUMPTION, "median") == 9.3
    assert row.figure(StatisticTable.CONSUMPTION, "p10") is None
    assert row.figure(StatisticTable.CONSUMPTION, "p25") == pytest.approx((2 * 3.1 + 4 * 9.3) / 6, abs=0.01)


async def test_only_whole_months_count(now: datetime) -> None:
    """A home that was not read on one day is in no figure: of its 5 the residence has 4, and is not shown."""
    await add_residence("A", [*[SMALL] * 4, Home(100, 35, missing_days=1)])
    await add_residence("B", [SMALL] * 6)
    await publish_due(now=now)
    found = await rows(StatisticTable.CONSUMPTION, Choice(by_residence=True))
    assert {row.residence.code for row in found if row.residence} == {"B"}
    assert by_classes(await rows(StatisticTable.CONSUMPTION))["ALL"][0] == 3.1


async def test_the_operator_shows_what_small_residences_have_together(now: datetime) -> None:
    """Two residences of three homes are in the operator's figures, without a row of their own."""
    for code in ("A", "B"):
        await add_residence(code, [SMALL, SMALL, LARGE])
    await publish_due(now=now)
    assert await rows(StatisticTable.CONSUMPTION, Choice(by_residence=True)) == []
    found = by_classes(await rows(StatisticTable.CONSUMPTION))
    assert set(found) == {"ALL", "UNDER_40_M2+FROM_100_M2"}


async def test_what_is_published_is_not_changed(now: datetime) -> None:
    """A sixth home becomes complete later: its use would be the difference of two means."""
    meters = await add_residence("A", [*[SMALL] * 5, Home(2_000, 35, missing_days=1)])
    await publish_due(now=now)
    before = await rows(StatisticTable.CONSUMPTION)
    async with in_transaction() as connection:
        late = (meters[-1], DayVolume(OCTOBER.first_day, 2_000, Quality.MEASURED))
        await time_series.replace_days(connection, [], [late])
    assert await publish_due(now=now + timedelta(days=2)) == 0
    assert await rows(StatisticTable.CONSUMPTION) == before
    assert before[0].figures[0] == 3.1


@pytest.mark.parametrize(
    ("moment", "months"),
    [
        (datetime(2026, 11, 10, 23, tzinfo=UTC), ["2026-09"]),
        (datetime(2026, 11, 11, 1, tzinfo=UTC), ["2026-10", "2026-09"]),
    ],
)
async def test_a_month_is_published_ten_days_after_its_end(moment: datetime, months: list[str]) -> None:
    """Of months that overlap nothing: there are no weeks, quarters or years to subtract."""
    await add_residence("A", [SMALL] * 6, months=[Month(2026, 9), OCTOBER, Month(2026, 11)])
    await publish_due(now=moment)
    assert list(map(str, await published_months(await analyst()))) == months


async def test_thirteen_months_are_published_at_first(now: datetime) -> None:
    """Those that have figures; a month before one that is published is never added."""
    months = [OCTOBER.plus(-age) for age in (0, 3, 12, 13)]
    meters = await add_residence("A", [SMALL] * 6, months=months)
    assert await publish_due(now=now) == 3
    assert MONTHS_AT_FIRST == 13
    async with in_transaction() as connection:
        for meter_id in meters:
            added = [(meter_id, DayVolume(day, 1, Quality.MEASURED)) for day in days_of(Month(2026, 9))]
            await time_series.replace_days(connection, [], added)
    assert await publish_due(now=now) == 0
    assert len(await published_months(await analyst())) == 3


async def test_leaks(now: datetime) -> None:
    """Six leaks of five homes, of two levels: one group; loss and days of those that were stopped."""
    meters = await add_residence("A", [SMALL] * 12)
    for day, (place, level) in enumerate(((0, 1), (0, 1), (1, 1), (2, 2), (3, 2), (4, 3))):
        started = date(2026, 10, 2 + 3 * day)
        await add_leak(meters[place], started, started + timedelta(days=4), level=level, loss=600)
    await add_leak(meters[7], date(2026, 9, 1), date(2026, 9, 9))
    await add_leak(meters[8], date(2026, 10, 30), None)
    await publish_due(now=now)
    found = await rows(StatisticTable.LEAKS, Choice(by_residence=True))
    assert {(row.grouping, row.classes, row.dwellings, row.figures) for row in found} == {
        (Grouping.BEGUN, ("LEVEL_1", "LEVEL_2", "LEVEL_3"), 5, (5, None, None, None)),
        (Grouping.BEGUN, ("ALL",), 5, (5, None, None, None)),
        (Grouping.ENDED, ("LEVEL_1", "LEVEL_2", "LEVEL_3"), 5, (5, 3.6, 4.0, None)),
        (Grouping.ENDED, ("ALL",), 5, (5, 3.6, 4.0, None)),
    }


async def test_four_leaks_are_none(now: datetime) -> None:
    """Neither of a residence nor of its operator; nor is the one that lost nearly all of the water."""
    meters = await add_residence("A", [SMALL] * 12)
    for place in range(4):
        await add_leak(meters[place], date(2026, 10, 2), date(2026, 10, 4))
    await publish_due(now=now)
    assert await rows(StatisticTable.LEAKS) == []


async def test_a_leak_that_lost_most_is_not_shown(now: datetime) -> None:
    """Five leaks that were stopped, one of which lost 50 of 52 m³: the loss would be that home's."""
    meters = await add_residence("A", [SMALL] * 12)
    for place in range(5):
        loss = 50_000 if place == 2 else 500
        await add_leak(meters[place], date(2026, 10, 2), date(2026, 10, 4), loss=loss)
    await publish_due(now=now)
    assert {row.grouping for row in await rows(StatisticTable.LEAKS)} == {Grouping.BEGUN}


async def test_the_meter_park(now: datetime, application) -> None:
    """By maker, age, battery and reception; a maker of three joins its neighbour."""
    meters = await add_residence(
        "A", [SMALL] * 6 + [Home(100, maker="zenner")] * 6 + [Home(9, maker="ista")] * 3
    )
    async with in_transaction() as connection:
        await _received(connection, meters[:6], now - timedelta(hours=2), battery_low=True)
        await _received(connection, meters[6:12], now - timedelta(days=40), battery_low=False)
    await publish_due(now=now)
    found = {
        grouping: by_classes(await rows(StatisticTable.METERS, Choice(grouping=grouping, by_residence=True)))
        for grouping in (Grouping.MAKER, Grouping.AGE, Grouping.BATTERY, Grouping.RECEPTION)
    }
    assert found == {
        Grouping.MAKER: {"ALL": (15,), "ista+ocea": (10,), "zenner": (5,)},
        Grouping.AGE: {"ALL": (15,), "UNDER_5_YEARS": (15,)},
        Grouping.BATTERY: {"ALL": (15,), "NOT_REPORTED_LOW": (10,), "REPORTED_LOW": (5,)},
        Grouping.RECEPTION: {"ALL": (15,), "IN_THE_LAST_DAY": (5,), "LONGER_AGO+NEVER": (10,)},
    }


async def _received(connection, meter_ids: list[int], at: datetime, *, battery_low: bool) -> None:
    at_s = int(at.timestamp())
    bits = 1 << 5 if battery_low else 0
    await store_readings(
        connection,
        [time_series.ReadingRow(meter_id, at_s, 7, bits, at_s, meter_id) for meter_id in meter_ids],
    )


async def test_completeness(now: datetime) -> None:
    """5 x 31 days of which 10 are missing: 93.5 % measured."""
    await add_residence("A", [*[SMALL] * 4, Home(100, 35, missing_days=10)])
    await publish_due(now=now)
    (row,) = [
        row
        for row in await rows(StatisticTable.COMPLETENESS, Choice(by_residence=True))
        if row.classes == ("ALL",)
    ]
    assert row.figures == (155, 93.5, 0.0, 0.0, 6.45)


async def test_an_operator_sees_its_own(now: datetime) -> None:
    """Another operator's analyst finds nothing, not even whether a residence exists."""
    await add_residence("A", [SMALL] * 6)
    await add_residence("B", [LARGE] * 6, operator="ista")
    await publish_due(now=now)
    assert by_classes(await rows(StatisticTable.CONSUMPTION))["ALL"][0] == 3.1
    assert by_classes(await rows(StatisticTable.CONSUMPTION, operator="ista"))["ALL"][0] == 9.3
    theirs = await Residence.get(code="B")
    for number in (theirs.id, 0, 2**70, 99_999):
        with pytest.raises(NotFound):
            await rows(StatisticTable.CONSUMPTION, Choice(residence_id=number))


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.ANALYST, Role.SYSTEM}])
async def test_other_roles_are_refused(role: Role) -> None:
    """A manager, who knows the dwellings, has no statistics to compare them with."""
    with pytest.raises(Forbidden):
        await statistics(
            Viewer(role, account_id=1, operator_id=1), StatisticTable.CONSUMPTION, Choice(), first=1
        )
    with pytest.raises(Forbidden):
        await published_months(Viewer(role, account_id=1, operator_id=1))


async def test_choices_give_published_rows_only(now: datetime) -> None:
    """Whatever is combined, the answer is rows that stand in the table."""
    for code in ("A", "B"):
        await add_residence(code, [SMALL] * 6 + [LARGE] * 7, months=[OCTOBER.previous(), OCTOBER])
    await publish_due(now=now)
    stored = {row.id for row in await AnalysisRow.all()}
    total = 0
    for fluid in (None, Fluid.COLD_WATER, Fluid.HEAT):
        for first in (None, OCTOBER):
            for by_residence in (False, True):
                found = await rows(
                    StatisticTable.CONSUMPTION,
                    Choice(fluid=fluid, first_month=first, by_residence=by_residence),
                )
                assert {row.id for row in found} <= stored
                assert all((row.residence is not None) is by_residence for row in found)
                assert all(row.dwellings >= 5 for row in found)
                total += len(found)
    assert total == 2 * (6 + 3 + 12 + 6)
    with pytest.raises(InvalidInput):
        await rows(StatisticTable.CONSUMPTION, Choice(first_month=OCTOBER, last_month=OCTOBER.previous()))


async def test_pages(now: datetime) -> None:
    """All rows once, in order, however long the pages are; an export reads the same."""
    await add_residence("A", [SMALL] * 6 + [LARGE] * 7, months=[OCTOBER.plus(-age) for age in range(4)])
    await publish_due(now=now)
    viewer, after, found = await analyst(), None, []
    while True:
        page = await statistics(viewer, StatisticTable.CONSUMPTION, Choice(), first=5, after=after)
        found += page.items
        if not page.has_next:
            break
        after = page.items[-1].id
    assert len(found) == 12
    assert [row.month for row in found] == sorted(row.month for row in found)
    exported = [
        row async for some in all_statistics(viewer, StatisticTable.CONSUMPTION, Choice()) for row in some
    ]
    assert exported == found


@pytest.mark.parametrize("residences", [1, 9])
async def test_a_month_takes_so_many_statements(
    residences: int, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of a page of residences, whatever they hold; the pages, operators and due months beside."""
    for number in range(residences):
        await add_residence(f"R{number}", [SMALL] * 6)
    await publish_due(now=now)
    await AnalysisPublication.all().delete()
    await AnalysisPublication.create(operator=await Operator.get(code="ocea"), month=202609, published_at=now)
    with watched(monkeypatch) as work:
        assert await publish_due(now=now) == 1
    reading = [text for text in work.statements if text.startswith("WITH k(")]
    assert len(reading) == 3, work.statements
    assert len(work.statements) <= 3 + 7, work.statements


async def test_residences_are_read_in_pages(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five residences by two: the same figures as at once."""
    for number in range(5):
        await add_residence(f"R{number}", [SMALL] * 3 + [LARGE] * 3)
    await publish_due(now=now)
    at_once = [row.figures for row in await rows(StatisticTable.CONSUMPTION)]
    await AnalysisPublication.all().delete()
    monkeypatch.setattr("core.services.analysis.publication.PAGE", 2)
    await publish_due(now=now)
    assert [row.figures for row in await rows(StatisticTable.CONSUMPTION)] == at_once
    assert facts.PAGE > 2


async def test_a_replaced_meter_is_one_dwelling(now: datetime) -> None:
    """Both meters' days are the home's; one that was removed and not replaced leaves it incomplete."""
    meters = await add_residence("A", [SMALL] * 6)
    swap = datetime(2026, 10, 15, 12, tzinfo=UTC)
    first = await Meter.get(id=meters[0])
    first.removed_at = swap
    await first.save()
    new = await Meter.create(
        dwelling_id=first.dwelling_id,
        fluid=Fluid.COLD_WATER,
        vendor="ocea",
        printed_serial="N",
        serial_key="N",
        radio_address="N",
        installed_at=swap,
    )
    async with in_transaction() as connection:
        await time_series.replace_days(
            connection,
            [time_series.Window(first.id, 20261016, 20261031)],
            [(new.id, DayVolume(day, 100, Quality.MEASURED)) for day in days_of(OCTOBER)[14:]],
        )
    gone = await Meter.get(id=meters[5])
    gone.removed_at = swap
    await gone.save()
    assert await Dwelling.all().count() == 6
    await publish_due(now=now)
    found = by_classes(await rows(StatisticTable.CONSUMPTION))
    assert found["ALL"][0] == pytest.approx((4 * 3.1 + 3.2) / 5, abs=0.01)


async def test_no_rows_of_a_table_differ_by_fewer_than_five(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Residences just below and above the floor, mixed sizes and makers, homes that were not read, leaks: of
    all rows that are stored, no two of one grouping differ by one to four homes, nor do three.
    """
    chance = Random(42)
    for number, size in enumerate((4, 5, 9, 3, 13, 6, 20, 1)):
        homes = [
            Home(
                chance.randrange(20, 900),
                chance.choice([None, 35, 50, 70, 120]),
                missing_days=chance.choice([0, 0, 0, 0, 3]),
                maker=chance.choice(["ista", "ocea", "zenner"]),
            )
            for _ in range(size)
        ]
        for place, meter_id in enumerate(await add_residence(f"R{number}", homes)):
            if place % 2:
                begun = OCTOBER.first_day + timedelta(days=place)
                await add_leak(meter_id, begun, begun + timedelta(days=3), level=1 + place % 3)
    groupings: list[list[Published]] = []

    def seen(groups: list[Group]) -> list[Published]:
        groupings.append(published(groups))
        return groupings[-1]

    monkeypatch.setattr("core.services.analysis.figures.published", seen)
    await publish_due(now=now)
    assert sum(map(len, groupings)) == await AnalysisRow.all().count() > 60
    for unions in groupings:
        sets = {frozenset(one.dwelling_id for one in union.contributions) for union in unions}
        sets |= {part for a, b in combinations(sets, 2) for part in (a - b, b - a, a & b)}
        sets |= {part for a, b in combinations(list(sets), 2) for part in (a - b, b - a)}
        assert {len(members) for members in sets} & {1, 2, 3, 4} == set()
