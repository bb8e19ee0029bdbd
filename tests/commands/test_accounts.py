"""`submeter accounts` and `submeter managers revoke`: the operator's hand on access, with clear answers."""

from collections.abc import Callable

import pytest

from core.access import SYSTEM, Act, Role
from core.bootstrap import House
from core.models import Account, AuditRecord, ManagedResidence
from core.services.places.key_vault import Vault
from core.services.places.managed_residences import grant_residence
from submeter.commands import accounts, managers
from tests.support import factories
from tests.support.factories import NOW

EMAIL = "gestion@example.org"


@pytest.fixture
async def said(
    house: House, vault: Vault, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], str]:
    """A manager of AA000, the commands pointed at the test's house; answers what was printed since."""

    class Opened:
        async def __aenter__(self) -> House:
            return house

        async def __aexit__(self, *_: object) -> None: ...

    for command in (accounts, managers):
        monkeypatch.setattr(command, "opened", Opened)
    await factories.residence(vault)
    await factories.account(email=EMAIL, role=Role.MANAGER)
    await grant_residence(SYSTEM, email=EMAIL, operator_code="ocea", residence_code="AA000", now=NOW)
    return lambda: " ".join(capsys.readouterr().out.split())


async def test_a_residence_is_taken_from_a_manager(said: Callable[[], str]) -> None:
    """From the moment on; twice is once, and each is answered; the grant and its end are on record."""
    await managers.revoke(EMAIL, "ocea", "AA000")
    assert said() == f"{EMAIL} looks after AA000 no longer."
    assert await ManagedResidence.all().count() == 0
    await managers.revoke(EMAIL, "ocea", "AA000")
    assert said() == f"{EMAIL} does not look after AA000."
    acts = [Act.RESIDENCE_GRANTED, Act.RESIDENCE_REVOKED]
    records = await AuditRecord.filter(act__in=acts).order_by("id")
    assert [one.act for one in records] == acts
    manager = await Account.get(email=EMAIL)
    assert {(one.subject, one.details["account"]) for one in records} == {("residence", manager.id)}


async def test_an_account_is_disabled_and_enabled(said: Callable[[], str]) -> None:
    """Each with its answer, the first time and the second."""
    for command, answers in (
        (accounts.disable, ("is disabled.", "was disabled before.")),
        (accounts.enable, ("is enabled.", "was not disabled.")),
    ):
        for answer in answers:
            await command(EMAIL, "ocea")
            assert said() == f"{EMAIL} {answer}"


async def test_a_second_factor_is_reset(said: Callable[[], str]) -> None:
    """Where there is one."""
    await accounts.reset_factor(EMAIL, "ocea")
    assert said() == f"{EMAIL} has no second factor."
    await Account.filter(email=EMAIL).update(second_factor_since=NOW, second_factor_sealed=b"x")
    await accounts.reset_factor(EMAIL, "ocea")
    assert said() == f"The second factor of {EMAIL} is reset; its sessions have ended."
