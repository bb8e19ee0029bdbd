"""Alerts: the number in the banner, the active ones with the guide's figures, the history by pages."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.consumption.fluids import Fluid
from core.models import Alert, LeakEpisode, Meter, Occupancy, Residence
from core.models import AlertKind as Kind
from tests.support.factories import NOW

TODAY = NOW.date()

WATER = "H8CA029620"
HOME = "{ viewer { dwellings { %s } } }"
PAST = """query ($first: Int!, $after: String) {
  viewer { dwellings { pastAlerts(first: $first, after: $after) {
  totalCount
  edges { node { id title period lossM3 meanFlowLph fluid meterSerial level } }
  pageInfo { hasNextPage hasPreviousPage endCursor }
} } } }"""


async def leak(
    meter_id: int,
    started_on: date,
    ended_on: date | None = None,
    *,
    level: int = 1,
    loss: str | None = None,
    mean: str | None = None,
    over_range: bool = False,
) -> None:
    """A leak of the dwelling as leak detection would have stored it."""
    episode = await LeakEpisode.create(
        meter_id=meter_id,
        started_on=started_on,
        ended_on=ended_on,
        level_at_opening=level,
        level_now=level,
        level_max=level,
        over_range=over_range,
        q_min_at_opening_lph=Decimal("4.1250"),
        loss_litres=None if loss is None else Decimal(loss),
        mean_flow_lph=None if mean is None else Decimal(mean),
        counted_days=1,
        segments=[
            {
                "started_on": started_on.isoformat(),
                "ended_on": ended_on.isoformat() if ended_on else None,
                "level": level,
                "reason": "OPENED",
            }
        ],
        judged_at=NOW,
    )
    await episode.fetch_related("meter")
    await Alert.create(
        alert_key=f"leak:{meter_id}:{started_on}",
        kind=Kind.LEAK,
        dwelling_id=episode.meter.dwelling_id,
        fluid=Fluid.COLD_WATER,
        episode_id=episode.id,
        started_on=started_on,
        ended_on=ended_on,
        raised_at=NOW,
    )


async def dwelling(portal: Any, fields: str) -> dict[str, Any]:
    (found,) = (await portal.ask(HOME % fields))["viewer"]["dwellings"]
    return found


@pytest.mark.requirement(
    "R-080", "R-081", "R-083", "R-084", "R-085", "R-086", "R-087", "R-093", "R-094", "C-28"
)
async def test_active_alerts_read_as_in_the_guide(claire: Any, home: Any) -> None:
    """Two leaks of one meter have title, meter, loss and mean flow of the guide's screen."""
    claire.clock.now = NOW.replace(year=2022, month=9, day=7)
    await move_in_early(home)
    await leak(home.meters[WATER], date(2022, 9, 5), loss="121.00", mean="1.7143")
    await leak(home.meters[WATER], date(2022, 3, 11), loss="13275.00", mean="3.9450")
    await home.read(WATER, [(claire.clock.now, 1_000)])
    claire.token = None
    await claire.sign_in()
    fields = """activeAlertCount activeAlerts {
      kind fluid level levelMax overRange startedOn endedOn durationDays stale lossLitres lossM3 lossCost
      projection { m3 cost } meanFlowLph
      minimumFlowAtOpeningLph meterSerial amount { value } threshold { value } period
      title label: meterLabel equivalent titleEn: title(language: EN) equivalentEn: equivalent(language: EN)
    }"""
    found = await dwelling(claire, fields)
    assert found["activeAlertCount"] == 2
    assert found["activeAlerts"][0] == {
        "kind": "LEAK",
        "fluid": "COLD_WATER",
        "level": 1,
        "levelMax": 1,
        "overRange": False,
        "startedOn": "2022-03-11",
        "endedOn": None,
        "durationDays": 180,
        "stale": False,
        "lossLitres": "13275.00",
        "lossM3": "13.28",
        "lossCost": None,
        "projection": {"m3": "35", "cost": None},
        "meanFlowLph": "3.95",
        "minimumFlowAtOpeningLph": "4.13",
        "meterSerial": WATER,
        "amount": None,
        "threshold": None,
        "period": None,
        "title": "Alerte fuite niveau 1 depuis le 11/03/2022 (6 mois)",
        "label": "Eau froide n°H8CA029620",
        "equivalent": "goutte à goutte",
        "titleEn": "Level 1 leak alert since 11 March 2022 (6 months)",
        "equivalentEn": "dripping",
    }
    assert found["activeAlerts"][1]["title"] == "Alerte fuite niveau 1 depuis le 05/09/2022 (2 jours)"
    assert (found["activeAlerts"][1]["lossM3"], found["activeAlerts"][1]["meanFlowLph"]) == ("0.12", "1.71")


@pytest.mark.requirement("R-082")
async def test_the_banner_and_the_menu_lead_to_the_same_alerts(claire: Any, home: Any) -> None:
    """The banner's count, on the dashboard, is that of the alerts behind it; the menu has these and those
    that have ended. An alert that the resident has dismissed leaves the banner and remains in the menu.
    """
    await leak(home.meters[WATER], TODAY - timedelta(days=3), loss="400.00", mean="5.9000")
    await leak(home.meters[WATER], TODAY - timedelta(days=40), TODAY - timedelta(days=30), loss="120.00")
    banner, behind = "activeAlertCount dashboard { fluid }", "activeAlertCount activeAlerts { id }"
    menu = "activeAlerts { id } pastAlerts { totalCount edges { node { id } } }"
    assert (await dwelling(claire, banner))["activeAlertCount"] == 1
    (shown,) = (await dwelling(claire, behind))["activeAlerts"]
    listed = await dwelling(claire, menu)
    assert listed["activeAlerts"] == [shown]
    assert listed["pastAlerts"]["totalCount"] == 1
    assert listed["pastAlerts"]["edges"][0]["node"] != shown
    dismiss = """mutation ($id: ID!) { dismissAlert(input: {id: $id, reason: WATERING}) { __typename } }"""
    await claire.ask(dismiss, id=shown["id"])
    after = await dwelling(claire, behind)
    assert (after["activeAlertCount"], after["activeAlerts"]) == (0, [shown])


MONEY = "lossLitres lossM3 lossCost projection { m3 cost }"


@pytest.mark.requirement("R-085", "C-25")
async def test_a_leak_has_its_cost(claire: Any, home: Any) -> None:
    """The loss in euros; a projection while it runs; and null, not 0, for an unknown figure."""
    claire.clock.now = NOW.replace(year=2022, month=9, day=7)
    await move_in_early(home)
    await Residence.all().update(water_price_eur_per_m3=Decimal("4.52"))
    await leak(home.meters[WATER], date(2022, 3, 11), loss="13275.00", mean="3.9450")
    await leak(home.meters[WATER], date(2022, 9, 5))
    await leak(home.meters[WATER], date(2022, 1, 3), date(2022, 1, 9), loss="600.00", mean="4.1667")
    await home.read(WATER, [(claire.clock.now, 1_000)])
    claire.token = None
    await claire.sign_in()
    past = f"pastAlerts {{ edges {{ node {{ {MONEY} }} }} }}"
    found = await dwelling(claire, f"residence {{ waterPrice }} activeAlerts {{ {MONEY} }} {past}")
    assert found["residence"]["waterPrice"] == "4.5200"
    known, unknown = found["activeAlerts"]
    assert known == {
        "lossLitres": "13275.00",
        "lossM3": "13.28",
        "lossCost": "60.00",
        "projection": {"m3": "35", "cost": "156.20"},
    }
    assert unknown == {"lossLitres": None, "lossM3": None, "lossCost": None, "projection": None}
    (ended,) = found["pastAlerts"]["edges"]
    assert ended["node"] == {"lossLitres": "600.00", "lossM3": "0.60", "lossCost": "2.71", "projection": None}


async def move_in_early(home: Any) -> None:
    await Occupancy.all().update(move_in=date(2020, 1, 1))


@pytest.mark.requirement("R-083", "R-092", "R-095", "R-096")
async def test_the_worst_comes_first(claire: Any, home: Any) -> None:
    """Levels 3, 2 and 1 come in this order, each with the flow it is compared to."""
    yesterday = NOW.date() - timedelta(days=1)
    for days, level in enumerate((2, 1, 3)):
        started_on = yesterday - timedelta(days=days)
        await leak(home.meters[WATER], started_on, level=level, over_range=level == 3)
    found = await dwelling(claire, "activeAlerts { level overRange equivalent }")
    assert found["activeAlerts"] == [
        {"level": 3, "overRange": True, "equivalent": "robinet ouvert"},
        {"level": 2, "overRange": False, "equivalent": "filet d'eau"},
        {"level": 1, "overRange": False, "equivalent": "goutte à goutte"},
    ]


@pytest.mark.requirement("R-080")
async def test_no_alert_gives_the_number_zero(claire: Any) -> None:
    """The number of alerts is known, so it is 0 where there is none."""
    found = await dwelling(
        claire, "activeAlertCount activeAlerts { id } pastAlerts { totalCount edges { cursor } }"
    )
    assert found == {"activeAlertCount": 0, "activeAlerts": [], "pastAlerts": {"totalCount": 0, "edges": []}}


@pytest.mark.requirement("R-088", "R-089", "R-090", "R-091")
async def test_the_history_comes_page_by_page(claire: Any, home: Any) -> None:
    """Of fifteen past alerts the newest ten come first, with the count of all; the cursor leads on."""
    start = date(2026, 1, 3)
    for week in range(15):
        day = start + timedelta(weeks=week)
        await leak(home.meters[WATER], day, day + timedelta(days=6), loss="8060.00", mean="4.0000")
    await leak(home.meters[WATER], NOW.date() - timedelta(days=1))
    first = (await claire.ask(PAST, first=10))["viewer"]["dwellings"][0]["pastAlerts"]
    assert first["totalCount"] == 15
    assert len(first["edges"]) == 10
    after = first["pageInfo"]["endCursor"]
    rest = (await claire.ask(PAST, first=10, after=after))["viewer"]["dwellings"][0]["pastAlerts"]
    assert (rest["totalCount"], rest["pageInfo"]["hasNextPage"]) == (15, False)
    everything = [edge["node"] for edge in (*first["edges"], *rest["edges"])]
    assert len({node["id"] for node in everything}) == 15
    del everything[-1]["id"]
    assert everything[-1] == {
        "title": "Alerte fuite niveau 1 du 03/01/2026 au 09/01/2026",
        "period": "Du 03/01/2026 au 09/01/2026",
        "lossM3": "8.06",
        "meanFlowLph": "4.00",
        "fluid": "COLD_WATER",
        "meterSerial": WATER,
        "level": 1,
    }


@pytest.mark.requirement("R-090")
async def test_an_unknown_loss_is_null(claire: Any, home: Any) -> None:
    """A loss and a flow that are not known are null, which is not 0 (C-25)."""
    await leak(home.meters[WATER], date(2026, 1, 3), date(2026, 1, 9))
    await leak(home.meters[WATER], date(2026, 1, 1), date(2026, 1, 2), loss="0", mean="0")
    past = (await claire.ask(PAST, first=2))["viewer"]["dwellings"][0]["pastAlerts"]
    figures = [(edge["node"]["lossM3"], edge["node"]["meanFlowLph"]) for edge in past["edges"]]
    assert figures == [(None, None), ("0.00", "0.00")]


@pytest.mark.requirement("R-193")
async def test_a_predecessors_leaks_show_from_the_move_in_on(claire: Any, home: Any) -> None:
    """Leaks from before the move-in come once each, page by page, from that day on and without loss."""
    for day in (1, 2, 3):
        await leak(home.meters[WATER], date(2024, 1, day), date(2024, 2, 10), loss="500.00", mean="5")
    await leak(home.meters[WATER], date(2023, 12, 1), date(2024, 2, 1), loss="500.00", mean="5")
    seen, after = [], None
    for _ in range(3):
        past = (await claire.ask(PAST, first=1, after=after))["viewer"]["dwellings"][0]["pastAlerts"]
        (edge,) = past["edges"]
        seen.append(edge["node"]["id"])
        assert (edge["node"]["period"], edge["node"]["lossM3"]) == ("Du 01/02/2024 au 10/02/2024", None)
        after = past["pageInfo"]["endCursor"]
    assert (len(set(seen)), past["totalCount"], past["pageInfo"]["hasNextPage"]) == (3, 3, False)


async def test_over_consumption_has_its_month(claire: Any, home: Any) -> None:
    """An over-consumption has its month, the amount and the threshold exceeded, and no level."""
    await Alert.create(
        alert_key="over-consumption:1",
        kind=Kind.OVER_CONSUMPTION,
        dwelling_id=(await dwelling_number(home)),
        fluid=Fluid.HOT_WATER,
        started_on=date(2026, 11, 1),
        ended_on=date(2026, 12, 1),
        amount=12_345,
        threshold=9_000,
        raised_at=NOW,
    )
    fields = """kind level title titleEn: title(language: EN) equivalent meterLabel meterSerial lossM3
      amount { value unit } threshold { smallest }"""
    found = await dwelling(claire, f"activeAlertCount activeAlerts {{ {fields} }}")
    assert found["activeAlertCount"] == 1
    assert found["activeAlerts"][0] == {
        "kind": "OVER_CONSUMPTION",
        "level": None,
        "title": "Surconsommation en novembre 2026 (eau chaude)",
        "titleEn": "Over-consumption in November 2026 (hot water)",
        "equivalent": None,
        "meterLabel": None,
        "meterSerial": None,
        "lossM3": None,
        "amount": {"value": "12.345", "unit": "CUBIC_METRE"},
        "threshold": {"smallest": 9_000},
    }


@pytest.mark.parametrize(
    ("kind", "french", "english"),
    [
        (Kind.BURST, "Alerte débit anormalement élevé", "Burst alert"),
        (Kind.BACKFLOW, "Alerte retour d'eau", "Backflow alert"),
        (Kind.DRY, "Alerte compteur sans eau", "Dry meter alert"),
        (Kind.TAMPER, "Alerte manipulation du compteur", "Meter tampering alert"),
        (Kind.NO_DATA, "Aucune nouvelle du compteur", "No news from the meter"),
    ],
)
async def test_a_condition_of_a_meter_reads_like_a_leak(
    claire: Any, home: Any, kind: Kind, french: str, english: str
) -> None:
    """It has its meter and first day, no level, and moves to the history with its period."""
    alert = await Alert.create(
        alert_key=f"{kind.value.lower()}:1:1",
        kind=kind,
        dwelling_id=(await dwelling_number(home)),
        fluid=Fluid.COLD_WATER,
        meter_id=home.meters[WATER],
        started_on=NOW.date() - timedelta(days=2),
        raised_at=NOW,
    )
    fields = "kind level title titleEn: title(language: EN) meterLabel period equivalent ownLimit"
    found = await dwelling(claire, f"activeAlertCount activeAlerts {{ {fields} workflow {{ possible }} }}")
    assert found["activeAlertCount"] == 1
    assert found["activeAlerts"][0] == {
        "kind": kind.value,
        "level": None,
        "title": f"{french} depuis le 20/11/2026 (2 jours)",
        "titleEn": f"{english} since 20 November 2026 (2 days)",
        "meterLabel": f"Eau froide n°{WATER}",
        "period": None,
        "equivalent": None,
        "ownLimit": None,
        "workflow": {"possible": ["ACKNOWLEDGED", "NOT_A_LEAK"]},
    }
    alert.ended_on = NOW.date()
    await alert.save()
    (edge,) = (await dwelling(claire, f"pastAlerts {{ edges {{ node {{ {fields} }} }} }}"))["pastAlerts"][
        "edges"
    ]
    assert edge["node"]["title"] == f"{french} du 20/11/2026 au 22/11/2026"
    assert edge["node"]["titleEn"] == f"{english} from 20 November 2026 to 22 November 2026"


async def test_a_burst_comes_before_the_worst_leak(claire: Any, home: Any) -> None:
    """It is the most urgent."""
    await leak(home.meters[WATER], NOW.date() - timedelta(days=3), level=3)
    await Alert.create(
        alert_key="burst:1:1",
        kind=Kind.BURST,
        dwelling_id=(await dwelling_number(home)),
        fluid=Fluid.COLD_WATER,
        meter_id=home.meters[WATER],
        started_on=NOW.date(),
        raised_at=NOW,
    )
    found = await dwelling(claire, "activeAlerts { kind }")
    assert [alert["kind"] for alert in found["activeAlerts"]] == ["BURST", "LEAK"]


async def dwelling_number(home: Any) -> int:
    return (await Meter.get(id=home.meters[WATER])).dwelling_id


@pytest.mark.parametrize(
    "after", ["x", "YWxlcnR8MjAyNi0wMS0wMXww", "YWxlcnR8MjAyNi0wMS0wMXw5OTk5OTk5OTk5OTk5OTk5OTk5OTk="]
)
async def test_a_forged_cursor_is_invalid(claire: Any, after: str) -> None:
    """What is no cursor of alerts is INVALID_INPUT: noise, number 0, and a number beyond 64 bits."""
    assert await claire.refusal(PAST, first=1, after=after) == {"code": "INVALID_INPUT", "field": "after"}
