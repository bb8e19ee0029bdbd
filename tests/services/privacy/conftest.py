"""Claire's home with hourly readings, which most of these tests begin with."""

from datetime import UTC, date, datetime

from core.access import SYSTEM
from core.bootstrap import Application
from core.services.places.key_encryption import KeyEncryption
from core.services.telegrams.pipeline import take_in
from tests.services.conftest import Izar
from tests.support import factories
from tests.support.factories import NOW
from tests.support.servers.prepared import Prepared


async def _read_since(application: Application, first: datetime) -> None:
    izar = Izar()
    keys = KeyEncryption.under(application.settings.secret_key)
    await factories.residence(keys, factories.meter(izar.address), move_in=date(2026, 10, 1))
    await take_in(application, SYSTEM, izar.hourly(first, [7] * 24 * 50), source="test", now=NOW)


async def _read_since_october(application: Application) -> None:
    await _read_since(application, datetime(2026, 10, 1, tzinfo=UTC))


async def _read_since_september(application: Application) -> None:
    await _read_since(application, datetime(2026, 9, 28, tzinfo=UTC))


READ_SINCE_OCTOBER = Prepared("home_read_since_october", _read_since_october)
"""Claire lives there since 1 October, and from then on water is read every hour for fifty days."""

READ_SINCE_SEPTEMBER = Prepared("home_read_since_september", _read_since_september)
"""The same, read from 28 September on: three days before she moved in."""
