"""Residents move: A signs up and leaves, B signs up with the same meter, and neither sees the other's
days.
"""

from datetime import date, timedelta

import httpx
import pytest
from tortoise.transactions import in_transaction

from core.access import SYSTEM
from core.bootstrap import Application
from core.consumption import DayVolume, Quality
from core.models import Account, DwellingRequestKind, Meter, Occupancy
from core.services.occupancy.dwelling_request_views import list_dwelling_requests
from core.services.occupancy.dwelling_requests import decide
from core.services.places.key_encryption import KeyEncryption
from core.services.shared import time_series
from drivers.ista.profile import PROFILE as ISTA
from tests.graphql.conftest import SettableClock
from tests.support.journey import DASHBOARD, DAYS, PASSWORD, PostBox, Resident, sign_up_with_ista
from tests.support.sign_up import NOW, Applicant, describe

A, B = "anne@example.org", "bruno@example.org"
LEAVE = """mutation ($id: ID!, $day: Date!) {
  leaveDwelling(dwelling: $id, lastDay: $day) {
  ... on DwellingLeft { lastDay } ... on Refusal { code field } }
}"""
LAST_DAY = date(2026, 11, 15)


@pytest.fixture
async def water(key_encryption: KeyEncryption) -> None:
    """ista's dwelling; its cold water meter counted 100 litres a day since October."""
    await describe(key_encryption, "ista")
    meter = await Meter.get(printed_serial="542361525")
    days = [date(2026, 10, 1) + timedelta(days=offset) for offset in range(53)]
    async with in_transaction() as connection:
        rows = [(meter.id, DayVolume(day, 100, Quality.MEASURED)) for day in days]
        await time_series.replace_days(connection, [], rows)


async def _consumed(
    resident: Resident, home: dict[str, str], first: date, last: date
) -> dict[str, dict[str, int]]:
    """What a resident is shown: days with an amount, and months as (amount, days, complete)."""
    shown = (
        await resident.ask(
            DAYS,
            id=home["id"],
            **{
                "from": first.isoformat(),
                "to": last.isoformat(),
                "first": f"{first:%Y-%m}",
                "last": "2026-11",
            },
        )
    )["dwelling"]
    return {
        "days": {one["day"]: int(one["amount"]["smallest"]) for one in shown["days"] if one["amount"]},
        "months": {
            one["month"]: (
                one["amount"] and int(one["amount"]["smallest"]),
                one["daysWithData"],
                one["complete"],
            )
            for one in shown["months"]
        },
    }


@pytest.mark.requirement("R-139", "R-140", "C-12", "C-14", "C-15", "R-193")
async def test_neither_sees_the_others_days(
    client: httpx.AsyncClient, post: PostBox, water: None, clock: SettableClock
) -> None:
    """A keeps the own period, B begins after it; the month they share is whole for neither."""
    anne = await sign_up_with_ista(client, post, A, move_in="2026-10-05")
    home = await anne.home()
    await anne.ask(LEAVE, id=home["id"], day=LAST_DAY.isoformat())
    assert "votre départ" in (await post.mails_to(A))[-1]
    bruno = await sign_up_with_ista(client, post, B, move_in="2026-11-10")
    hers, his = await anne.home(), await bruno.home()
    assert (hers["visibleFrom"], hers["visibleUntil"]) == ("2026-10-05", "2026-11-15")
    assert (his["visibleFrom"], his["visibleUntil"]) == ("2026-11-16", None)

    seen = await _consumed(anne, hers, date(2026, 10, 5), LAST_DAY)
    assert (min(seen["days"]), max(seen["days"])) == ("2026-10-05", "2026-11-15")
    assert seen["months"] == {"2026-10": (2700, 27, False), "2026-11": (1500, 15, False)}
    seen = await _consumed(bruno, his, date(2026, 11, 16), date(2026, 11, 22))
    assert (min(seen["days"]), max(seen["days"])) == ("2026-11-16", "2026-11-22")
    assert seen["months"]["2026-11"] == (700, 7, False)
    for resident, day in ((anne, "2026-11-16"), (bruno, "2026-11-15")):
        assert (await resident.ask(DAYS, id=hers["id"], **{"from": day, "to": day}))["dwelling"]["days"] == []


@pytest.mark.requirement("C-12", "CN-10")
async def test_who_left_can_look_back_as_long_as_the_operator_allows(
    client: httpx.AsyncClient, post: PostBox, water: None, clock: SettableClock
) -> None:
    """Up to the last day of the profile's look-back the own period is shown, from the next on nothing."""
    anne = await sign_up_with_ista(client, post, A, move_in="2026-10-05")
    await anne.ask(LEAVE, id=(await anne.home())["id"], day=LAST_DAY.isoformat())
    ends = NOW.date() + ISTA.predecessor_access  # declared a week after the last day
    clock.now = NOW.replace(year=ends.year, month=ends.month, day=ends.day) - timedelta(days=1)
    await anne.enter()
    assert (await anne.home())["visibleUntil"] == "2026-11-15"
    clock.now += timedelta(days=1)
    assert (await anne.ask(DASHBOARD))["viewer"]["dwellings"] == []
    await anne.enter()
    assert (await anne.ask(DASHBOARD))["viewer"]["dwellings"] == []


@pytest.mark.requirement("C-12", "R-139")
async def test_who_left_registers_elsewhere_with_the_same_address(
    client: httpx.AsyncClient, post: PostBox, water: None
) -> None:
    """The address is free once its occupancy has ended: the account has a second dwelling, and old sessions
    end.
    """
    anne = await sign_up_with_ista(client, post, A, move_in="2026-10-05")
    await anne.ask(LEAVE, id=(await anne.home())["id"], day=LAST_DAY.isoformat())
    old = Resident(client, A, anne.token)
    moved = await sign_up_with_ista(client, post, A, move_in="2026-11-16", serial="542361599")
    dwellings = (await moved.ask(DASHBOARD))["viewer"]["dwellings"]
    assert [(one["number"], one["visibleUntil"]) for one in dwellings] == [("02", None), ("01", "2026-11-15")]
    assert await Account.all().count() == 1
    assert await old.refusal(DASHBOARD) == "UNAUTHENTICATED"


@pytest.mark.requirement("C-12", "R-140")
async def test_a_contested_dwelling(
    client: httpx.AsyncClient, post: PostBox, water: None, application: Application
) -> None:
    """B declares that A's account is another person's: a manager decides, A is notified and keeps the own
    period.
    """
    anne = await sign_up_with_ista(client, post, A, move_in="2026-10-05")
    bruno = await _contest(client, post, B)
    assert (await bruno.ask(DASHBOARD))["viewer"]["dwellings"] == []
    claimed, received = (await post.mails_to(A))[-1], (await post.mails_to(B))[-1]
    assert "Une personne déclare occuper" in claimed
    assert "Petit" not in claimed
    assert "est enregistrée" in received
    (dwelling_request,) = await list_dwelling_requests(SYSTEM, now=NOW)
    assert (dwelling_request.kind, dwelling_request.name, dwelling_request.residence_code) == (
        DwellingRequestKind.CONTESTED,
        "Bruno Petit",
        "50001369",
    )
    await decide(application, SYSTEM, dwelling_request.id, approved=True, now=NOW)
    assert (await bruno.home())["visibleFrom"] == "2026-11-10"
    assert (await anne.home())["visibleUntil"] == "2026-11-09"
    assert "Un nouvel occupant" in (await post.mails_to(A))[-1]
    assert "vérifié votre demande" in (await post.mails_to(B))[-1]


@pytest.mark.requirement("C-14", "C-15")
async def test_a_contest_takes_no_past_days_from_anybody(
    client: httpx.AsyncClient, post: PostBox, water: None, application: Application
) -> None:
    """With a move-in before A's, B gets the dwelling from today on; A keeps every day until then."""
    anne = await sign_up_with_ista(client, post, A, move_in="2026-10-05")
    bruno = await _contest(client, post, B, move_in="2024-01-01")
    (dwelling_request,) = await list_dwelling_requests(SYSTEM, now=NOW)
    await decide(application, SYSTEM, dwelling_request.id, approved=True, now=NOW)
    hers, his = await anne.home(), await bruno.home()
    assert (hers["visibleFrom"], hers["visibleUntil"]) == ("2026-10-05", "2026-11-21")
    assert his["visibleFrom"] == "2026-11-22"


async def test_a_contest_that_is_refused_changes_nothing(
    client: httpx.AsyncClient, post: PostBox, water: None, application: Application
) -> None:
    """A remains the occupant, B sees nothing and may register elsewhere."""
    anne = await sign_up_with_ista(client, post, A, move_in="2026-10-05")
    bruno = await _contest(client, post, B)
    (dwelling_request,) = await list_dwelling_requests(SYSTEM, now=NOW)
    await decide(application, SYSTEM, dwelling_request.id, approved=False, now=NOW)
    assert (await bruno.ask(DASHBOARD))["viewer"]["dwellings"] == []
    assert (await anne.home())["visibleUntil"] is None
    assert "n'a pas pu confirmer" in (await post.mails_to(B))[-1]
    assert "rien ne change pour vous" in (await post.mails_to(A))[-1]
    moved = await sign_up_with_ista(client, post, B, move_in="2026-11-10", serial="542361599")
    assert (await moved.home())["number"] == "02"
    assert await Occupancy.all().count() == 2


async def _contest(
    client: httpx.AsyncClient, post: PostBox, email: str, *, move_in: str = "2026-11-10"
) -> Resident:
    applicant = Applicant(client, "ista")
    await applicant.start()
    await applicant.fill("serial", serial="542 361 524")
    assert (await applicant.send("attestation", attested=True))["code"] == "DWELLING_ALREADY_REGISTERED"
    await applicant.fill("attestation", attested=True, contested=True)
    await applicant.fill("profile", kind="TENANT", moveIn=move_in)
    await applicant.fill("options")
    await applicant.fill(
        "personalData",
        lastName="Petit",
        firstName="Bruno",
        email=email,
        password=PASSWORD,
        privacyAcknowledged=True,
    )
    done = await applicant.fill("verification", verificationCode=await post.code_for(email))
    assert (done["step"], done["screen"]["title"]) == (
        "UNDER_REVIEW",
        "Votre demande est en cours de vérification",
    )
    resident = Resident(client, email)
    await resident.enter()
    return resident
