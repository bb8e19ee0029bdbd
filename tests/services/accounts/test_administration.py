"""core.services.accounts.administration: access is withdrawn and restored, each act once and audited."""

from typing import Any

import pytest

from core.access import SYSTEM, Act, Role, SessionState, TokenScope
from core.bootstrap import Application
from core.errors import Forbidden, NotFound, SignInRefused, Unauthenticated
from core.models import Account, RecoveryCode, Session
from core.services.accounts.access_tokens import issue_token
from core.services.accounts.administration import disable_account, enable_account, reset_second_factor
from core.services.auth.sessions import viewer_of_token
from notifications.texts.render import render
from tests.support import factories
from tests.support.factories import NOW

ME = "claire.martin@example.org"
WHO: dict[str, Any] = {"email": ME, "operator_code": "ocea", "now": NOW}


async def test_a_disabled_account_has_no_access(
    application: Application, enter: Any, visitor: Any, audited: Any
) -> None:
    """Sessions, tokens and password are refused at once; after enabling, the password alone works again."""
    await factories.account()
    viewer = await enter()
    issued = await issue_token(
        application, viewer, name="home", scopes=[TokenScope.READ_MONTHLY], visitor=visitor, now=NOW
    )
    assert (await viewer_of_token(application, issued.token, now=NOW)).account_id == viewer.account_id
    assert [await disable_account(SYSTEM, **WHO), await disable_account(SYSTEM, **WHO)] == [True, False]
    assert await Session.filter(revoked_at=None).count() == 0
    with pytest.raises(SignInRefused):
        await enter()
    assert [await enable_account(SYSTEM, **WHO), await enable_account(SYSTEM, **WHO)] == [True, False]
    with pytest.raises(Unauthenticated):
        await viewer_of_token(application, issued.token, now=NOW)
    assert await Session.filter(revoked_at=None).count() == 0
    assert (await enter()).account_id == viewer.account_id
    (disabled,), (enabled,) = await audited(Act.ACCOUNT_DISABLED), await audited(Act.ACCOUNT_ENABLED)
    assert (disabled.role, disabled.subject.number) == ("SYSTEM", viewer.account_id)
    assert disabled.details == {"sessions": 1, "access_tokens": 1}
    assert enabled.subject == disabled.subject


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.MANAGER])
async def test_a_reset_second_factor_ends_sessions_and_notifies_the_owner(
    application: Application, enter: Any, posted: Any, audited: Any, role: Role
) -> None:
    """For a lost phone: the password alone signs in again, a manager to a new enrolment."""
    number = await factories.account(role=role)
    await Account.all().update(second_factor_since=NOW, second_factor_encrypted=b"x", second_factor_step=7)
    await RecoveryCode.create(account_id=number, code_hash="0" * 64)
    assert (await enter()).state is SessionState.MUST_VERIFY_SECOND_FACTOR
    done = [await reset_second_factor(application, SYSTEM, **WHO) for _ in range(2)]
    assert done == [True, False]
    assert await Session.filter(revoked_at=None).count() == 0
    assert await RecoveryCode.all().count() == 0
    account = await Account.get()
    assert (account.second_factor_encrypted, account.second_factor_step) == (None, None)
    expected = SessionState.READY if role is Role.RESIDENT else SessionState.MUST_ENROL_SECOND_FACTOR
    assert (await enter()).state is expected
    ((recipient, values),) = await posted("second_factor_reset")
    assert recipient == ME
    french, english = (render("second_factor_reset", language, values) for language in ("fr", "en"))
    assert french.subject == "Double authentification réinitialisée"
    assert "OCEA Smart Building has reset" in english.text
    (entry,) = await audited(Act.SECOND_FACTOR_RESET)
    assert (entry.subject.number, entry.details) == (number, {"sessions": 1})


async def test_only_the_operator_administers_and_only_its_own_accounts(
    application: Application, enter: Any
) -> None:
    """No session may; another operator's account, and an unknown address, are not found."""
    await factories.account()
    claire = await enter()
    acts = [disable_account, enable_account]
    for act in acts:
        with pytest.raises(Forbidden):
            await act(claire, **WHO)
        for changed in ({"operator_code": "ista"}, {"email": "nobody@example.org"}):
            with pytest.raises(NotFound):
                await act(SYSTEM, **{**WHO, **changed})
    with pytest.raises(Forbidden):
        await reset_second_factor(application, claire, **WHO)
    with pytest.raises(NotFound):
        await reset_second_factor(application, SYSTEM, **{**WHO, "operator_code": "ista"})
