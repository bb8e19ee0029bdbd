"""Third parties: a token that reads what was granted, and nothing else, until it ends (EED-07)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.access import NOBODY, SYSTEM, Act, Permission, Role, Viewer
from core.access.codes import token_hash
from core.access.purposes import AccountPurpose
from core.consumption.fluids import Fluid
from core.consumption.resolutions import Resolution
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from core.models import Account, AccountConsent, ConsentState, Dwelling, Occupancy, ThirdPartyGrant
from core.services.auth.sessions import viewer_of_token
from core.services.consumption.by_resolution import ConsumptionAsked, consumptions
from core.services.privacy.grants import GrantAsked, IssuedGrant, issue_grant, my_grants, revoke_grant
from core.services.shared.audit import acts_on
from tests.services.privacy.conftest import READ_SINCE_OCTOBER
from tests.support.factories import NOW
from tests.support.servers.prepared import prepared_for

WATER, HEAT = Fluid.COLD_WATER, Fluid.HEAT
UNTIL = date(2027, 2, 1)
FIRST = date(2026, 10, 10)
COARSE = frozenset({Resolution.MONTHLY, Resolution.YEARLY, Resolution.BILLING_PERIOD})


prepared = prepared_for("claire", READ_SINCE_OCTOBER)


@pytest.fixture
async def claire(application) -> Viewer:
    """Since 1 October, with water read every hour for fifty days."""
    account = await Account.get(email="claire.martin@example.org")
    return Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id, asked_at=NOW)


async def _grant(
    application, claire: Viewer, resolution: Resolution = Resolution.DAILY, **changed: object
) -> IssuedGrant:
    given = {"fluids": [WATER], "last": UNTIL, "first": FIRST, **changed}
    asked = GrantAsked("Énergies & Cie", "hello@energies.example", resolution=resolution, **given)
    home = (await Dwelling.get()).id
    return await issue_grant(application, claire, home, asked, visitor=NOBODY, now=NOW)


async def _read(viewer: Viewer, resolution: Resolution, fluid: Fluid = WATER, last: int = 100):
    asked = ConsumptionAsked(resolution, last, fluid=fluid, dwelling_id=(await Dwelling.get()).id)
    (found,) = await consumptions(viewer, [asked], now=NOW)
    return found


@pytest.mark.requirement("EED-07")
@pytest.mark.parametrize(
    ("granted", "read"),
    [
        (Resolution.MONTHLY, COARSE),
        (
            Resolution.DAILY,
            {*COARSE, Resolution.DAILY, Resolution.WEEKLY},
        ),
        (Resolution.HOURLY, set(Resolution)),
    ],
)
async def test_a_token_reads_as_finely_as_was_granted(application, claire, granted, read) -> None:
    """By month also the year, by day also the week, by hour all; anything finer is forbidden."""
    issued = await _grant(application, claire, granted)
    provider = await viewer_of_token(application, issued.token, now=NOW)
    for resolution in Resolution:
        found = await _read(provider, resolution)
        assert isinstance(found, Forbidden) == (resolution not in read), resolution


@pytest.mark.requirement("EED-07")
async def test_a_token_reads_the_granted_days_and_fluids_alone(application, claire) -> None:
    """No day before 10 October although Claire has them, no heat, and no dwelling but hers."""
    issued = await _grant(application, claire)
    provider = await viewer_of_token(application, issued.token, now=NOW)
    found = await _read(provider, Resolution.DAILY)
    days = [value.starts_at.date() for value in found.values]
    assert (days[0], found.plan.clipped_from) == (FIRST, FIRST)
    assert isinstance(await _read(provider, Resolution.DAILY, HEAT), Forbidden)
    home = await Dwelling.get()
    other = await Dwelling.create(residence_id=home.residence_id, number="13")
    asked = ConsumptionAsked(Resolution.DAILY, 5, fluid=WATER, dwelling_id=other.id)
    (refused,) = await consumptions(provider, [asked], now=NOW)
    assert isinstance(refused, NotFound)


async def test_a_provider_may_nothing_else(application, claire) -> None:
    """Of all permissions those of reading consumption."""
    issued = await _grant(application, claire, Resolution.HOURLY)
    provider = await viewer_of_token(application, issued.token, now=NOW)
    assert provider.account_id is None
    assert {permission for permission in Permission if provider.may(permission)} == {
        Permission.CONSUMPTION_READ,
        Permission.CONSUMPTION_READ_DAILY,
        Permission.DWELLINGS_READ,
        Permission.READINGS_READ,
    }
    with pytest.raises(Forbidden):
        await _grant(application, provider)


@pytest.mark.requirement("EED-07")
async def test_it_ends_when_revoked_on_its_last_day_and_with_the_occupancy(application, claire) -> None:
    """Each from the next request on."""
    issued = await _grant(application, claire)
    provider = await viewer_of_token(application, issued.token, now=NOW)
    await Occupancy.all().update(move_out=NOW.date())
    assert isinstance(await _read(provider, Resolution.DAILY), NotFound), "the occupancy is over"
    with pytest.raises(Conflict):
        await _grant(application, claire)
    await Occupancy.all().update(move_out=None)
    last_moment = datetime(2027, 2, 1, 22, 59, tzinfo=UTC)
    await viewer_of_token(application, issued.token, now=last_moment)
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, issued.token, now=last_moment + timedelta(minutes=1))
    await revoke_grant(claire, issued.view.id, visitor=NOBODY, now=NOW)
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, issued.token, now=NOW)
    with pytest.raises(NotFound):
        await revoke_grant(claire, issued.view.id, visitor=NOBODY, now=NOW)
    (view,) = await my_grants(claire)
    assert view.revoked_at == NOW


async def test_the_token_is_stored_as_its_hash_and_consent_is_on_record(application, claire) -> None:
    """Nobody who reads the table has a token; what was agreed to is a row, its end another."""
    issued = await _grant(application, claire)
    row = await ThirdPartyGrant.get()
    assert row.token_hash == token_hash(issued.token)
    assert issued.token.startswith("smt_")
    await revoke_grant(claire, row.id, visitor=NOBODY, now=NOW + timedelta(hours=1))
    entries = await AccountConsent.filter(purpose=AccountPurpose.THIRD_PARTY).order_by("id")
    assert [entry.state for entry in entries] == [ConsentState.GRANTED, ConsentState.REFUSED]
    assert {entry.details["grant"] for entry in entries} == {row.id}
    acts = {entry.act for entry in await acts_on(SYSTEM)}
    assert {Act.GRANT_ISSUED, Act.GRANT_REVOKED} <= acts


@pytest.mark.parametrize(
    "changed",
    [
        {"fluids": []},
        {"last": NOW.date() + timedelta(days=366)},
        {"last": NOW.date() - timedelta(days=1)},
        {"first": UNTIL + timedelta(days=1)},
    ],
)
async def test_a_grant_that_cannot_be(application, claire, changed) -> None:
    """No fluid, more than a year, over already, or of no day."""
    with pytest.raises(InvalidInput):
        await _grant(application, claire, **changed)


async def test_only_months_days_and_hours_are_granted_and_ten_at_most(application, claire) -> None:
    """A week or year is no scope; the eleventh grant needs one to be ended."""
    for resolution in (Resolution.WEEKLY, Resolution.YEARLY):
        with pytest.raises(InvalidInput):
            await _grant(application, claire, resolution)
    for _ in range(10):
        await _grant(application, claire)
    with pytest.raises(Conflict):
        await _grant(application, claire)
