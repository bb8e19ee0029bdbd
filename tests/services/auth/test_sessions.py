"""Signing in and out, and the viewers of tokens."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.access import SYSTEM, Permission, Role, Visitor
from core.access.emails import email_key
from core.errors import NotFound, SignInRefused, Unauthenticated
from core.models import Account, Device, Gateway, Session
from core.services.accounts.sign_in import sign_in
from core.services.auth import passwords
from core.services.auth.sessions import (
    my_account,
    my_sessions,
    renew_session,
    revoke_other_sessions,
    revoke_session,
    sign_out,
    viewer_of_token,
)
from core.services.portfolio.descriptions import AccountSpec
from core.services.portfolio.gateways import issue_gateway_key
from core.services.portfolio.portfolio import upsert_account, upsert_operator
from core.services.shared.transaction import current_database
from tests.support import factories

LIFETIME = timedelta(days=30)
ME = "claire.martin@example.org"


HOME = Visitor("192.0.2.7", "a browser")


async def enter(application, now, email=ME, password=factories.PASSWORD, visitor=HOME):
    return (await sign_in(application, email, password, visitor=visitor, now=now)).session


@pytest.mark.requirement("R-060", "R-011", "R-079")
async def test_a_session_lasts_from_sign_in_to_sign_out(application, now) -> None:
    """The token gives the account's viewer until sign-out, which works once."""
    account_id = await factories.account()
    signed_in = await enter(application, now, visitor=Visitor("192.0.2.7", "a\0browser " + "x" * 300))
    assert signed_in.viewer == await viewer_of_token(application, signed_in.token, now=now)
    assert (signed_in.viewer.role, signed_in.viewer.account_id) == (Role.RESIDENT, account_id)
    assert (await my_account(application, signed_in.viewer)).email == ME
    assert await sign_out(signed_in.token, visitor=HOME, now=now)
    assert not await sign_out(signed_in.token, visitor=HOME, now=now)
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, signed_in.token, now=now)


@pytest.mark.parametrize("email", [" Claire.Martin@Example.ORG ", "CLAIRE.MARTIN@EXAMPLE.ORG"])
@pytest.mark.requirement("C-12")
async def test_the_case_of_an_address_does_not_matter(application, now, email) -> None:
    """Nor do spaces around it."""
    await factories.account()
    assert (await enter(application, now, email=email)).viewer.role is Role.RESIDENT


async def test_dots_and_tags_are_part_of_an_address() -> None:
    """No provider's aliases are normalised."""
    assert email_key("a.b+c@example.org") != email_key("ab@example.org")


async def test_a_password_matches_however_its_accents_are_composed(application, now) -> None:
    """NFC and NFD of the same letters are one password."""
    await upsert_operator(SYSTEM, code="ocea", name="OCEA")
    await upsert_account(SYSTEM, AccountSpec("ocea", ME, "Caf\u00e9-2026!", "C", "M"), now=now)
    assert await enter(application, now, password="Cafe\u0301-2026!")


@pytest.mark.requirement("C-13")
@pytest.mark.parametrize(
    ("email", "password"),
    [
        (ME, "wrong"),
        ("nobody@example.org", factories.PASSWORD),
        (ME, "x" * 2000),
        (ME, ""),
        (ME, "\ud800"),
        ("\0", factories.PASSWORD),
        ("\ud800@example.org", factories.PASSWORD),
    ],
)
async def test_a_refusal_does_not_disclose_what_was_wrong(application, now, email, password) -> None:
    """Unknown account and wrong password have one answer, and invalid texts have it too."""
    await factories.account()
    with pytest.raises(SignInRefused) as refused:
        await enter(application, now, email=email, password=password)
    assert (refused.value.message, refused.value.field) == (
        "E-mail and password do not belong together.",
        None,
    )
    assert await Session.all().count() == 0


async def test_an_unknown_address_costs_a_hash_too(application, now, monkeypatch) -> None:
    """The response time does not disclose whether an account exists."""
    verified = []
    monkeypatch.setattr(passwords, "_verify", lambda known, password: verified.append(known) or False)
    await factories.account()
    for email in (ME, "nobody@example.org"):
        with pytest.raises(SignInRefused):
            await enter(application, now, email=email)
    assert [known.startswith("$argon2id$") for known in verified] == [True, True]


async def test_a_session_ends_by_itself(application, now) -> None:
    """At its lifetime's end, to the instant."""
    await factories.account()
    token = (await enter(application, now)).token
    assert await viewer_of_token(application, token, now=now + LIFETIME - timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, token, now=now + LIFETIME)
    assert not await sign_out(token, visitor=HOME, now=now + LIFETIME)


async def test_a_disabled_account_loses_access_at_once(application, now) -> None:
    """Open sessions end, and no new one begins."""
    await factories.account()
    token = (await enter(application, now)).token
    await Account.all().update(disabled_at=now)
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, token, now=now)
    with pytest.raises(SignInRefused):
        await enter(application, now)


async def test_no_usable_secret_is_stored(application, now) -> None:
    """Of tokens the hash, of passwords the argon2id hash; a signed-in value does not print its token."""
    await factories.account()
    signed_in = await enter(application, now)
    key = await issue_gateway_key(SYSTEM, operator_code="ocea", name="roof", now=now)
    stored = ""
    for table in ("session", "account", "gateway"):
        stored += repr(await current_database().execute_query_dict(f"SELECT * FROM {table}"))
    for secret in (signed_in.token, key, factories.PASSWORD):
        assert secret not in stored
    assert signed_in.token not in repr(signed_in)
    assert "$argon2id$" in stored


@pytest.mark.parametrize(
    "token", ["", "sms_", "smg_", "sms_" + "x" * 43, "smg_" + "x" * 43, "\ud800", "a\0b"]
)
async def test_an_unknown_token_has_no_viewer(application, now, token) -> None:
    """In any format."""
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, token, now=now)
    assert not await sign_out(token, visitor=HOME, now=now)


async def test_a_gateways_key_submits_telegrams_and_nothing_else(application, now) -> None:
    """A new key replaces the old one; a revoked gateway has no viewer."""
    operator_id = await upsert_operator(SYSTEM, code="ocea", name="OCEA")
    old = await issue_gateway_key(SYSTEM, operator_code="ocea", name="roof", now=now)
    viewer = await viewer_of_token(application, old, now=now)
    assert (viewer.role, viewer.operator_id) == (Role.GATEWAY, operator_id)
    assert [permission for permission in Permission if viewer.may(permission)] == [
        Permission.TELEGRAMS_SUBMIT
    ]
    with pytest.raises(Unauthenticated):
        await my_account(application, viewer)
    new = await issue_gateway_key(SYSTEM, operator_code="ocea", name="roof", now=now)
    assert await viewer_of_token(application, new, now=now) == viewer
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, old, now=now)
    await Gateway.all().update(revoked_at=now)
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, new, now=now)
    with pytest.raises(NotFound):
        await issue_gateway_key(SYSTEM, operator_code="nobody", name="roof", now=now)


@pytest.mark.requirement("R-098", "R-099", "R-100", "R-101")
async def test_the_own_account_has_its_contact_data(application, now) -> None:
    """Name, first name, e-mail and telephone, as they were given."""
    account_id = await factories.account()
    viewer = (await enter(application, now)).viewer
    view = await my_account(application, viewer)
    assert (view.id, view.last_name, view.first_name, view.civility) == (
        account_id,
        "Martin",
        "Claire",
        "Mme",
    )
    assert (view.phone_e164, view.language) == ("+33639980012", "fr")
    with pytest.raises(Unauthenticated):
        await my_account(application, replace(viewer, account_id=account_id + 1))


@pytest.fixture
def laptop() -> Visitor:
    return Visitor("203.0.113.9", "a laptop")


@pytest.mark.requirement("R-079")
async def test_the_owner_sees_and_ends_sessions(application, now, laptop) -> None:
    """With browser, address and when they were last seen; one of them, and another's not."""
    await factories.account()
    await factories.account(email="other@example.org")
    phone, away = await enter(application, now), await enter(application, now, visitor=laptop)
    stranger = await enter(application, now, email="other@example.org")
    later = now + timedelta(minutes=7)
    await viewer_of_token(application, away.token, now=later)
    first, second = await my_sessions(phone.viewer, now=later)
    assert (first.user_agent, first.address, first.last_seen_at, first.current) == (
        "a laptop",
        "203.0.113.9",
        later,
        False,
    )
    assert (second.user_agent, second.last_seen_at, second.current) == ("a browser", now, True)
    with pytest.raises(NotFound):
        await revoke_session(stranger.viewer, first.id, visitor=HOME, now=later)
    await revoke_session(phone.viewer, first.id, visitor=HOME, now=later)
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, away.token, now=later)
    with pytest.raises(NotFound):
        await revoke_session(phone.viewer, first.id, visitor=HOME, now=later)


async def test_the_owner_ends_all_other_sessions_at_once(application, now, laptop) -> None:
    """The present one is kept, and known devices are forgotten."""
    await factories.account()
    mine = await enter(application, now)
    others = [await enter(application, now, visitor=laptop) for _ in range(3)]
    assert await revoke_other_sessions(mine.viewer, visitor=HOME, now=now) == 3
    for other in others:
        with pytest.raises(Unauthenticated):
            await viewer_of_token(application, other.token, now=now)
    assert await viewer_of_token(application, mine.token, now=now)
    assert await Device.all().count() == 0


async def test_a_session_is_renewed_under_a_new_token(application, now) -> None:
    """It has its whole lifetime again; the old token is refused."""
    await factories.account()
    before, later = await enter(application, now), now + timedelta(days=20)
    after = await renew_session(application, before.viewer, visitor=HOME, now=later)
    assert after.expires_at == later + LIFETIME
    assert after.token != before.token
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, before.token, now=later)
    viewer = await viewer_of_token(application, after.token, now=now + LIFETIME)
    assert viewer.session_id == before.viewer.session_id
    await sign_out(after.token, visitor=HOME, now=later)
    with pytest.raises(Unauthenticated):
        await renew_session(application, viewer, visitor=HOME, now=later)
