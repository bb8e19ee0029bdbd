"""A move with everything open: a leak dismissed, a claim pending, a consent, a token, a second factor."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from core.access import NOBODY, SYSTEM, Role, Viewer
from core.access.sessions import TokenScope
from core.alerting.workflow import AlertStatus, KnownUse
from core.bootstrap import Application
from core.models import Account, Alert, AlertKind, ConsentRecord, Dwelling, Meter
from core.services.accounts.access_tokens import issue_token
from core.services.alerts.resident_alerts import active_alerts
from core.services.alerts.workflow import acknowledge, dismiss
from core.services.occupancy.consents import answer_consent
from core.services.occupancy.dwelling_request_views import list_dwelling_requests
from core.services.occupancy.dwelling_requests import decide
from core.services.occupancy.occupancies import leave_dwelling
from core.services.places.key_encryption import KeyEncryption
from tests.graphql.conftest import SettableClock
from tests.support.journey import DASHBOARD, DAYS, PASSWORD, SIGN_IN, PostBox, Resident, sign_up_with_ista
from tests.support.sign_up import NOW, Applicant, describe

A, B = "anne@example.org", "bruno@example.org"
MOVE = date(2026, 11, 16)
"""B's first day; A's last is the day before."""


async def viewer_of(email: str) -> Viewer:
    account = await Account.get(email_key=email)
    return Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id)


async def leaves_everything_open(application: Application, anne: Resident) -> Resident:
    """A's consent, dismissed alert, note, access token and second factor; answers the token's client."""
    viewer, dwelling = await viewer_of(A), await Dwelling.get(number="01")
    await answer_consent(application, viewer, dwelling.id, granted=True, visitor=NOBODY, now=NOW)
    meter = await Meter.get(printed_serial="542361525")
    alert = await Alert.create(
        alert_key="water runs back",
        kind=AlertKind.BACKFLOW,
        dwelling_id=dwelling.id,
        fluid=meter.fluid,
        meter_id=meter.id,
        started_on=date(2026, 11, 10),
        raised_at=NOW - timedelta(days=12),
    )
    await acknowledge(viewer, alert.id, note="Code de la porte : 4711", now=NOW)
    await dismiss(viewer, alert.id, reason=KnownUse.WATERING, snooze_days=90, now=NOW)
    scopes = [TokenScope.READ_DAILY, TokenScope.ALERTS]
    issued = await issue_token(application, viewer, name="Home", scopes=scopes, visitor=NOBODY, now=NOW)
    assert await anne.enrol_second_factor(NOW) == "READY"
    return Resident(anne.client, A, issued.token)


async def claims(client: httpx.AsyncClient, post: PostBox) -> Resident:
    applicant = Applicant(client, "ista")
    await applicant.start()
    await applicant.fill("serial", serial="542 361 524")
    await applicant.fill("attestation", attested=True, contested=True)
    await applicant.fill("profile", kind="TENANT", moveIn=MOVE.isoformat())
    await applicant.fill("options")
    await applicant.fill(
        "personalData",
        lastName="Petit",
        firstName="Bruno",
        email=B,
        password=PASSWORD,
        privacyAcknowledged=True,
    )
    await applicant.fill("verification", verificationCode=await post.code_for(B))
    bruno = Resident(client, B)
    await bruno.enter()
    return bruno


@pytest.mark.requirement("C-14", "CN-10", "EED-09")
@pytest.mark.parametrize("reported", ["by the claim alone", "afterwards by who left"])
async def test_nothing_crosses(
    client: httpx.AsyncClient,
    post: PostBox,
    key_encryption: KeyEncryption,
    clock: SettableClock,
    application: Application,
    reported: str,
) -> None:
    """Whether a manager grants the claim, or A enters the last day with the claim pending: A keeps the own
    days and nothing else, and B has none of A's consent, notes, dismissals, tokens or second factor.
    """
    await describe(key_encryption, "ista")
    anne = await sign_up_with_ista(client, post, A, move_in="2026-10-05")
    program = await leaves_everything_open(application, anne)
    bruno = await claims(client, post)
    assert (await bruno.ask(DASHBOARD))["viewer"]["dwellings"] == []
    dwelling = (await Dwelling.get(number="01")).id
    if reported != "by the claim alone":
        last_day, viewer = MOVE - timedelta(days=1), await viewer_of(A)
        await leave_dwelling(application, viewer, dwelling, last_day=last_day, visitor=NOBODY, now=NOW)
    (request,) = await list_dwelling_requests(SYSTEM, now=NOW)
    assert request.contested is (reported == "by the claim alone")
    await decide(application, SYSTEM, request.id, approved=True, now=NOW)

    his = await bruno.home()
    assert (his["visibleFrom"], his["visibleUntil"]) == (MOVE.isoformat(), None)
    assert his["consent"] == {"answer": "UNANSWERED"}
    assert [record.author_account_id for record in await ConsentRecord.all()] == [
        (await Account.get(email_key=A)).id
    ]
    (alert,) = await active_alerts(await viewer_of(B), dwelling, now=NOW)
    assert (alert.workflow.status, alert.workflow.actions) == (AlertStatus.OPEN, ())
    assert (await bruno.enter())["state"] == "READY"
    await _keeps_the_own_days(program, his["id"])
    anne.token = ""
    assert await anne.refusal(SIGN_IN, email=A, password=PASSWORD) == "MUST_VERIFY_SECOND_FACTOR"


async def _keeps_the_own_days(program: Resident, home: str) -> None:
    last = MOVE - timedelta(days=1)

    async def asked(day: date) -> dict[str, Any]:
        text = day.isoformat()
        return await program.body(DAYS, id=home, **{"from": text, "to": text})

    assert len((await asked(last))["data"]["dwelling"]["days"]) == 1
    later = await asked(MOVE)
    assert (later["data"]["dwelling"]["days"], "errors" in later) == ([], False)
