"""Signing in: guessing is limited, the owner is not, and no answer discloses whether an account exists."""

import asyncio
from datetime import timedelta

import pytest

from core.access import Act, Role, SessionState, Visitor
from core.errors import AccountLocked, RateLimited, SignInRefused
from core.models import Account, AuditRecord, Device, Session
from core.services.accounts.password_change import NewPassword, ask_for_reset, reset_password
from core.services.accounts.sign_in import MOST_DEVICES, sign_in
from core.services.auth import passwords
from tests.support import factories
from tests.support.attack import watched
from tests.support.factories import NOW, PASSWORD

ME = "claire.martin@example.org"


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Every hash that is computed."""
    worked, verify = [], passwords._verify
    monkeypatch.setattr(
        passwords, "_verify", lambda known, password: worked.append(known) or verify(known, password)
    )
    return worked


@pytest.fixture
def guess(application):
    """Tries wrong passwords, each from an address of its own by default; answers the refusals."""

    async def tries(count, email=ME, *, at=NOW, address=None, password="wrong", **more):
        refusals = []
        for number in range(count):
            visitor = Visitor(address or f"198.51.{number // 250}.{number % 250}")
            with pytest.raises((SignInRefused, AccountLocked, RateLimited)) as refused:
                await sign_in(application, email, password, visitor=visitor, now=at, **more)
            refusals.append(refused.value)
        return refusals

    return tries


@pytest.mark.parametrize("email", [ME, "nobody@example.org"])
@pytest.mark.requirement("PW-01", "C-04")
async def test_the_eleventh_wrong_password_is_not_checked(application, guess, hashed, email) -> None:
    """Nor is a right one from an unknown device; whether the account exists makes no difference (PW-01)."""
    await factories.account()
    refusals = await guess(12, email)
    assert [type(one) for one in refusals] == [SignInRefused] * 10 + [AccountLocked] * 2
    assert len(hashed) == 10
    assert NOW < refusals[-1].until <= NOW + timedelta(minutes=20)
    (right,) = await guess(1, email, password=PASSWORD)
    assert isinstance(right, AccountLocked)
    assert len(hashed) == 10


async def test_a_refused_try_looks_up_no_account(application, guess, visitor, monkeypatch) -> None:
    """Beyond the ten it costs no statement, beyond the device's own ten that of the device (PW-01)."""
    await factories.account()
    device = (await sign_in(application, ME, PASSWORD, visitor=visitor, now=NOW)).device_token
    await guess(10)
    await guess(10, device_token=device)
    for number in range(30):
        await guess(1, f"x{number}@example.org", address="203.0.113.1")
    with watched(monkeypatch) as work:
        await guess(1)
        await guess(1, "y@example.org", address="203.0.113.1")
        assert work.taken("").statements == ()
        await guess(1, device_token=device)
        (statement,) = work.taken("").statements
    assert '"device"' in statement


async def test_a_lock_ends_by_itself(application, guess, enter) -> None:
    """At the moment that the refusal stated."""
    await factories.account()
    locked = (await guess(11))[-1]
    with pytest.raises(AccountLocked):
        await enter(at=locked.until - timedelta(seconds=1))
    assert (await enter(at=locked.until)).role is Role.RESIDENT


async def test_a_known_device_signs_in_while_others_are_locked_out(
    application, guess, enter, visitor
) -> None:
    """Its owner is not affected, and has ten wrong tries of the device's own."""
    await factories.account()
    device = (await sign_in(application, ME, PASSWORD, visitor=visitor, now=NOW)).device_token
    assert isinstance((await guess(11))[-1], AccountLocked)
    again = await sign_in(application, ME, PASSWORD, visitor=visitor, device_token=device, now=NOW)
    assert again.session.viewer.role is Role.RESIDENT
    wrong = await guess(11, device_token=again.device_token)
    assert [type(one) for one in wrong] == [SignInRefused] * 10 + [AccountLocked]


async def test_another_accounts_device_is_unknown(application, guess, visitor) -> None:
    """A device token is valid for the account that it was issued to."""
    await factories.account()
    await factories.account(email="other@example.org")
    other = (await sign_in(application, "other@example.org", PASSWORD, visitor=visitor, now=NOW)).device_token
    await guess(10)
    (locked,) = await guess(1, password=PASSWORD, device_token=other)
    assert isinstance(locked, AccountLocked)


async def test_who_proves_the_mailbox_can_sign_in(application, guess, enter, reset_token, visitor) -> None:
    """A reset ends a lock; further guesses lock out unknown devices alone."""
    await factories.account()
    await guess(11)
    await ask_for_reset(application, ME, visitor=visitor, now=NOW)
    token = await reset_token()
    new = "Nouveau-Mot-77-Fleuve"
    device = await reset_password(application, token, NewPassword(new, new), visitor=visitor, now=NOW)
    await guess(11)
    assert (await enter(password=new, device_token=device)).role is Role.RESIDENT


async def test_a_thousand_concurrent_tries_are_limited_too(application, hashed) -> None:
    """They are counted before they are checked."""
    await factories.account()
    tries = [
        sign_in(application, ME, "wrong", visitor=Visitor(f"198.51.100.{number}"), now=NOW)
        for number in range(100)
    ]
    refusals = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, SignInRefused) for one in refusals) == len(hashed) == 10
    assert sum(isinstance(one, AccountLocked) for one in refusals) == 90


async def test_an_address_that_tries_many_accounts_is_slowed_down(application, guess, hashed) -> None:
    """After thirty wrong passwords, whichever accounts they were for; another address is not."""
    await factories.account()
    refusals = [(await guess(1, f"x{number}@example.org", address="203.0.113.1"))[0] for number in range(40)]
    assert [type(one) for one in refusals] == [SignInRefused] * 30 + [RateLimited] * 10
    assert len(hashed) == 30
    (elsewhere,) = await guess(1, address="203.0.113.2")
    assert isinstance(elsewhere, SignInRefused)


async def test_right_passwords_are_not_counted(application, enter) -> None:
    """A program may sign in every minute."""
    await factories.account()
    for _ in range(40):
        await enter()
    assert await Session.all().count() == 40
    assert await Device.all().count() == MOST_DEVICES


async def test_no_account_and_a_wrong_password_leave_the_same_trace(application, guess, audited) -> None:
    """One record a try, with the same text; tries beyond the limit are not recorded."""
    await factories.account()
    for email in (ME, "nobody@example.org"):
        await guess(500, email)
        acts = await audited()
        assert acts.count(Act.SIGN_IN_REFUSED) == 10
        assert acts.count(Act.ACCOUNT_LOCKED) == 1
        known = {entry.subject.number is not None for entry in await audited(Act.SIGN_IN_REFUSED)}
        assert known == {email == ME}
        assert all(entry.details == {} for entry in await audited(Act.SIGN_IN_REFUSED))
        await _forget_audit()


@pytest.mark.requirement("R-058", "R-060", "R-061", "C-03", "PW-05")
async def test_a_temporary_password_is_valid_once_and_for_a_day(application, enter) -> None:
    """It only allows setting a personal one; expired or used, it is a wrong password (PW-05)."""
    await factories.account()
    await Account.all().update(temporary_password_until=NOW + timedelta(hours=24))
    with pytest.raises(SignInRefused):
        await enter(at=NOW + timedelta(hours=24))
    viewer = await enter(at=NOW + timedelta(hours=23, minutes=59))
    assert viewer.state is SessionState.MUST_CHANGE_PASSWORD
    with pytest.raises(SignInRefused):
        await enter(at=NOW + timedelta(hours=23, minutes=59))


@pytest.mark.requirement("R-061", "R-062", "C-38")
async def test_a_first_sign_in_goes_password_then_terms_then_ready(application, enter) -> None:
    """Each state follows when the one before is complete."""
    await factories.account()
    await Account.all().update(temporary_password_until=NOW + timedelta(hours=1), terms_version=None)
    assert (await enter()).state is SessionState.MUST_CHANGE_PASSWORD
    await Account.all().update(temporary_password_until=None)
    assert (await enter()).state is SessionState.MUST_ACCEPT_TERMS
    await Account.all().update(terms_version=factories.TERMS)
    assert (await enter()).state is SessionState.READY
    await Account.all().update(terms_version="2025-01")
    assert (await enter()).state is SessionState.MUST_ACCEPT_TERMS


async def test_a_manager_without_a_second_factor_can_only_enrol(application, enter) -> None:
    """All other permissions of the role are refused until then."""
    await factories.account(role=Role.MANAGER)
    viewer = await enter()
    assert (viewer.role, viewer.state) == (Role.MANAGER, SessionState.MUST_ENROL_SECOND_FACTOR)


async def test_a_sign_in_is_recorded(application, enter, audited) -> None:
    """With account, address, and whether the device was known."""
    account_id = await factories.account()
    await enter()
    (entry,) = await audited(Act.SIGNED_IN)
    assert (entry.actor_id, entry.subject.number, entry.address) == (account_id, account_id, "192.0.2.7")
    assert entry.details == {"state": "READY", "known_device": False}


async def _forget_audit() -> None:
    """As an operator may after a year."""
    from core.services.shared.transaction import current_database  # noqa: PLC0415 - the one helper that needs it

    table = AuditRecord._meta.db_table
    if current_database().capabilities.dialect == "sqlite":
        await current_database().execute_query("DROP TRIGGER IF EXISTS audit_record_kept")
    else:
        await current_database().execute_query(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    await current_database().execute_query(f"DELETE FROM {table}")
