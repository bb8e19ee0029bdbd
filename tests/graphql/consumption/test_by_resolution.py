"""`consumption(resolution, last, until)` of dwellings and meters."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from core.models import Meter, Residence
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import OccupancySpec
from tests.graphql.conftest import HEAT, WATER
from tests.support import factories
from tests.support.attack import watched
from tests.support.factories import NOW

TODAY = NOW.date()
HOME = "{ viewer { dwellings { %s } } }"
POINTS = "fluid resolution unit clippedFrom clippedUntil points { startsAt endsAt amount { value } quality }"
COLUMNS = "clippedFrom starts amounts qualities"


async def home_of(portal: Any, fields: str) -> dict[str, Any]:
    (dwelling,) = (await portal.ask(HOME % fields))["viewer"]["dwellings"]
    return dwelling


async def series(portal: Any, arguments: str, fields: str = COLUMNS) -> dict[str, Any]:
    asked = f"consumption(fluid: COLD_WATER, {arguments}) {{ {fields} }}"
    return (await home_of(portal, asked))["consumption"]


async def test_thirteen_months_by_default(claire: Any, home: Any) -> None:
    """The month in progress is the last and PARTIAL; a month without data is MISSING, in its place."""
    await home.consume(WATER, date(2026, 9, 1), date(2026, 9, 30), daily=100)
    await home.consume(WATER, date(2026, 11, 1), TODAY - timedelta(days=1), daily=100)
    found = (await home_of(claire, f"consumption(fluid: COLD_WATER) {{ {POINTS} }}"))["consumption"]
    assert (found["fluid"], found["resolution"], found["unit"]) == ("COLD_WATER", "MONTHLY", "CUBIC_METRE")
    assert (found["clippedFrom"], found["clippedUntil"]) == (None, None)
    assert [point["startsAt"][:7] for point in found["points"]] == [
        "2025-11",
        "2025-12",
        *(f"2026-{month:02d}" for month in range(1, 12)),
    ]
    assert found["points"][-3:] == [
        {
            "startsAt": "2026-09-01T00:00:00+02:00",
            "endsAt": "2026-10-01T00:00:00+02:00",
            "amount": {"value": "3.000"},
            "quality": "MEASURED",
        },
        {
            "startsAt": "2026-10-01T00:00:00+02:00",
            "endsAt": "2026-11-01T00:00:00+01:00",
            "amount": None,
            "quality": "MISSING",
        },
        {
            "startsAt": "2026-11-01T00:00:00+01:00",
            "endsAt": "2026-12-01T00:00:00+01:00",
            "amount": {"value": "2.100"},
            "quality": "PARTIAL",
        },
    ]


@pytest.mark.parametrize(
    ("arguments", "starts", "amounts"),
    [
        ("resolution: DAILY, last: 3", ["2026-11-20", "2026-11-21", "2026-11-22"], ["0.100", "0.100", None]),
        ("resolution: WEEKLY, last: 2", ["2026-11-09", "2026-11-16"], ["0.700", "0.600"]),
        ("resolution: YEARLY", ["2024-01-01", "2025-01-01", "2026-01-01"], [None, "36.500", "32.500"]),
        ('resolution: DAILY, last: 2, until: "2026-01-01"', ["2025-12-31", "2026-01-01"], ["0.100"] * 2),
        ('resolution: MONTHLY, last: 1, until: "2026-02-10"', ["2026-02-01"], ["2.800"]),
        ('resolution: WEEKLY, last: 1, until: "2026-11-10"', ["2026-11-09"], ["0.700"]),
        ('resolution: YEARLY, last: 1, until: "2025-03-01"', ["2025-01-01"], ["36.500"]),
        ('resolution: DAILY, last: 1, until: "2999-01-01"', ["2026-11-22"], [None]),
        ("resolution: BILLING_PERIOD, last: 2", ["2025-01-01", "2026-01-01"], ["36.500", "32.500"]),
    ],
)
async def test_each_resolution_adds_up_its_days(
    claire: Any, home: Any, arguments: str, starts: list[str], amounts: list[str | None]
) -> None:
    """Columns are as long as one another, and the value that `until` lies in is a whole one."""
    await home.consume(WATER, date(2025, 1, 1), TODAY - timedelta(days=1), daily=100)
    found = await series(claire, arguments)
    assert [start[:10] for start in found["starts"]] == starts
    assert found["amounts"] == amounts
    assert [quality == "MISSING" for quality in found["qualities"]] == [amount is None for amount in amounts]


async def test_a_billing_period_begins_on_the_day_that_the_operator_stated(claire: Any, home: Any) -> None:
    """From 1 July to 30 June of the next year, and the series says so; by default it is the calendar year."""
    await home.consume(WATER, date(2025, 1, 1), TODAY - timedelta(days=1), daily=100)
    fields = f"billingStartsOn {COLUMNS}"
    assert (await series(claire, "resolution: BILLING_PERIOD", fields))["billingStartsOn"] is None
    await Residence.all().update(billing_starts="07-01")
    found = await series(claire, "resolution: BILLING_PERIOD, last: 2", fields)
    assert found["billingStartsOn"] == "07-01"
    assert [start[:10] for start in found["starts"]] == ["2025-07-01", "2026-07-01"]
    assert (found["amounts"], found["qualities"]) == (["36.500", "14.400"], ["MEASURED", "PARTIAL"])


async def test_hours_follow_from_the_readings(claire: Any, home: Any) -> None:
    """Hours that are over, in the residence's clock; an hour without readings is null."""
    begin = NOW.replace(minute=0) - timedelta(hours=4)
    await home.read(WATER, [(begin + timedelta(hours=n), 1_000 + 10 * n) for n in (0, 1, 4)])
    found = await series(claire, "resolution: HOURLY, last: 4", POINTS)
    assert [point["startsAt"][11:] for point in found["points"]] == [
        f"{(begin + timedelta(hours=n + 1)).hour:02d}:00:00+01:00" for n in range(4)
    ]
    assert [point["amount"] and point["amount"]["value"] for point in found["points"]] == [
        "0.010",
        None,
        None,
        None,
    ]
    assert found["points"][0]["quality"] == "MEASURED"
    assert found["points"][0]["endsAt"] == found["points"][1]["startsAt"]


async def test_a_meter_has_its_own(claire: Any, home: Any) -> None:
    """Of one of the dwelling's meters, by day and by hour, in its own unit."""
    await home.consume(HEAT, TODAY - timedelta(days=1), TODAY - timedelta(days=1), daily=2_500)
    await home.consume(WATER, TODAY - timedelta(days=1), TODAY - timedelta(days=1), daily=100)
    begin = NOW.replace(minute=0) - timedelta(hours=2)
    await home.read(HEAT, [(begin, 1_000), (begin + timedelta(hours=1), 1_700)])
    asked = f"""meters {{ fluid serial
      days: consumption(resolution: DAILY, last: 2) {{ unit {COLUMNS} }}
      hours: consumption(resolution: HOURLY, last: 2) {{ amounts }} }}"""
    meters = {meter["serial"]: meter for meter in (await home_of(claire, asked))["meters"]}
    assert meters[HEAT]["days"]["unit"] == "KILOWATT_HOUR"
    assert meters[HEAT]["days"]["amounts"] == ["2.500", None]
    assert meters[HEAT]["hours"]["amounts"] == ["0.700", None]
    assert meters[WATER]["days"]["amounts"] == ["0.100", None]
    assert meters[WATER]["hours"]["amounts"] == [None, None]


@pytest.mark.requirement("EED-09", "C-15")
async def test_a_series_begins_at_the_move_in_and_says_so(
    portal: Any, key_encryption: KeyEncryption, data_of: Any
) -> None:
    """Nothing of the predecessor is in any value, whatever is asked for; `clippedFrom` is the move-in."""
    predecessor = OccupancySpec(move_in=date(2020, 1, 1), move_out=date(2026, 11, 10))
    spec = factories.meter(printed_serial=WATER)
    await factories.residence(key_encryption, spec, move_in=date(2026, 11, 10), predecessor=predecessor)
    home = await data_of()
    await home.consume(WATER, date(2026, 1, 1), date(2026, 11, 21), daily=100)
    midnight = datetime(2026, 11, 9, 23, tzinfo=UTC)
    await home.read(WATER, [(midnight + timedelta(hours=n), 1_000 + n) for n in range(-5, 6)])
    await portal.sign_in()
    months = await series(portal, "resolution: MONTHLY")
    assert (months["clippedFrom"], months["starts"]) == ("2026-11-10", ["2026-11-01T00:00:00+01:00"])
    assert (months["amounts"], months["qualities"]) == (["1.200"], ["PARTIAL"])
    assert (await series(portal, "resolution: YEARLY"))["amounts"] == ["1.200"]
    weeks = await series(portal, "resolution: WEEKLY, last: 5")
    assert (weeks["clippedFrom"], weeks["amounts"]) == ("2026-11-10", ["0.600", "0.600"])
    days = await series(portal, "resolution: DAILY, last: 400")
    assert (len(days["starts"]), days["starts"][0][:10]) == (13, "2026-11-10")
    hours = await series(portal, 'resolution: HOURLY, last: 30, until: "2026-11-10"')
    assert (hours["clippedFrom"], hours["starts"][0]) == ("2026-11-10", "2026-11-10T00:00:00+01:00")
    assert hours["amounts"][:6] == ["0.001"] * 5 + [None]
    before = await series(portal, 'resolution: DAILY, until: "2026-11-09"')
    assert before == {"clippedFrom": "2026-11-10", "starts": [], "amounts": [], "qualities": []}
    inside = await series(portal, "resolution: DAILY, last: 5")
    assert inside["clippedFrom"] is None


@pytest.mark.parametrize(
    ("arguments", "field"),
    [("last: 0", "last"), ("last: -13", "last"), ('until: "0001-01-01"', "until")],
)
async def test_what_is_no_series_is_refused_with_its_argument(
    claire: Any, arguments: str, field: str
) -> None:
    """INVALID_INPUT names the argument; a series that is too long is answered as long as may be."""
    asked = HOME % f"consumption(fluid: COLD_WATER, {arguments}) {{ starts }}"
    assert await claire.refusal(asked) == {"code": "INVALID_INPUT", "field": field}
    longest = await series(claire, "resolution: HOURLY, last: 2147483647")
    assert len(longest["starts"]) == 744


async def test_a_token_for_months_gets_no_day_and_no_month_in_progress(claire: Any, home: Any) -> None:
    """What is queried every day would disclose the days."""
    await home.consume(WATER, date(2026, 10, 1), TODAY - timedelta(days=1), daily=100)
    token = """mutation { createAccessToken(name: "x", scopes: [READ_MONTHLY]) {
        ... on AccessTokenIssued { token } } }"""
    claire.token = (await claire.ask(token))["createAccessToken"]["token"]
    assert (await series(claire, "last: 2"))["amounts"] == ["3.100", None]
    assert (await series(claire, "resolution: YEARLY, last: 1"))["amounts"] == [None]
    for day in ("2026-10-01", "2026-10-02", "2026-10-30"):
        assert (await series(claire, f'last: 1, until: "{day}"'))["amounts"] == ["3.100"]
    for day in ("2026-11-01", "2026-11-20"):
        assert (await series(claire, f'last: 1, until: "{day}"'))["amounts"] == [None]
    for resolution in ("HOURLY", "DAILY", "WEEKLY"):
        asked = HOME % f"consumption(fluid: COLD_WATER, resolution: {resolution}) {{ starts }}"
        assert await claire.refusal(asked) == {"code": "FORBIDDEN"}


async def test_no_series_of_another_home(
    claire: Any, key_encryption: KeyEncryption, application: Any
) -> None:
    """A meter that hangs elsewhere by now is not the viewer's."""
    meter = await Meter.get(printed_serial=WATER)
    node = "query ($id: ID!) { node(id: $id) { ... on Meter { consumption { starts } } } }"
    asked = await home_of(claire, "meters { id serial }")
    number = next(one["id"] for one in asked["meters"] if one["serial"] == WATER)
    assert len((await claire.ask(node, id=number))["node"]["consumption"]["starts"]) == 13
    meter.removed_at = datetime(2019, 1, 1, tzinfo=UTC)
    meter.installed_at = datetime(2018, 1, 1, tzinfo=UTC)
    await meter.save()
    assert (await claire.refusal(node, id=number))["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "statements"),
    [
        ("a: consumption(fluid: COLD_WATER) { amounts }", 2),
        (
            "a: consumption(fluid: COLD_WATER, last: 37) { amounts } b: consumption(fluid: HEAT) { amounts }",
            2,
        ),
        ("a: consumption(fluid: COLD_WATER, resolution: DAILY, last: 1098) { amounts }", 2),
        ("a: consumption(fluid: COLD_WATER, resolution: HOURLY, last: 744) { amounts }", 3),
        (
            """a: consumption(fluid: COLD_WATER, resolution: HOURLY) { amounts }
            b: consumption(fluid: HEAT, resolution: HOURLY) { amounts }
            c: consumption(fluid: HEAT, resolution: WEEKLY) { amounts }""",
            4,
        ),
    ],
)
async def test_the_statements_do_not_depend_on_how_long_or_how_many(
    claire: Any, home: Any, fields: str, statements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for the session with the homes, one for all days; two for all hours."""
    await home.consume(WATER, TODAY - timedelta(days=365), TODAY - timedelta(days=1), daily=310)
    await claire.ask(HOME % fields)
    with watched(monkeypatch) as work:
        await claire.ask(HOME % fields)
    assert len(work.statements) == statements, work.statements
