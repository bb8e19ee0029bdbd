"""The second factor: a code is valid once, recovery codes replace a lost phone, managers must have one."""

import asyncio
from datetime import timedelta

import pyotp
import pytest

from core.access import Act, Permission, Role, SessionState
from core.access.refusals import CodeExpired, CodeInvalid, PasswordWrong
from core.errors import Conflict, MustVerifySecondFactor, RateLimited, Unauthenticated
from core.models import Account, RecoveryCode
from core.services.accounts.second_factor import (
    begin_enrolment,
    confirm_enrolment,
    remove_second_factor,
    verify_second_factor,
)
from core.services.accounts.sign_in import sign_in
from core.services.auth.sessions import viewer_of_token
from tests.support import factories
from tests.support.factories import NOW, PASSWORD

ME = "claire.martin@example.org"
STEP = timedelta(seconds=30)


@pytest.fixture
def enrolled(application, visitor):
    """Enrols whoever signs in; answers the app and what the enrolment answered."""

    async def enrol(*, role=Role.RESIDENT):
        await factories.account(role=role)
        signed_in = await sign_in(application, ME, PASSWORD, visitor=visitor, now=NOW)
        viewer = signed_in.session.viewer
        begun = await begin_enrolment(application, viewer, PASSWORD, now=NOW)
        app = pyotp.TOTP(begun.secret)
        answer = await confirm_enrolment(application, viewer, app.at(NOW), visitor=visitor, now=NOW)
        return app, answer, signed_in.session

    return enrol


@pytest.fixture
def give(application, visitor):
    async def code(viewer, shown, *, at=NOW):
        return await verify_second_factor(application, viewer, shown, visitor=visitor, now=at)

    return code


async def test_an_enrolled_account_is_asked_for_a_code(application, enter, enrolled, give) -> None:
    """After the password only the code is accepted; the code gives access, under a new token."""
    app, _, _ = await enrolled()
    viewer = await enter()
    assert viewer.state is SessionState.MUST_VERIFY_SECOND_FACTOR
    with pytest.raises(MustVerifySecondFactor):
        viewer.require(Permission.DWELLINGS_READ)
    opened = await give(viewer, app.at(NOW + STEP), at=NOW + STEP)
    assert opened.viewer.state is SessionState.READY
    assert (await viewer_of_token(application, opened.token, now=NOW)).state is SessionState.READY


async def test_a_code_is_valid_once(enter, enrolled, give) -> None:
    """An observed code is useless: it is not accepted again, nor is an older one, nor the enrolment's."""
    app, _, _ = await enrolled()
    viewer, then = await enter(), NOW + 3 * STEP
    with pytest.raises(CodeInvalid):
        await give(viewer, app.at(NOW))
    assert await give(viewer, app.at(then), at=then)
    for used in (app.at(then), app.at(then - STEP)):
        with pytest.raises(CodeInvalid):
            await give(await enter(at=then), used, at=then)


async def test_the_same_code_in_two_sessions_is_valid_once(enter, enrolled, give) -> None:
    """The first of two concurrent sessions wins."""
    app, _, _ = await enrolled()
    viewers, then = [await enter(), await enter()], NOW + 2 * STEP
    answers = await asyncio.gather(
        *(give(viewer, app.at(then), at=then) for viewer in viewers), return_exceptions=True
    )
    assert sorted(isinstance(answer, CodeInvalid) for answer in answers) == [False, True]


@pytest.mark.parametrize(("away", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_clock_may_be_half_a_minute_off(enter, enrolled, give, away, counts) -> None:
    """No more is accepted."""
    app, _, _ = await enrolled()
    viewer, then = await enter(), NOW + 10 * STEP
    code = app.at(then + away * STEP)
    if counts:
        assert await give(viewer, code, at=then)
    else:
        with pytest.raises(CodeInvalid):
            await give(viewer, code, at=then)


async def test_ten_wrong_codes_and_no_more_are_checked(enter, enrolled, give, audited) -> None:
    """Over all sessions of the account."""
    app, _, _ = await enrolled()
    then = NOW + 2 * STEP
    for _ in range(10):
        with pytest.raises(CodeInvalid):
            await give(await enter(at=then), "000000" if app.at(then) != "000000" else "1", at=then)
    with pytest.raises(RateLimited):
        await give(await enter(at=then), app.at(then), at=then)
    assert (await audited()).count(Act.SECOND_FACTOR_REFUSED) == 10


async def test_a_recovery_code_is_accepted_once(enter, enrolled, give, audited) -> None:
    """However it is typed; what is stored of it cannot be used."""
    _, answer, _ = await enrolled()
    code = answer.recovery_codes[3]
    assert await give(await enter(), f" {code.lower().replace('-', ' ')} ")
    with pytest.raises(CodeInvalid):
        await give(await enter(), code)
    assert await give(await enter(), answer.recovery_codes[4])
    assert (await audited()).count(Act.RECOVERY_CODE_USED) == 2
    stored = repr([dict(row) for row in await RecoveryCode.all()])
    assert not any(one in stored or one.replace("-", "") in stored for one in answer.recovery_codes)


async def test_an_enrolment_ends_other_sessions_and_is_notified(
    application, enrolled, posted, audited
) -> None:
    """The session that enrolled continues under a new token, and needs no further code."""
    _, answer, before = await enrolled()
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, before.token, now=NOW)
    assert answer.session.viewer.state is SessionState.READY
    assert [recipient for recipient, _ in await posted("second_factor_enrolled")] == [ME]
    assert Act.SECOND_FACTOR_ENROLLED in await audited()


async def test_an_enrolment_requires_the_password_and_a_right_code(application, enter, visitor) -> None:
    """An open session alone enrols nothing, and a secret without a confirmed code is not used."""
    await factories.account()
    viewer = await enter()
    with pytest.raises(PasswordWrong):
        await begin_enrolment(application, viewer, "wrong", now=NOW)
    with pytest.raises(CodeExpired):
        await confirm_enrolment(application, viewer, "000000", visitor=visitor, now=NOW)
    begun = await begin_enrolment(application, viewer, PASSWORD, now=NOW)
    assert begun.uri.startswith("otpauth://totp/OCEA%20Smart%20Building:claire.martin%40example.org?secret=")
    with pytest.raises(CodeInvalid):
        await confirm_enrolment(application, viewer, "no code", visitor=visitor, now=NOW)
    assert (await enter()).state is SessionState.READY


async def test_the_secret_is_encrypted_for_its_account(application, enrolled) -> None:
    """It is not in the clear in the table, and copied to another account's row it does not decrypt."""
    app, _, _ = await enrolled()
    row = await Account.get()
    assert app.secret.encode() not in bytes(row.second_factor_encrypted)
    assert app.secret not in repr(dict(row))


async def test_a_resident_may_remove_it_and_a_manager_may_not(
    application, enter, enrolled, visitor, posted
) -> None:
    """With the password; the owner is notified by e-mail."""
    _, answer, _ = await enrolled()
    viewer = answer.session.viewer
    with pytest.raises(Conflict):
        await begin_enrolment(application, viewer, PASSWORD, now=NOW)
    with pytest.raises(PasswordWrong):
        await remove_second_factor(application, viewer, "wrong", visitor=visitor, now=NOW)
    await remove_second_factor(application, viewer, PASSWORD, visitor=visitor, now=NOW)
    assert (await enter()).state is SessionState.READY
    assert len(await posted("second_factor_removed")) == 1
    assert await RecoveryCode.all().count() == 0


async def test_a_manager_enrols_and_cannot_remove_it(application, enter, enrolled, visitor) -> None:
    """For managers it is obligatory."""
    _, answer, _ = await enrolled(role=Role.MANAGER)
    manager = answer.session.viewer
    assert (manager.role, manager.state) == (Role.MANAGER, SessionState.READY)
    with pytest.raises(Conflict):
        await remove_second_factor(application, manager, PASSWORD, visitor=visitor, now=NOW)
