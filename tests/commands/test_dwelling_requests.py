"""`submeter dwelling-requests`: what a manager decides on the command line."""

from datetime import date

import pytest

from core.bootstrap import Application
from core.errors import Conflict
from core.models import Dwelling, DwellingRequest, DwellingRequestKind, Occupancy, OccupancyKind
from core.services.places.key_encryption import KeyEncryption
from submeter.commands import dwelling_requests as command
from tests.support import factories
from tests.support.factories import NOW


@pytest.fixture
async def open_request(
    application: Application, key_encryption: KeyEncryption, monkeypatch: pytest.MonkeyPatch
) -> int:
    """An open request, and the command pointed at the test's application."""

    class Opened:
        async def __aenter__(self) -> Application:
            return application

        async def __aexit__(self, *_: object) -> None: ...

    monkeypatch.setattr(command, "opened", Opened)
    account = await factories.account()
    await factories.residence(key_encryption, factories.meter(), email=None)
    await Occupancy.all().delete()
    row = await DwellingRequest.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=account,
        kind=DwellingRequestKind.REVIEW,
        occupancy_kind=OccupancyKind.TENANT,
        move_in=date(2026, 5, 12),
        attested_at=NOW,
        opened_at=NOW,
    )
    number: int = row.id
    return number


async def test_a_dwelling_request_is_listed_and_approved(
    open_request: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list shows who asks for what; on approval the occupancy begins on the attested day."""
    await command.list_open()
    shown = capsys.readouterr().out
    for word in ("REVIEW", "AA000", "A · 1 · 2 · 12", "Claire Martin", "2026-05-12"):
        assert word in shown
    await command.approve(open_request)
    assert "is approved" in capsys.readouterr().out
    assert (await Occupancy.get()).move_in == date(2026, 5, 12)


async def test_a_dwelling_request_is_refused(open_request: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Then there is no occupancy, and the list is empty."""
    await command.refuse(open_request)
    assert "is refused" in capsys.readouterr().out
    assert await Occupancy.all().count() == 0
    await command.list_open()
    assert "REVIEW" not in capsys.readouterr().out


async def test_a_request_that_became_contested_is_approved_as_such(
    open_request: int, key_encryption: KeyEncryption, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody else has moved in since: the list shows it, and approval requires `--contested`."""
    await factories.account(email="luc@example.org", first_name="Luc")
    await factories.residence(
        key_encryption, factories.meter(), email="luc@example.org", move_in=date(2026, 5, 1)
    )
    await command.list_open()
    assert "CONTESTED" in capsys.readouterr().out
    with pytest.raises(Conflict):
        await command.approve(open_request)
    await command.approve(open_request, contested=True)
    assert "is approved" in capsys.readouterr().out
    assert (await Occupancy.get(account__email="luc@example.org")).move_out == date(2026, 5, 12)
