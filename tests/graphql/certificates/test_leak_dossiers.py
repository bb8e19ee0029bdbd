"""A leak's dossier: for the occupant whose leak it is; for the manager by that person's consent."""

import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from asn1crypto import x509

from core.access import SYSTEM, Act
from core.alerting.workflow import AlertActionKind, Party
from core.bootstrap import Application
from core.consumption.fluids import Fluid
from core.models import (
    Account,
    Alert,
    AlertAction,
    AlertKind,
    Channel,
    Dwelling,
    IssuedPaper,
    LeakEpisode,
    MessageState,
    Occupancy,
    OccupancyKind,
    OutboxMessage,
    Residence,
)
from core.services.shared.audit import acts_on
from graphql_schema.base.relay import global_id
from tests.graphql.alerts.test_alerts import leak
from tests.graphql.certificates.conftest import FILE, OPEN, fetched
from tests.graphql.conftest import WATER
from tests.graphql.dwellings.test_managed_home import consent
from tests.support import factories, seats
from tests.support.factories import NOW
from tests.support.signatures import is_genuine, text_of

TODAY = NOW.date()
BEGUN, ENDED = date(2026, 10, 31), date(2026, 11, 12)
DOSSIER = f"""mutation ($alert: ID!, $price: Decimal, $language: Language) {{
  issueLeakDossier(input: {{alert: $alert, priceEurPerM3: $price, language: $language}}) {{ {FILE} }} }}"""
Leaking = Callable[..., Awaitable[str]]


@pytest.fixture
def leaking(home: Any, trusted: x509.Certificate) -> Leaking:
    """A leak of the water meter: 100 litres a day before it, 400 during it, 90 after it."""

    async def found(begun: date = BEGUN, ended: date | None = ENDED) -> str:
        await home.consume(WATER, begun - timedelta(days=20), begun - timedelta(days=1), daily=100)
        last = TODAY - timedelta(days=1)
        await home.consume(WATER, begun, (ended or TODAY) - timedelta(days=1), daily=400)
        if ended is not None:
            await home.consume(WATER, ended, last, daily=90)
        await leak(home.meters[WATER], begun, ended, level=2, loss="3600.00", mean="12.5000")
        raised = datetime.combine(begun, NOW.timetz())
        await Alert.all().update(raised_at=raised)
        await LeakEpisode.all().update(detected_at=raised)
        return global_id("Alert", (await Alert.get()).id)

    return found


async def issue(portal: Any, alert: str, language: str = "FR", **more: Any) -> dict[str, Any]:
    answer = await portal.ask(DOSSIER, alert=alert, language=language, **more)
    found: dict[str, Any] = answer["issueLeakDossier"]
    return found


async def act(kind: AlertActionKind, at: datetime, **more: Any) -> None:
    party = Party.RESIDENT if kind is AlertActionKind.REPAIRED else Party.METER
    account = (await Account.get(email=seats.CLAIRE)).id if party is Party.RESIDENT else None
    await AlertAction.create(
        alert_id=(await Alert.get()).id, action=kind, party=party, account_id=account, done_at=at, **more
    )
    await Alert.all().update(last_action=kind)


@pytest.mark.requirement("WAR-03")
@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "FR",
            (
                *("Dossier de fuite", "Eau froide n°H8CA029620", "31/10/2026 (niveau 2 : filet d'eau)"),
                *("Occupant averti le 31/10/2026 à 10:31, par e-mail", "Un mois après 30/11/2026"),
                *("le 11/11/2026 à 15:00", "Joint <remplacé>", "réparation confirmée le 13/11/2026 à 15:00"),
                *("premier jour sans fuite le 12/11/2026", "3.60 m3 (débit moyen 12.5 L/h)"),
                *("15.12 €, au prix de l'eau de la résidence (4.20 € par m3", "31/10/2026 400 mesuré"),
                *("30/10/2026 100 mesuré", "12/11/2026 90 mesuré", "Cachet et signature"),
            ),
        ),
        (
            "EN",
            (
                *("Leak dossier", "Cold water no. H8CA029620", "31 October 2026 (level 2: trickle of water)"),
                *("31 October 2026 at 10:31, by e-mail", "One month later 30 November 2026"),
                *("on 11 November 2026 at 15:00", "repair confirmed on 13 November 2026 at 15:00"),
                *("first day without the leak 12 November 2026", "€15.12, at the residence's price of water"),
                *("2026-10-31 400 measured", "2026-11-12 90 measured", "Stamp and signature"),
            ),
        ),
    ],
)
async def test_what_stands_in_it(
    claire: Any, leaking: Leaking, trusted: x509.Certificate, language: str, expected: tuple[str, ...]
) -> None:
    """When it began, when the occupant was notified, the month after that by the calendar, the repair as
    reported, what the meter showed, loss and cost, litres by day, room for the plumber; signed, no name.
    """
    alert = await leaking()
    await Residence.all().update(water_price_eur_per_m3=Decimal("4.2000"))
    repaired = datetime.fromisoformat("2026-11-11T14:00:00+00:00")
    await act(AlertActionKind.REPAIRED, repaired, repaired_at=repaired, note="Joint <remplacé>")
    await act(AlertActionKind.VERIFIED, repaired + timedelta(days=2))
    await OutboxMessage.create(
        idempotency_key="leak", account_id=(await Account.get()).id, alert_id=(await Alert.get()).id,
        channel=Channel.EMAIL, template="leak_opened", language="fr", values={}, state=MessageState.SENT,
        created_at=NOW, sent_at=datetime.fromisoformat("2026-10-31T09:31:00+00:00"),
    )  # fmt: skip
    issued = await issue(claire, alert, language)
    content = await fetched(claire, issued)
    assert is_genuine(content, trusted, now=NOW)
    text = text_of(content)
    for part in (*expected, issued["paper"]["code"]):
        assert part in text, part
    assert "Claire" not in text
    paper = issued["paper"]
    assert (paper["kind"], paper["firstDay"], paper["lastDay"]) == (
        "LEAK_DOSSIER", "2026-10-31", "2026-11-11",
    )  # fmt: skip
    page = await claire.client.post(f"/verify/{paper['code']}", content=content)
    assert page.json()["matches"] is True


async def test_a_running_leak_without_a_price(claire: Any, leaking: Leaking) -> None:
    """It still flows, nobody repaired it, its cost is not stated; nor is the loss where it is not known."""
    alert = await leaking(ended=None)
    text = text_of(await fetched(claire, await issue(claire, alert)))
    for part in (
        "l'écoulement continu dure encore au 22/11/2026",
        "aucune réparation déclarée",
        "non chiffré : aucun prix de l'eau n'est connu",
        "Occupant averti le 31/10/2026 à 10:30, sur le portail",
    ):
        assert part in text, part
    await LeakEpisode.all().update(loss_litres=None, mean_flow_lph=None)
    text = text_of(await fetched(claire, await issue(claire, alert, price="4.5")))
    assert "non chiffré : la fuite s'étend hors de la période" in text
    assert "non chiffré : le volume perdu n'est pas connu" in text
    assert "0 m3 (débit" not in text


async def test_a_price_that_is_stated_is_named_as_such(claire: Any, leaking: Leaking) -> None:
    """It goes before the residence's; none, a negative one, and one that is a slip are refused."""
    alert = await leaking()
    await Residence.all().update(water_price_eur_per_m3=Decimal("4.2000"))
    text = text_of(await fetched(claire, await issue(claire, alert, price="5.00")))
    assert "18.00 €, au prix indiqué par le demandeur (5.00 € par m3)" in text
    for price in ("0", "-1", "100.01", "1e9"):
        refused = await issue(claire, alert, price=price)
        assert (refused["code"], refused["field"]) == ("INVALID_INPUT", "priceEurPerM3")


@pytest.mark.requirement("WAR-01")
async def test_the_volume_is_compared_with_earlier_years(claire: Any, leaking: Leaking, home: Any) -> None:
    """The home's twelve days of the leak, 4.80 m3, against the same days of the years that are known whole:
    of this occupancy, and with every day.
    """
    alert = await leaking()

    async def compared() -> str:
        text = text_of(await fetched(claire, await issue(claire, alert)))
        found = re.search(r"Volume anormal (.*?) Dernier jour d'un mois", text)
        assert found is not None
        return found[1]

    assert await compared() == (
        "non comparé : aucune des trois années précédentes n'est connue en entier pour cet occupant"
    )
    await home.consume(WATER, date(2025, 10, 31), date(2025, 11, 10), daily=100)
    assert "non comparé" in await compared()  # a day lacks
    await home.consume(WATER, date(2025, 11, 11), date(2025, 11, 11), daily=100)
    assert await compared() == (
        "4.80 m3 dans le logement pendant la fuite ; mêmes jours de la seule année précédente connue"
        " : 1.20 m3."
        " Le double, 2.40 m3, est dépassé."
    )
    await home.consume(WATER, date(2024, 10, 31), date(2024, 11, 11), daily=300)
    assert await compared() == (
        "4.80 m3 dans le logement pendant la fuite ; moyenne des mêmes jours des 2 années"
        " précédentes : 2.40 m3."
        " Le double de cette moyenne, 4.80 m3, n'est pas dépassé."
    )
    await home.consume(WATER, date(2023, 10, 31), date(2023, 11, 11), daily=1)
    assert "des 2 années" in await compared()  # before the move-in
    await Occupancy.all().update(move_in=date(2025, 1, 1))
    assert "la seule année" in await compared()


async def test_a_repair_that_did_not_hold_is_named_as_such(claire: Any, leaking: Leaking) -> None:
    """The meter's verdict stands beside the report."""
    alert = await leaking(ended=None)
    repaired = datetime.fromisoformat("2026-11-11T14:00:00+00:00")
    await act(AlertActionKind.REPAIRED, repaired, repaired_at=repaired)
    await act(AlertActionKind.RELAPSED, repaired + timedelta(days=2))
    text = text_of(await fetched(claire, await issue(claire, alert)))
    assert "l'écoulement continue après la réparation déclarée (constat du 13/11/2026 à 15:00)" in text


async def test_a_long_leak_shows_its_latest_year(claire: Any, leaking: Leaking) -> None:
    """And says that earlier days are left out."""
    alert = await leaking(begun=date(2025, 6, 1))
    text = text_of(await fetched(claire, await issue(claire, alert)))
    assert "Les 366 jours les plus récents" in text
    assert "01/06/2025 (niveau 2" in text
    assert "18/11/2026 90 mesuré" in text
    assert "17/11/2025" not in text


@pytest.mark.requirement("EED-09")
async def test_the_next_tenant_sees_own_days_alone(
    claire: Any, application: Application, leaking: Leaking, home: Any
) -> None:
    """A leak that goes on after a move: the newcomer's dossier begins with the move-in, without the days, the
    warning, the repair and the loss of before; one that ended before does not exist for the newcomer.
    """
    alert = await leaking(ended=None)
    repaired = datetime.fromisoformat("2026-11-05T14:00:00+00:00")
    await act(AlertActionKind.REPAIRED, repaired, repaired_at=repaired, note="par Claire")
    mine = await issue(claire, alert)
    await Occupancy.all().update(move_out=date(2026, 11, 15))
    number = await factories.account(email="luc@example.org", first_name="Luc")
    await Occupancy.create(
        dwelling_id=(await Dwelling.get()).id, account_id=number, kind=OccupancyKind.TENANT,
        move_in=date(2026, 11, 15),
    )  # fmt: skip
    hers = text_of(await fetched(claire, await issue(claire, alert)))
    assert "15/11/2026 400" not in hers
    assert "14/11/2026 400" in hers
    await seats.enter(claire, application, "luc@example.org")
    text = text_of(await fetched(claire, await issue(claire, alert)))
    assert "15/11/2026 (niveau 2" in text
    assert "Occupant averti le 15/11/2026" in text
    assert "aucune réparation déclarée" in text
    assert "non chiffré : la fuite s'étend hors de la période" in text
    assert "14/11/2026" not in text
    assert "Claire" not in text
    assert (await claire.ask(OPEN, code=mine["paper"]["code"]))["openIssuedPaper"]["code"] == "NOT_FOUND"
    await LeakEpisode.all().update(ended_on=date(2026, 11, 10))
    await Alert.all().update(ended_on=date(2026, 11, 10))
    assert (await issue(claire, alert))["code"] == "NOT_FOUND"


@pytest.mark.requirement("CN-01", "CN-07")
async def test_a_manager_has_it_by_the_occupants_consent(
    portal: Any, application: Application, leaking: Leaking
) -> None:
    """Without one none; with one a look that is recorded; once it is withdrawn the file is gone at once."""
    alert = await leaking()
    await seats.manager(portal, application)
    assert (await portal.refusal(DOSSIER, alert=alert))["code"] == "CONSENT_REQUIRED"
    await consent(application, granted=True)
    issued = await issue(portal, alert)
    assert "400 mesuré" in text_of(await fetched(portal, issued))
    assert [entry.details for entry in await acts_on(SYSTEM, act=Act.DATA_ACCESSED)] == [
        {"paper": "LEAK_DOSSIER"}
    ]
    await consent(application, granted=False)
    response = await portal.client.get(issued["url"])
    assert (response.status_code, response.json()["code"]) == (403, "CONSENT_REQUIRED")
    assert (await portal.refusal(OPEN, code=issued["paper"]["code"]))["code"] == "CONSENT_REQUIRED"


async def test_others_have_none(portal: Any, application: Application, leaking: Leaking) -> None:
    """Strangers, an owner who lives elsewhere, another residence's manager: no such alert; staff never."""
    alert = await leaking()
    await consent(application, granted=True)
    for seat in (
        lambda: seats.stranger(portal, application),
        lambda: seats.owner(portal, application),
        lambda: seats.manager(portal, application, residence=None),
    ):
        await seat()
        assert (await issue(portal, alert))["code"] == "NOT_FOUND"
    await seats.staff(portal, application)
    assert await portal.refusal(DOSSIER, alert=alert) == {"code": "FORBIDDEN"}
    assert await IssuedPaper.all().count() == 0


async def test_only_a_leak_of_water_has_one(claire: Any, leaking: Leaking) -> None:
    """Another kind of alert, or a number that is none, is refused."""
    alert = await leaking()
    await Alert.all().update(kind=AlertKind.TAMPER)
    assert (await issue(claire, alert))["code"] == "INVALID_INPUT"
    await Alert.all().update(kind=AlertKind.LEAK, fluid=Fluid.HEAT)
    assert (await issue(claire, alert))["code"] == "INVALID_INPUT"
    assert (await issue(claire, global_id("Alert", 987_654)))["code"] == "NOT_FOUND"
