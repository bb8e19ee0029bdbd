"""Personal access tokens: what a program may read, and nothing else."""

from datetime import date, timedelta

import pyotp
import pytest

from core.access import Act, SessionState, TokenScope
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.errors import Conflict, Forbidden, InvalidInput, MustAcceptTerms, NotFound, Unauthenticated
from core.models import AccessToken, Account, Dwelling, Meter
from core.services.accounts.access_tokens import issue_token, my_tokens, revoke_token
from core.services.accounts.second_factor import begin_enrolment, confirm_enrolment
from core.services.alerts.resident_alerts import active_alerts
from core.services.auth.sessions import my_sessions, viewer_of_token
from core.services.consumption.consumption import daily_series, dashboard, monthly_series
from core.services.places.dwellings import my_dwellings
from core.services.places.meters import meters_by_dwelling, readings_of_meter
from tests.support import factories
from tests.support.factories import NOW, PASSWORD

MONTHLY, DAILY, ALERTS, _DOCUMENTS, _ANALYSES = TokenScope


@pytest.fixture
def issue(application, enter, visitor):
    """A token of Claire's."""

    async def token(*scopes, name="Home Assistant", viewer=None, **more):
        viewer = viewer or await enter()
        return await issue_token(
            application, viewer, name=name, scopes=scopes, visitor=visitor, now=NOW, **more
        )

    return token


@pytest.fixture
def program(application, issue):
    """The viewer of a token with these scopes."""

    async def viewer(*scopes):
        return await viewer_of_token(application, (await issue(*scopes)).token, now=NOW)

    return viewer


async def test_a_token_is_shown_once_and_listed(application, issue, enter, posted, audited) -> None:
    """With its scopes and its last use; the table has its hash, and the owner is notified by e-mail."""
    await factories.account()
    issued = await issue(DAILY, ALERTS, MONTHLY, DAILY, days=30)
    assert issued.token.startswith("smp_")
    assert issued.token not in repr(issued)
    assert issued.token not in repr([dict(row) for row in await AccessToken.all()])
    (view,) = await my_tokens(await enter())
    assert view == issued.view
    assert view.scopes == (ALERTS, DAILY, MONTHLY)
    assert (view.expires_at, view.last_used_at) == (NOW + timedelta(days=30), None)
    await viewer_of_token(application, issued.token, now=NOW)
    assert (await my_tokens(await enter()))[0].last_used_at == NOW
    assert len(await posted("token_issued")) == 1
    (entry,) = await audited(Act.TOKEN_ISSUED)
    assert entry.details == {"scopes": "alerts read:daily read:monthly"}


async def test_a_token_ends_at_its_expiry_or_when_revoked(application, issue, enter, visitor) -> None:
    """To the instant; only its owner can revoke it."""
    await factories.account()
    await factories.account(email="other@example.org")
    issued = await issue(MONTHLY, days=1)
    assert await viewer_of_token(application, issued.token, now=NOW + timedelta(hours=23))
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, issued.token, now=NOW + timedelta(days=1))
    with pytest.raises(NotFound):
        await revoke_token(await enter("other@example.org"), issued.view.id, visitor=visitor, now=NOW)
    await revoke_token(await enter(), issued.view.id, visitor=visitor, now=NOW)
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, issued.token, now=NOW)
    assert await my_tokens(await enter()) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"days": 0}, "days"),
        ({"days": 731}, "days"),
        ({}, "scopes"),
    ],
)
async def test_a_token_requires_a_name_a_scope_and_a_valid_lifetime(issue, wrong, field) -> None:
    """The argument at fault is named."""
    await factories.account()
    with pytest.raises(InvalidInput) as refused:
        await issue(*([MONTHLY] if wrong else []), **wrong)
    assert refused.value.field == field


async def test_tokens_are_twenty_at_most(issue, enter) -> None:
    """Then one must be revoked before the next is issued."""
    await factories.account()
    viewer = await enter()
    for _ in range(20):
        await issue(MONTHLY, viewer=viewer)
    with pytest.raises(Conflict):
        await issue(MONTHLY, viewer=viewer)


async def test_a_token_works_beside_two_factor_sign_in(application, enter, issue, visitor) -> None:
    """A program cannot give a second factor (P10)."""
    await factories.account()
    viewer = await enter()
    begun = await begin_enrolment(application, viewer, PASSWORD, now=NOW)
    code = pyotp.TOTP(begun.secret).at(NOW)
    enrolled = await confirm_enrolment(application, viewer, code, visitor=visitor, now=NOW)
    issued = await issue(MONTHLY, viewer=enrolled.session.viewer)
    assert (await viewer_of_token(application, issued.token, now=NOW)).state is SessionState.READY


@pytest.mark.requirement("C-38", "R-062")
async def test_new_terms_suspend_a_token_too(application, issue) -> None:
    """Until its owner has accepted them; a disabled account's token is refused."""
    await factories.account()
    issued = await issue(MONTHLY)
    await Account.all().update(terms_version="2025-01")
    with pytest.raises(MustAcceptTerms):
        await my_dwellings(await viewer_of_token(application, issued.token, now=NOW))
    await Account.all().update(disabled_at=NOW)
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, issued.token, now=NOW)


async def test_a_monthly_token_sees_no_day(key_encryption, program) -> None:
    """Neither by day, nor by index, nor from the growth of the month in progress."""
    await factories.residence(key_encryption, factories.meter())
    dwelling, meter = (await Dwelling.get()).id, (await Meter.get()).id
    viewer = await program(MONTHLY)
    assert len(await my_dwellings(viewer)) == 1
    points = await monthly_series(viewer, dwelling, Fluid.COLD_WATER, now=NOW)
    assert points[-1].month == Month.of(date(2026, 11, 22))
    assert (points[-1].amount, points[-1].quality, points[-1].days_with_data) == (None, None, 0)
    for question in (
        daily_series(viewer, dwelling, Fluid.COLD_WATER, now=NOW),
        dashboard(viewer, dwelling, now=NOW),
        meters_by_dwelling(viewer, [dwelling]),
        readings_of_meter(
            viewer, meter, first=10, after=None, newest_first=True, read_from=None, read_to=None
        ),
        active_alerts(viewer, dwelling, now=NOW),
        my_sessions(viewer, now=NOW),
        my_tokens(viewer),
    ):
        with pytest.raises(Forbidden):
            await question


async def test_a_daily_token_sees_days_and_no_alerts(key_encryption, program) -> None:
    """An alerts token sees alerts and no figure."""
    await factories.residence(key_encryption, factories.meter())
    dwelling = (await Dwelling.get()).id
    daily, alerts = await program(DAILY), await program(ALERTS)
    assert await daily_series(daily, dwelling, Fluid.COLD_WATER, now=NOW)
    assert await dashboard(daily, dwelling, now=NOW)
    with pytest.raises(Forbidden):
        await active_alerts(daily, dwelling, now=NOW)
    assert await active_alerts(alerts, dwelling, now=NOW) == []
    for question in (
        daily_series(alerts, dwelling, Fluid.COLD_WATER, now=NOW),
        monthly_series(alerts, dwelling, Fluid.COLD_WATER, now=NOW),
    ):
        with pytest.raises(Forbidden):
            await question


async def test_a_token_cannot_issue_a_token(issue, program) -> None:
    """Whatever its scopes, it changes nothing."""
    await factories.account()
    viewer = await program(MONTHLY, DAILY, ALERTS)
    with pytest.raises(Forbidden):
        await issue(MONTHLY, viewer=viewer)
