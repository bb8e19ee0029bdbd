"""The household: invited, with a sign-in of its own, ended by the holder or with the occupancy."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from core.access import NOBODY, SYSTEM, Act, Role, Viewer
from core.access.refusals import CodeExpired, PasswordMismatch, PasswordTooWeak, PasswordWrong
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, RateLimited
from core.models import Account, Dwelling, HouseholdMember, Occupancy
from core.services.accounts.password_change import NewPassword
from core.services.accounts.sign_in import sign_in
from core.services.operation.retention import purge
from core.services.privacy.household import (
    INVITATION_FOR,
    accept_invitation,
    invite_member,
    my_household,
    remove_member,
)
from core.services.shared.audit import acts_on
from core.services.shared.scope import homes, occupancy_periods
from tests.support import factories
from tests.support.factories import NOW

CHILD, PASSWORD = "child@example.org", "Another-Horse-43"
NEW = NewPassword(PASSWORD, PASSWORD)


@pytest.fixture
async def claire(application, key_encryption) -> Viewer:
    await factories.residence(key_encryption, factories.meter())
    account = await Account.get(email="claire.martin@example.org")
    return Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id, asked_at=NOW)


async def _invite(application, claire: Viewer, *, email: str = CHILD, now=NOW) -> int:
    home = (await Dwelling.get()).id
    view = await invite_member(
        application, claire, home, email=email, name="Camille", visitor=NOBODY, now=now
    )
    return view.id


@pytest.fixture
def token(posted: Callable) -> Callable:
    """The token in the newest invitation."""

    async def newest() -> str:
        return str((await posted("household_invited"))[-1][1]["link"]).partition("#")[2]

    return newest


async def _child(email: str = CHILD) -> Viewer:
    account = await Account.get(email=email)
    return Viewer(role=account.role, account_id=account.id, operator_id=account.operator_id, asked_at=NOW)


async def test_who_accepts_signs_in_and_sees_the_home(application, claire, token, posted: Callable) -> None:
    """With an own account and password; the holder is notified, and it is on record; the occupancy is the
    holder's.
    """
    await _invite(application, claire)
    assert await accept_invitation(application, await token(), NEW, visitor=NOBODY, now=NOW) == CHILD
    child = await _child()
    assert child.role is Role.HOUSEHOLD_MEMBER
    assert await homes(child) == await homes(claire)
    entered = await sign_in(application, CHILD, PASSWORD, visitor=NOBODY, now=NOW)
    assert entered.session.viewer.role is Role.HOUSEHOLD_MEMBER
    (member,) = await my_household(claire, now=NOW)
    assert (member.name, member.email, member.accepted_at) == ("Camille", CHILD, NOW)
    ((recipient, _),) = await posted("household_joined")
    assert recipient == "claire.martin@example.org"
    acts = [entry.act for entry in await acts_on(SYSTEM)]
    assert {Act.HOUSEHOLD_INVITED, Act.HOUSEHOLD_JOINED} <= set(acts)


async def test_an_invitation_is_good_once_and_for_a_week(application, claire, token) -> None:
    """Not twice, not after seven days, not after it was ended or sent anew."""
    await _invite(application, claire)
    first = await token()
    late = NOW + INVITATION_FOR
    with pytest.raises(CodeExpired):
        await accept_invitation(application, first, NEW, visitor=NOBODY, now=late)
    second = await _invite(application, claire, now=NOW)
    with pytest.raises(CodeExpired):
        await accept_invitation(application, first, NEW, visitor=NOBODY, now=NOW)
    again = await token()
    await remove_member(claire, second, visitor=NOBODY, now=NOW)
    with pytest.raises(CodeExpired):
        await accept_invitation(application, again, NEW, visitor=NOBODY, now=NOW)
    await _invite(application, claire)
    third = await token()
    await accept_invitation(application, third, NEW, visitor=NOBODY, now=NOW)
    with pytest.raises(CodeExpired):
        await accept_invitation(application, third, NEW, visitor=NOBODY, now=NOW)


async def test_the_holder_and_the_end_of_the_occupancy_end_it(application, claire, token) -> None:
    """At once: the child sees no home any more, its session is over; and from the day of the move-out."""
    member = await _invite(application, claire)
    await accept_invitation(application, await token(), NEW, visitor=NOBODY, now=NOW)
    child = await _child()
    await Occupancy.all().update(move_out=NOW.date())
    assert await occupancy_periods(child) == []
    assert len(await occupancy_periods(claire)) == 1, "who left still looks back"
    await Occupancy.all().update(move_out=NOW.date() + timedelta(days=1))
    assert len(await occupancy_periods(child)) == 1, "the last day"
    await Occupancy.all().update(move_out=None)
    await sign_in(application, CHILD, PASSWORD, visitor=NOBODY, now=NOW)
    await remove_member(claire, member, visitor=NOBODY, now=NOW)
    assert await occupancy_periods(child) == []
    assert await Account.filter(id=child.account_id, sessions__revoked_at=None).count() == 0
    assert await my_household(claire, now=NOW) == []


async def test_a_member_decides_nothing(application, claire, token) -> None:
    """A member invites nobody, and another resident ends nothing of Claire's."""
    member = await _invite(application, claire)
    await accept_invitation(application, await token(), NEW, visitor=NOBODY, now=NOW)
    with pytest.raises(Forbidden):
        await _invite(application, await _child(), email="x@example.org")
    paul = Viewer(role=Role.RESIDENT, account_id=await factories.account(email="paul@example.org"))
    with pytest.raises(NotFound):
        await remove_member(paul, member, visitor=NOBODY, now=NOW)
    with pytest.raises(NotFound):
        await _invite(application, paul, email="x@example.org")


async def test_an_address_with_an_account_is_disclosed_to_its_owner_alone(application, claire, token) -> None:
    """Inviting a resident is answered like any other; who opens the link learns that it does not go."""
    await factories.account(email="paul@example.org")
    await _invite(application, claire, email="paul@example.org")
    with pytest.raises(Conflict):
        await accept_invitation(application, await token(), NEW, visitor=NOBODY, now=NOW)
    assert (await my_household(claire, now=NOW))[0].accepted_at is None


async def test_a_member_of_two_households_has_one_account(application, claire, key_encryption, token) -> None:
    """The second invitation is accepted with the password that there is."""
    await _invite(application, claire)
    await accept_invitation(application, await token(), NEW, visitor=NOBODY, now=NOW)
    home = await Dwelling.get()
    other = await Dwelling.create(residence_id=home.residence_id, number="13")
    paul = await factories.account(email="paul@example.org")
    await Occupancy.create(dwelling_id=other.id, account_id=paul, kind="TENANT", move_in=date(2026, 1, 1))
    holder = Viewer(role=Role.RESIDENT, account_id=paul, asked_at=NOW)
    await invite_member(
        application, holder, other.id, email=CHILD.upper(), name="Camille", visitor=NOBODY, now=NOW
    )
    wrong = NewPassword("Wrong-Horse-44", "Wrong-Horse-44")
    with pytest.raises(PasswordWrong):
        await accept_invitation(application, await token(), wrong, visitor=NOBODY, now=NOW)
    await accept_invitation(application, await token(), NEW, visitor=NOBODY, now=NOW)
    child = await _child()
    assert {period.dwelling_id for period in await occupancy_periods(child)} == {home.id, other.id}


async def test_what_is_typed_is_checked(application, claire, token) -> None:
    """No address, the own one, no name; a weak password, one repeated otherwise; ten a day; five at
    once.
    """
    for email, name in (("x", "Camille"), ("Claire.Martin@example.org", "Camille"), (CHILD, " ")):
        with pytest.raises(InvalidInput):
            await invite_member(application, claire, 1, email=email, name=name, visitor=NOBODY, now=NOW)
    for number in range(5):
        await _invite(application, claire, email=f"{number}@example.org")
    with pytest.raises(Conflict):
        await _invite(application, claire)
    last = await token()
    with pytest.raises(PasswordMismatch):
        await accept_invitation(application, last, NewPassword("a", "b"), visitor=NOBODY, now=NOW)
    with pytest.raises(PasswordTooWeak):
        await accept_invitation(application, last, NewPassword("a", "a"), visitor=NOBODY, now=NOW)
    for _ in range(3):
        with pytest.raises(Conflict):
            await _invite(application, claire)
    with pytest.raises(RateLimited):
        await _invite(application, claire)


async def test_the_account_of_who_is_let_in_nowhere_is_deleted(application, settings, claire, token) -> None:
    """By the next purge; an invitation that nobody accepted a month after it expired."""
    member = await _invite(application, claire)
    await accept_invitation(application, await token(), NEW, visitor=NOBODY, now=NOW)
    assert (await purge(settings, now=NOW))["household accounts"] == 0
    await remove_member(claire, member, visitor=NOBODY, now=NOW)
    assert (await purge(settings, now=NOW))["household accounts"] == 1
    await _invite(application, claire)
    assert (await purge(settings, now=NOW + INVITATION_FOR))["household invitations"] == 0
    late = NOW + INVITATION_FOR + timedelta(days=30)
    assert (await purge(settings, now=late))["household invitations"] == 1
    assert await HouseholdMember.filter(accepted_at=None).count() == 0
