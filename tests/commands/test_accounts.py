"""`submeter accounts` and `submeter managers revoke`: the operator changes access, with clear answers."""

from collections.abc import Callable

import pytest

from core.access import SYSTEM, Act, Role
from core.bootstrap import Application
from core.models import Account, AuditRecord, ManagedResidence
from core.services.places.key_encryption import KeyEncryption
from core.services.places.managed_residences import grant_residence
from submeter.commands import accounts, managers
from tests.support import factories
from tests.support.factories import NOW

EMAIL = "gestion@example.org"


@pytest.fixture
async def reported(
    application: Application,
    key_encryption: KeyEncryption,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[], str]:
    """A manager of AA000, the commands pointed at the test's application; answers what was printed since."""

    class Opened:
        async def __aenter__(self) -> Application:
            return application

        async def __aexit__(self, *_: object) -> None: ...

    for command in (accounts, managers):
        monkeypatch.setattr(command, "opened", Opened)
    await factories.residence(key_encryption)
    await factories.account(email=EMAIL, role=Role.MANAGER)
    await grant_residence(SYSTEM, email=EMAIL, operator_code="ocea", residence_code="AA000", now=NOW)
    return lambda: " ".join(capsys.readouterr().out.split())


async def test_a_residence_is_taken_from_a_manager(reported: Callable[[], str]) -> None:
    """At once; a repetition changes nothing, each call is answered, and grant and end are audited."""
    await managers.revoke(EMAIL, "ocea", "AA000")
    assert reported() == f"{EMAIL} no longer has access to AA000."
    assert await ManagedResidence.all().count() == 0
    await managers.revoke(EMAIL, "ocea", "AA000")
    assert reported() == f"{EMAIL} has no access to AA000."
    acts = [Act.RESIDENCE_GRANTED, Act.RESIDENCE_REVOKED]
    records = await AuditRecord.filter(act__in=acts).order_by("id")
    assert [one.act for one in records] == acts
    manager = await Account.get(email=EMAIL)
    assert {(one.subject, one.details["account"]) for one in records} == {("residence", manager.id)}


async def test_an_account_is_disabled_and_enabled(reported: Callable[[], str]) -> None:
    """Each has its answer, the first time and when repeated."""
    for command, answers in (
        (accounts.disable, ("is disabled.", "is already disabled.")),
        (accounts.enable, ("is enabled.", "was not disabled.")),
    ):
        for answer in answers:
            await command(EMAIL, "ocea")
            assert reported() == f"{EMAIL} {answer}"


async def test_a_second_factor_is_reset(reported: Callable[[], str]) -> None:
    """Where there is one."""
    await accounts.reset_factor(EMAIL, "ocea")
    assert reported() == f"{EMAIL} has no second factor."
    await Account.filter(email=EMAIL).update(second_factor_since=NOW, second_factor_encrypted=b"x")
    await accounts.reset_factor(EMAIL, "ocea")
    assert reported() == f"The second factor of {EMAIL} is reset; its sessions have ended."
