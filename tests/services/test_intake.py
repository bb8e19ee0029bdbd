"""The radio river: what becomes of gateway lines."""

from datetime import UTC, datetime

import pytest

from core.access import SYSTEM
from core.bootstrap import House
from core.services.intake import replay, take_in
from core.services.vault import Vault
from tests.support import factories

IZAR = "1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"


async def test_a_telegram_becomes_a_reading(house: House, vault: Vault, now: datetime) -> None:
    """A line of a registered meter is stored."""
    await factories.residence(vault, factories.meter())
    line = f"T1;1;1;2026-07-14 08:15:42.000;97;148;21131C34;0x{IZAR.lower()}"
    summary = await take_in(house, SYSTEM, [line], source="test", now=now)
    assert (summary.lines, summary.stored, summary.unusable) == (1, 1, {})
    again = await take_in(house, SYSTEM, [line], source="test", now=now)
    assert (again.stored, again.duplicates) == (0, 1)


async def test_an_unknown_meter_is_kept_and_replayed(house: House, vault: Vault, now: datetime) -> None:
    """A line of an unknown meter becomes a reading once the meter is registered."""
    line = f"telegram=|{IZAR}|"
    summary = await take_in(house, SYSTEM, [line], source="test", now=now)
    assert summary.unusable == {"UNKNOWN_METER": 1}
    await factories.residence(vault, factories.meter())
    assert (await replay(house, SYSTEM, now=now)).stored == 1
    assert (await replay(house, SYSTEM, now=now)).lines == 0
