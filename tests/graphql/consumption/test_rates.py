"""`cost` and `emissions` of a series, by what the operator imported."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.access import SYSTEM
from core.consumption.prices import FixedCharge
from core.models import EmissionFactor, Tariff
from core.services.portfolio.portfolio_import import ListsRefused
from core.services.portfolio.rate_lists import import_emission_factors, import_tariffs
from submeter.imports.rates import factors_of, tariffs_of
from submeter.imports.tables import tables_of
from tests.graphql.conftest import HEAT, WATER
from tests.support.attack import watched
from tests.support.factories import NOW

TODAY = NOW.date()
TARIFFS = """opérateur;résidence;fluide;valable à partir du;prix;abonnement;part fixe par;ttc
ocea;;eau froide;01/01/2025;4,52;;;
ocea;AA000;eau froide;01/11/2026;5,00;12,00;mois;oui
ocea;;chauffage;01/01/2026;0,09876;120;an;non
"""
FACTORS = """operator,residence,fluid,valid_from,grams_per_unit,source
ocea,,HEAT,2026-01-01,227,ADEME Base Empreinte 2026
"""
ASK = """{ viewer { dwellings { consumption(fluid: %s, %s) { amounts
    cost { currency amounts reasons total reason vatIncluded
      tariffs { validFrom ofResidence eurPerUnit fixedEur fixedPer vatIncluded } }
    emissions { kilograms reasons total reason factors { validFrom gramsPerUnit source } } } } } }"""


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Any]:
    def of(text: str) -> Any:
        path = tmp_path / "list.csv"
        path.write_text(text, encoding="utf-8")
        return tables_of(path)

    return of


async def asked(portal: Any, fluid: str, arguments: str) -> dict[str, Any]:
    (dwelling,) = (await portal.ask(ASK % (fluid, arguments)))["viewer"]["dwellings"]
    return dwelling["consumption"]


async def test_months_cost_what_the_tariffs_say(claire: Any, home: Any, table: Any) -> None:
    """October by the operator's price, November by the residence's: 2.1 m3 at 5.00 EUR, and 22 of 30 days of
    the 12.00 EUR a month.
    """
    await import_tariffs(SYSTEM, tariffs_of(table(TARIFFS)))
    await home.consume(WATER, date(2026, 10, 1), TODAY - timedelta(days=1), daily=100)
    found = (await asked(claire, "COLD_WATER", "last: 3"))["cost"]
    assert (found["currency"], found["amounts"]) == ("EUR", [None, "14.01", "19.30"])
    assert (found["reasons"], found["reason"]) == (["NO_DATA", None, None], None)
    assert (found["total"], found["vatIncluded"]) == ("33.31", None)
    assert [(one["validFrom"], one["ofResidence"], one["fixedPer"]) for one in found["tariffs"]] == [
        ("2025-01-01", False, None),
        ("2026-11-01", True, "MONTH"),
    ]


async def test_a_price_that_changes_within_a_month_shows_no_days(claire: Any, home: Any, table: Any) -> None:
    """Whoever may see months alone would learn from two prices and their sum what was used before the change:
    such a month has no cost for them; one under one price has.
    """
    changed = TARIFFS.replace("01/11/2026", "11/10/2026")
    await import_tariffs(SYSTEM, tariffs_of(table(changed)))
    await home.consume(WATER, date(2026, 9, 1), TODAY - timedelta(days=1), daily=100)
    token = """mutation { createAccessToken(name: "x", scopes: [READ_MONTHLY]) {
        ... on AccessTokenIssued { token } } }"""
    days = (await asked(claire, "COLD_WATER", "last: 3"))["cost"]
    claire.token = (await claire.ask(token))["createAccessToken"]["token"]
    months = (await asked(claire, "COLD_WATER", "last: 3"))["cost"]
    assert days["reasons"] == [None, None, None]
    assert months["reasons"] == [None, "NOT_FOR_RESOLUTION", "NO_DATA"]
    assert months["amounts"][0] == days["amounts"][0] is not None


async def test_without_a_tariff_there_is_no_cost(claire: Any, home: Any, table: Any) -> None:
    """And no carbon dioxide without a factor; the reason says so, and the total is never too low."""
    await home.consume(HEAT, date(2025, 12, 1), date(2026, 1, 31), daily=10_000)
    found = await asked(claire, "HEAT", 'last: 2, until: "2026-01-31"')
    assert (found["cost"]["reasons"], found["cost"]["reason"]) == (["NO_RATE"] * 2, "NO_RATE")
    assert (found["emissions"]["reasons"], found["emissions"]["total"]) == (["NO_RATE"] * 2, None)
    await import_tariffs(SYSTEM, tariffs_of(table(TARIFFS)))
    await import_emission_factors(SYSTEM, factors_of(table(FACTORS)))
    found = await asked(claire, "HEAT", 'last: 2, until: "2026-01-31"')
    assert found["cost"]["amounts"] == [None, "40.81"]
    assert (found["cost"]["total"], found["cost"]["reason"]) == (None, "NO_RATE")
    assert found["cost"]["vatIncluded"] is False
    assert found["emissions"]["kilograms"] == [None, "70.370"]
    assert found["emissions"]["factors"][0]["source"] == "ADEME Base Empreinte 2026"
    hours = await asked(claire, "HEAT", "resolution: HOURLY, last: 1")
    assert hours["cost"]["reasons"] == ["NOT_FOR_RESOLUTION"]


async def test_one_meter_has_no_fixed_part(claire: Any, home: Any, table: Any) -> None:
    """It is the dwelling's: two meters would pay it twice."""
    await import_tariffs(SYSTEM, tariffs_of(table(TARIFFS)))
    await home.consume(WATER, date(2026, 11, 1), date(2026, 11, 10), daily=100)
    fields = "meters { serial consumption(last: 1) { cost { amounts } } }"
    (dwelling,) = (await claire.ask(f"{{ viewer {{ dwellings {{ {fields} }} }} }}"))["viewer"]["dwellings"]
    found = {meter["serial"]: meter["consumption"]["cost"]["amounts"] for meter in dwelling["meters"]}
    assert found == {WATER: ["5.00"], HEAT: [None]}


async def test_the_same_list_twice_changes_nothing(home: Any, table: Any) -> None:
    """A figure that was wrong is entered again, with the same day: it replaces the one before."""
    for _ in range(2):
        await import_tariffs(SYSTEM, tariffs_of(table(TARIFFS)))
        await import_emission_factors(SYSTEM, factors_of(table(FACTORS)))
    assert (await Tariff.all().count(), await EmissionFactor.all().count()) == (3, 1)
    await import_tariffs(SYSTEM, tariffs_of(table(TARIFFS.replace("4,52", "4,53"))), dry_run=True)
    assert await Tariff.filter(eur_per_unit="4.53").count() == 0
    await import_tariffs(SYSTEM, tariffs_of(table(TARIFFS.replace("4,52", "4,53"))))
    assert await Tariff.all().count() == 3
    assert await Tariff.filter(eur_per_unit="4.53").count() == 1


@pytest.mark.parametrize(
    ("old", "new", "column", "reason"),
    [
        ("ocea;AA000", "ocea;AA00O", "residence", "did you mean 'AA000'?"),
        ("ocea;;chauffage", "oceo;;chauffage", "operator", "did you mean 'ocea'?"),
        ("5,00", "-5", "eur_per_unit", "must be 0 to 100"),
        ("5,00", "452", "eur_per_unit", "must be 0 to 100"),
        ("5,00", "1,2345678", "eur_per_unit", "5 decimals"),
        ("mois", "", "fixed_per", "of a MONTH or a YEAR"),
        ("mois", "semaine", "fixed_per", "must be one of"),
        ("01/11/2026", "31/02/2026", "valid_from", "no such day"),
        ("eau froide;01/11", "gaz;01/11", "fluid", "must be one of"),
        ("abonnement", "abonement", "abonement", "no such column"),
        (";AA000;eau froide;01/11/2026", ";;eau froide;01/01/2025", "valid_from", "the same as in line 2"),
    ],
)
async def test_every_cell_at_fault_is_named_and_nothing_is_written(
    home: Any, table: Any, old: str, new: str, column: str, reason: str
) -> None:
    """By its column, with the reason; the other lines are not written either."""
    with pytest.raises(ListsRefused) as refused:
        await import_tariffs(SYSTEM, tariffs_of(table(TARIFFS.replace(old, new, 1))))
    assert [(fault.column, reason in fault.reason) for fault in refused.value.faults] == [(column, True)]
    assert await Tariff.all().count() == 0


async def test_cells_that_cannot_be_read_hide_no_others(home: Any, table: Any) -> None:
    """An unreadable day and a wrong residence in a line, and a price too high elsewhere, are all named."""
    text = TARIFFS.replace("ocea;AA000;eau froide;01/11/2026", "ocea;AA00O;eau tiede;31/02/2026")
    with pytest.raises(ListsRefused) as refused:
        await import_tariffs(
            SYSTEM, tariffs_of(table(text.replace("0,09876", "452").replace("mois", "semaine")))
        )
    assert [(fault.at.line, fault.column) for fault in refused.value.faults] == [
        (3, "fixed_per"),
        (3, "fluid"),
        (3, "residence"),
        (3, "valid_from"),
        (4, "eur_per_unit"),
    ]


async def test_what_a_list_leaves_empty_remains(home: Any, table: Any) -> None:
    """A price that changes leaves the fixed part and whether VAT is included; so does a list without them."""
    await import_tariffs(SYSTEM, tariffs_of(table(TARIFFS)))
    key = "operator;residence;fluid;valid_from;eur_per_unit"
    for text in (
        f"{key};fixed_eur;fixed_per;vat_included\nocea;aa 000;eau froide;01/11/2026;6;;;\n",
        f"{key}\nocea;AA000;eau froide;01/11/2026;7\n",
    ):
        await import_tariffs(SYSTEM, tariffs_of(table(text)))
        row = await Tariff.get(residence__code="AA000")
        assert (row.fixed_eur, row.fixed_per, row.vat_included) == (12, FixedCharge.MONTH, True)
    assert row.eur_per_unit == 7


async def test_two_statements_for_all_costs_and_emissions(
    claire: Any, home: Any, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Session, homes and days; and one for all tariffs, one for all factors."""
    await import_tariffs(SYSTEM, tariffs_of(table(TARIFFS)))
    await home.consume(WATER, date(2026, 10, 1), TODAY - timedelta(days=1), daily=100)
    fields = " ".join(
        f"s{number}: consumption(fluid: {fluid}) {{ cost {{ total }} emissions {{ total }} }}"
        for number, fluid in enumerate(("COLD_WATER", "HEAT"))
    )
    query = f"{{ viewer {{ dwellings {{ {fields} }} }} }}"
    await claire.ask(query)
    with watched(monkeypatch) as work:
        await claire.ask(query)
    assert len(work.statements) == 4, work.statements
