"""`buildingAverage` of a series, by the homes of the residence."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.access import SYSTEM
from core.models import AveragePublication, Dwelling
from core.services.consumption.average_publication import publish_averages
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import DwellingSpec, ResidenceSpec
from core.services.portfolio.portfolio import upsert_residence
from tests.graphql.conftest import WATER
from tests.support import factories
from tests.support.attack import watched
from tests.support.factories import NOW

ASK = """{ viewer { dwellings { consumption(fluid: COLD_WATER, %s) { amounts
    buildingAverage { surfaceM2 amounts percents scopes homes reasons } } } } }"""
Neighbours = Callable[..., Awaitable[None]]


@pytest.fixture
def neighbours(key_encryption: KeyEncryption, home: Any, data_of: Any) -> Neighbours:
    """Homes of 40 square metres in the viewer's residence, with so many litres a day since 2025."""

    async def move_in(daily: list[int], *, building: str = "A", first: date = date(2025, 1, 1)) -> None:
        known = await Dwelling.all().count()
        numbers = range(known, known + len(daily))
        dwellings = [
            DwellingSpec(
                building=building,
                number=f"N{number}",
                surface_m2="40",
                meters=[
                    factories.meter(
                        f"SAP-{21150000 + number}-15-07",
                        printed_serial=f"H18CB{number:06d}",
                        installed_at=datetime(2024, 1, 1, tzinfo=UTC),
                    )
                ],
            )
            for number in numbers
        ]
        await upsert_residence(
            SYSTEM,
            ResidenceSpec(
                operator_code=factories.OPERATOR,
                operator_name="OCEA Smart Building",
                code="AA000",
                name="Résidence Les Tilleuls",
                street="1 place Victor Hugo",
                postcode="92400",
                city="Courbevoie",
                dwellings=dwellings,
            ),
            key_encryption=key_encryption,
            now=NOW,
        )
        data = await data_of()
        for number, litres in zip(numbers, daily, strict=True):
            await data.consume(f"H18CB{number:06d}", first, NOW.date() - timedelta(days=1), daily=litres)

    return move_in


async def average(portal: Any, arguments: str = "last: 2") -> dict[str, Any]:
    await publish_averages(now=NOW)
    (dwelling,) = (await portal.ask(ASK % arguments))["viewer"]["dwellings"]
    return dwelling["consumption"]["buildingAverage"]


async def test_the_average_of_five_homes_for_the_own_surface(
    claire: Any, home: Any, neighbours: Neighbours
) -> None:
    """31 days at 100 litres for 40 square metres are 3.88 m3 for 50; the month in progress has none."""
    await Dwelling.all().update(surface_m2="50")
    await neighbours([80, 90, 100, 110, 120])
    await home.consume(WATER, date(2026, 10, 1), date(2026, 10, 30), daily=125)
    found = await average(claire)
    assert (Decimal(found["surfaceM2"]), found["amounts"]) == (50, ["3.88", None])
    assert (found["scopes"], found["homes"]) == (["RESIDENCE", None], [5, None])
    assert (found["reasons"], found["percents"]) == ([None, "IN_PROGRESS"], [None, None])
    await home.consume(WATER, date(2026, 10, 31), date(2026, 10, 31), daily=125)
    found = await average(claire)  # by surface the own home used as much as the others
    assert (found["amounts"], found["percents"]) == (["3.88", None], [0, None])


async def test_a_figure_is_published_once(claire: Any, home: Any, neighbours: Neighbours) -> None:
    """Three days after the month. A home that is corrected later, or joins, would show in the difference."""
    await Dwelling.all().update(surface_m2="40")
    await neighbours([100] * 5)
    early = datetime(2026, 11, 3, 12, tzinfo=UTC)
    assert await publish_averages(now=early) == 21  # the months of 2025, and nine of 2026
    assert (await publish_averages(now=early), await publish_averages(now=NOW)) == (0, 1)
    before = await average(claire)
    assert before["amounts"][0] == "3.10"
    await neighbours([250])
    await home.consume(WATER, date(2026, 10, 1), date(2026, 10, 31), daily=10)
    assert await average(claire) == before | {"percents": [-90, None]}
    claire.clock.now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    await claire.sign_in()
    (dwelling,) = (await claire.ask(ASK % "last: 2"))["viewer"]["dwellings"]
    assert dwelling["consumption"]["buildingAverage"]["reasons"] == ["IN_PROGRESS", "IN_PROGRESS"]


@pytest.mark.parametrize(
    ("homes", "surface", "arguments", "reason"),
    [
        ([100] * 3, "50", 'last: 1, until: "2026-10-05"', "TOO_FEW_DWELLINGS"),
        ([100] * 4, "50", 'last: 1, until: "2026-10-05"', None),
        ([100, 0, 0, 0, 0, 0], "50", 'last: 1, until: "2025-10-05"', "TOO_FEW_DWELLINGS"),
        ([100] * 9, None, 'last: 1, until: "2026-10-05"', "NO_SURFACE"),
        ([100] * 9, "50", "resolution: DAILY, last: 1", "NOT_FOR_RESOLUTION"),
        ([100] * 9, "50", "resolution: WEEKLY, last: 1", "NOT_FOR_RESOLUTION"),
        ([100] * 9, "50", "resolution: HOURLY, last: 1", "NOT_FOR_RESOLUTION"),
        ([100] * 9, "50", "resolution: YEARLY, last: 1", "IN_PROGRESS"),
    ],
)
async def test_why_there_is_no_average(
    claire: Any,
    home: Any,
    neighbours: Neighbours,
    homes: list[int],
    surface: str | None,
    arguments: str,
    reason: str | None,
) -> None:
    """Fewer than five homes, the own one counted, are too few; so are six of which one used everything."""
    await Dwelling.all().update(surface_m2=surface)
    await neighbours(homes)
    await home.consume(WATER, date(2026, 10, 1), date(2026, 10, 31), daily=100)
    found = await average(claire, arguments)
    assert found["reasons"] == [reason]
    assert (found["amounts"] == [None]) == (reason is not None)


async def test_a_surface_of_nothing_is_none(claire: Any, home: Any, neighbours: Neighbours) -> None:
    """Homes whose surface was entered as 0 take no part, and one's own is not known then."""
    await Dwelling.all().update(surface_m2="50")
    await neighbours([100] * 5)
    await Dwelling.filter(number__startswith="N").update(surface_m2="0")
    assert (await average(claire))["reasons"][0] == "TOO_FEW_DWELLINGS"
    await AveragePublication.all().delete()
    await Dwelling.all().update(surface_m2="0")
    assert (await average(claire))["reasons"][0] == "NO_SURFACE"


async def test_a_year_is_the_sum_of_its_months(claire: Any, home: Any, neighbours: Neighbours) -> None:
    """A home that joined in July is in six of them: no figure of the year is there to subtract from."""
    await Dwelling.all().update(surface_m2="40")
    await neighbours([100] * 5)
    await neighbours([200], first=date(2025, 7, 1))
    months = await average(claire, 'last: 12, until: "2025-12-31"')
    year = await average(claire, 'resolution: YEARLY, last: 1, until: "2025-12-31"')
    assert months["amounts"][:2] == ["3.10", "2.80"]
    assert months["amounts"][6] == "3.62"
    assert year["amounts"] == ["39.6"]  # 181 days at 100 litres, 184 at 116.7 (exactly 39.567 m3)
    assert (year["homes"], set(months["homes"])) == ([5], {5})
    billed = await average(claire, 'resolution: BILLING_PERIOD, last: 1, until: "2025-12-31"')
    assert billed["amounts"] == year["amounts"]


async def test_one_statement_for_all_averages(
    claire: Any, home: Any, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Session, homes, days, and the homes of the residence, however many series and months."""
    await Dwelling.all().update(surface_m2="40")
    await neighbours([100] * 5)
    fields = """a: consumption(fluid: COLD_WATER) { buildingAverage { amounts } }
        b: consumption(fluid: HEAT, resolution: YEARLY) { buildingAverage { amounts } }"""
    query = f"{{ viewer {{ dwellings {{ {fields} }} }} }}"
    await claire.ask(query)
    with watched(monkeypatch) as work:
        await claire.ask(query)
    assert len(work.statements) == 3, work.statements
