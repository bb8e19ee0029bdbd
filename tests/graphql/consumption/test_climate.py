"""`climateCorrected` of a series, by the degree days that the operator imported."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.access import SYSTEM
from core.models import DegreeDay, Residence
from core.services.portfolio.portfolio_import import ListsRefused
from core.services.portfolio.rate_lists import import_degree_days
from submeter.imports.rates import degree_days_of
from submeter.imports.tables import tables_of
from tests.graphql.conftest import HEAT
from tests.support.factories import NOW

ASK = """{ viewer { dwellings { consumption(fluid: %s, %s) { amounts climateCorrected { station source
    baseCelsius referenceYears amounts degreeDays usualDegreeDays reasons } } } } }"""
HEADER = "station;jour;DJU;température de base;source\n"


@pytest.fixture
def take(tmp_path: Path) -> Any:
    async def of(text: str) -> None:
        path = tmp_path / "dju.csv"
        path.write_text(text, encoding="utf-8")
        await import_degree_days(SYSTEM, degree_days_of(tables_of(path)))

    return of


def weather(first: date, last: date, degree_days: str, station: str = "LYON-BRON") -> str:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return "".join(f"{station};{day:%d/%m/%Y};{degree_days};18;Météo-France\n" for day in days)


async def corrected(portal: Any, arguments: str, fluid: str = "HEAT") -> dict[str, Any]:
    (dwelling,) = (await portal.ask(ASK % (fluid, arguments)))["viewer"]["dwellings"]
    return dwelling["consumption"]["climateCorrected"]


async def test_heating_is_corrected_by_the_stations_degree_days(claire: Any, home: Any, take: Any) -> None:
    """A January with half more degree days than usual: two thirds of what was used."""
    await home.consume(HEAT, date(2025, 1, 1), NOW.date() - timedelta(days=1), daily=30_000)
    arguments = 'last: 2, until: "2026-02-01"'
    assert (await corrected(claire, arguments))["reasons"] == ["NO_STATION"] * 2
    await Residence.all().update(weather_station="LYON-BRON")
    assert (await corrected(claire, arguments))["reasons"] == ["NO_DEGREE_DAYS"] * 2
    text = HEADER + weather(date(2025, 1, 1), date(2025, 12, 31), "10,0")
    await take(text + weather(date(2026, 1, 1), date(2026, 2, 27), "15"))
    found = await corrected(claire, arguments)
    assert found == {
        "station": "LYON-BRON",
        "source": "Météo-France",
        "baseCelsius": found["baseCelsius"],
        "referenceYears": [2025],
        "amounts": ["620.000", None],
        "degreeDays": ["465.00", None],
        "usualDegreeDays": ["310.00", "280.00"],
        "reasons": [None, "NO_DEGREE_DAYS"],
    }
    assert (await corrected(claire, arguments, "COLD_WATER"))["reasons"] == ["NOT_HEATING"] * 2
    days = await corrected(claire, "resolution: DAILY, last: 1")
    assert (days["reasons"], days["station"]) == (["NOT_FOR_RESOLUTION"], None)
    assert (await corrected(claire, "last: 1"))["reasons"] == ["INCOMPLETE"]


async def test_last_year_in_this_years_weather(claire: Any, home: Any, take: Any) -> None:
    """A January a fifth colder and a tenth less used: last year's would have been a fifth more."""
    await Residence.all().update(weather_station="LYON-BRON")
    await home.consume(HEAT, date(2025, 1, 1), date(2025, 12, 31), daily=30_000)
    await home.consume(HEAT, date(2026, 1, 1), NOW.date() - timedelta(days=1), daily=27_000)
    text = HEADER + weather(date(2025, 1, 1), date(2025, 12, 31), "10,0")
    await take(text + weather(date(2026, 1, 1), date(2026, 1, 31), "12"))
    query = """{ viewer { dwellings { consumption(fluid: %s, last: 2, until: "2026-02-01") {
        comparison { amounts percents inOwnWeather { amounts percents reasons } } } } } }"""
    (dwelling,) = (await claire.ask(query % "HEAT"))["viewer"]["dwellings"]
    found = dwelling["consumption"]["comparison"]
    assert (found["amounts"], found["percents"]) == (["930.000", "840.000"], ["-10.0", "-10.0"])
    assert found["inOwnWeather"] == {
        "amounts": ["1116.000", None],
        "percents": ["-25.0", None],
        "reasons": [None, "NO_DEGREE_DAYS"],
    }
    (dwelling,) = (await claire.ask(query % "COLD_WATER"))["viewer"]["dwellings"]
    assert dwelling["consumption"]["comparison"]["inOwnWeather"]["reasons"] == ["NOT_HEATING"] * 2
    await Residence.all().update(weather_station=None)
    (dwelling,) = (await claire.ask(query % "HEAT"))["viewer"]["dwellings"]
    assert dwelling["consumption"]["comparison"]["inOwnWeather"]["reasons"] == ["NO_STATION"] * 2


async def test_degree_days_are_imported_all_or_none(take: Any, application: Any) -> None:
    """Again they change nothing; a day that was wrong is entered again; another base is refused."""
    text = HEADER + weather(date(2026, 1, 1), date(2026, 1, 3), "10,5")
    for _ in range(2):
        await take(text)
    assert await DegreeDay.all().count() == 3
    await take(HEADER + "LYON-BRON;02/01/2026;11,5;18;Météo-France\n")
    assert [str(row.degree_days).rstrip("0") for row in await DegreeDay.all().order_by("day")] == [
        "10.5",
        "11.5",
        "10.5",
    ]
    for line, column in (
        ("LYON-BRON;04/01/2026;11;17;Météo-France", "base_celsius"),
        ("LYON-BRON;04/01/2026;-1;18;Météo-France", "degree_days"),
        ("LYON-BRON;32/01/2026;1;18;Météo-France", "day"),
        (";04/01/2026;1;18;Météo-France", "station"),
        ("LYON-BRON;04/01/2026;1;18;", "source"),
    ):
        with pytest.raises(ListsRefused) as refused:
            await take(f"{HEADER}NICE;01/01/2026;1;18;Météo-France\n{line}\n")
        assert [fault.column for fault in refused.value.faults] == [column]
    assert await DegreeDay.all().count() == 3
