"""Passwords: changed by their owner, or after proof of the mailbox; every other access ends with it."""

import asyncio
import threading
from datetime import timedelta

import pytest
from zxcvbn import zxcvbn

from core.access import Act, SessionState
from core.access.refusals import (
    CodeExpired,
    PasswordMismatch,
    PasswordTooWeak,
    PasswordUnchanged,
    PasswordWrong,
)
from core.errors import RateLimited, SignInRefused, Unauthenticated
from core.models import Account, Challenge, MessageState, OutboxMessage
from core.services.accounts.contact_verification import confirm_email_change, request_email_change
from core.services.accounts.password_change import NewPassword, ask_for_reset, change_password, reset_password
from core.services.accounts.sign_in import sign_in
from core.services.auth.one_time_codes import new_reset_token
from core.services.auth.sessions import viewer_of_token
from tests.support import factories
from tests.support.factories import NOW, PASSWORD

ME = "claire.martin@example.org"
NEW = "Nouveau-Mot-77-Fleuve"


@pytest.fixture
def change(application, visitor):
    async def to(viewer, new=NEW, *, current=PASSWORD, again=None, at=NOW):
        typed = NewPassword(new, new if again is None else again)
        return await change_password(application, viewer, current, typed, visitor=visitor, now=at)

    return to


@pytest.fixture
def link(application, visitor, reset_token):
    """Requests a reset, and answers the token of its e-mail; None where none is sent."""

    async def ask(email=ME, *, at=NOW):
        await ask_for_reset(application, email, visitor=visitor, now=at)
        return await reset_token(at)

    return ask


@pytest.fixture
def reset(application, visitor):
    async def to(token, new=NEW, *, again=None, at=NOW):
        typed = NewPassword(new, new if again is None else again)
        return await reset_password(application, token, typed, visitor=visitor, now=at)

    return to


@pytest.mark.requirement("R-103", "PW-06")
async def test_a_new_password_ends_every_other_session(
    application, enter, change, visitor, posted, audited
) -> None:
    """The present one continues under a new token, and the owner is notified by e-mail."""
    await factories.account()
    mine = await sign_in(application, ME, PASSWORD, visitor=visitor, now=NOW)
    other = await sign_in(application, ME, PASSWORD, visitor=visitor, now=NOW)
    opened = await change(mine.session.viewer)
    for token in (mine.session.token, other.session.token):
        with pytest.raises(Unauthenticated):
            await viewer_of_token(application, token, now=NOW)
    assert (
        await viewer_of_token(application, opened.token, now=NOW)
    ).session_id == mine.session.viewer.session_id
    with pytest.raises(SignInRefused):
        await enter()
    assert await enter(password=NEW)
    ((recipient, _),) = await posted("password_changed")
    assert recipient == ME
    (entry,) = await audited(Act.PASSWORD_CHANGED)
    assert entry.details == {"sessions_ended": 1}


@pytest.mark.requirement("R-061", "C-38", "PW-05")
async def test_a_temporary_password_must_be_replaced(application, enter, change) -> None:
    """The session moves to the next state, and the temporary one cannot be kept."""
    await factories.account()
    await Account.all().update(temporary_password_until=NOW + timedelta(hours=1), terms_version=None)
    viewer = await enter()
    with pytest.raises(PasswordUnchanged):
        await change(viewer, PASSWORD)
    assert (await change(viewer)).viewer.state is SessionState.MUST_ACCEPT_TERMS
    account = await Account.get()
    assert (account.temporary_password_until, account.password_changed_at) == (None, NOW)


@pytest.mark.requirement("R-112", "R-113", "R-114", "R-115", "R-116")
async def test_an_unacceptable_password_is_refused_by_its_criteria(
    application, enter, change, key_encryption
) -> None:
    """The operator's criteria and the general ones; nothing is changed then."""
    await factories.residence(key_encryption, factories.meter(printed_serial="H8CA029620"))
    viewer = await enter()
    with pytest.raises(PasswordMismatch):
        await change(viewer, again="Nouveau-Mot-77-Fleuv")
    for new, names in (
        ("aaa", {"LENGTH"}),
        ("H8CA029620-aB!", {"NOT_OWN_DATA"}),
        ("Martin-1!xyQz", {"NOT_OWN_DATA"}),
        ("Motdepasse1!", {"NOT_COMMON"}),
    ):
        with pytest.raises(PasswordTooWeak) as refused:
            await change(viewer, new)
        assert names <= {one.name for one in refused.value.criteria if not one.passed}
        assert new not in str(refused.value)
    assert await enter()


async def test_an_open_session_alone_changes_no_password(application, enter, change) -> None:
    """The present one is required, ten tries at most; further ones are never checked."""
    await factories.account()
    viewer = await enter()
    for _ in range(10):
        with pytest.raises(PasswordWrong):
            await change(viewer, current="wrong")
    with pytest.raises(RateLimited):
        await change(viewer)
    assert await change(viewer, at=NOW + timedelta(minutes=20))


@pytest.mark.requirement("R-117", "PW-06")
async def test_a_link_resets_the_password_once(application, enter, link, reset, visitor) -> None:
    """It ends every session; used again, it is refused."""
    await factories.account()
    before = await sign_in(application, ME, PASSWORD, visitor=visitor, now=NOW)
    token = await link()
    assert await reset(token)
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, before.session.token, now=NOW)
    assert await enter(password=NEW)
    with pytest.raises(CodeExpired):
        await reset(token, "Encore-Un-Autre-88")


async def test_two_concurrent_uses_of_a_link_are_one(application, link, reset) -> None:
    """The first wins."""
    await factories.account()
    token = await link()
    uses = await asyncio.gather(
        *(reset(token, f"Nouveau-Mot-{number}-Fleuve") for number in (11, 22)), return_exceptions=True
    )
    assert sorted(isinstance(use, CodeExpired) for use in uses) == [False, True]


@pytest.mark.requirement("PW-06")
async def test_a_link_lasts_an_hour_and_only_the_last_is_valid(application, link, reset) -> None:
    """To the instant; a password changed meanwhile ends it too."""
    await factories.account()
    first, second = await link(), await link()
    with pytest.raises(CodeExpired):
        await reset(first)
    with pytest.raises(CodeExpired):
        await reset(second, at=NOW + timedelta(hours=1))
    assert await reset(second, at=NOW + timedelta(minutes=59))
    for token in ("", "smf_", "smf_" + "x" * 43, "\ud800"):
        with pytest.raises(CodeExpired):
            await reset(token)


async def test_a_weak_password_does_not_use_the_link_up(application, link, reset) -> None:
    """A stronger one can be given with the same link."""
    await factories.account()
    token = await link()
    with pytest.raises(PasswordTooWeak):
        await reset(token, "aaa")
    with pytest.raises(PasswordMismatch):
        await reset(token, again="x")
    assert await reset(token)


async def test_a_new_password_is_checked_in_a_thread(application, enter, change, monkeypatch) -> None:
    """The check is expensive, and other requests are answered meanwhile."""
    await factories.account()
    judged_in = []

    def noted(*args, **more):
        judged_in.append(threading.current_thread())
        return zxcvbn(*args, **more)

    monkeypatch.setattr("zxcvbn.zxcvbn", noted)
    await change(await enter())
    assert judged_in
    assert threading.main_thread() not in judged_in


@pytest.mark.parametrize("made", ["before the change", "after it, for the former mailbox"])
async def test_a_link_ends_with_the_change_of_mailbox(
    application, enter, link, reset, visitor, posted, reset_token, made
) -> None:
    """A link that was sent to the former mailbox is refused."""
    await factories.account()
    me, token = await enter(), await link()
    await request_email_change(application, me, "new@example.org", PASSWORD, visitor=visitor, now=NOW)
    ((_, values),) = await posted("email_code")
    await confirm_email_change(application, me, values["code"], visitor=visitor, now=NOW)
    if made != "before the change":  # the worker made the link while the address was changed
        token = await new_reset_token(me.account_id, ME, now=NOW)
    with pytest.raises(CodeExpired):
        await reset(token)
    assert await reset(await link("new@example.org"))


@pytest.mark.requirement("C-13")
async def test_a_reset_does_not_disclose_whether_an_account_exists(application, link, audited) -> None:
    """The answer is the same, and the e-mail is sent to the account's owner alone."""
    await factories.account()
    assert await link("nobody@example.org") is None
    (dropped,) = await OutboxMessage.all()
    assert (dropped.state, dropped.failure) == (MessageState.FAILED, "NO_ADDRESS")
    assert await link(" CLAIRE.martin@example.org ") is not None
    assert [entry.subject.number is not None for entry in await audited(Act.PASSWORD_RESET_REQUESTED)] == [
        False,
        True,
    ]


@pytest.mark.parametrize("email", [ME, "nobody@example.org"])
async def test_reset_links_are_limited(application, link, email) -> None:
    """Three links an hour, for an address that exists or not."""
    await factories.account()
    for _ in range(3):
        await link(email)
    with pytest.raises(RateLimited):
        await link(email)
    await link(email, at=NOW + timedelta(minutes=80))


async def test_the_secret_of_a_link_is_not_stored(application, link) -> None:
    """Only its hash is; the e-mail's row has none, since the link is made when the e-mail is sent."""
    await factories.account()
    token = await link()
    stored = repr(
        [dict(row) for row in await Challenge.all()] + [dict(row) for row in await OutboxMessage.all()]
    )
    assert token not in stored
    assert token.removeprefix("smf_") not in stored


async def test_an_operator_without_a_profile_has_the_applications_policy(application, enter, change) -> None:
    """Twelve characters of three kinds."""
    await factories.account()
    operator = await (await Account.get()).operator
    operator.code = "nobody"
    await operator.save()
    viewer = await enter()
    assert viewer.state is SessionState.READY
    with pytest.raises(PasswordTooWeak):
        await change(viewer, "Fleuve-77-n")
    assert await change(viewer)
