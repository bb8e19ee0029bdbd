"""A meter's own leak flag: an alert of its own where the register cannot show a leak, notified once."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.models import Alert, AlertKind, LeakEpisode
from tests.support import factories
from tests.support.leak_lines import DAY, FIRST, midnight, take, templates

HOUR = timedelta(hours=1)
EARLIER = date(2026, 10, 1)


async def state():
    return [
        (row.kind, row.started_on, row.ended_on) for row in await Alert.all().order_by("started_on", "id")
    ]


def coarse(meter):
    """The meter, whose register counts by 100 litres."""
    return replace(factories.meter(meter.address), register_step=100)


@pytest.mark.requirement("C-25")
async def test_the_flag_of_a_coarse_register_is_an_alert_until_it_is_cleared(
    application, key_encryption, izar
) -> None:
    """Notified like a leak when it is set and cleared, once each; without a volume it has no loss."""
    await factories.residence(key_encryption, coarse(izar))
    start = midnight(FIRST)
    lines = [izar.line(1000, start + hour * HOUR, leak=2 <= hour < 5) for hour in range(7)]
    for number in range(1, len(lines) + 1):
        await take(application, lines[:number], start + number * HOUR)
        if number == 3:
            assert (await templates(), await state()) == (
                ["meter_leak_opened"],
                [(AlertKind.METER_LEAK, FIRST, None)],
            )
    assert await templates() == ["meter_leak_opened", "meter_leak_closed"]
    assert await state() == [(AlertKind.METER_LEAK, FIRST, FIRST)]
    again = await take(application, lines, start + 8 * HOUR)
    assert (again.alerts, again.messages, await LeakEpisode.all().count()) == (0, 0, 0)


async def test_where_readings_show_a_leak_the_flag_adds_nothing(application, key_encryption, izar) -> None:
    """One alert and one message, the classifier's; and for a flag without a leak none."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    start = midnight(FIRST)
    await take(application, [izar.line(1000, start - DAY - HOUR, leak=True)], start)
    assert await Alert.all().count() == 0
    index, lines = 1000, []
    for hour in range(27):
        lines.append(izar.line(index, start + hour * HOUR, leak=True))
        index += 6
    await take(application, lines, start + 27 * HOUR)
    assert [kind for kind, _, _ in await state()] == [AlertKind.LEAK]
    assert await templates() == ["leak_opened"]


async def test_a_leak_that_flag_and_classifier_see_is_notified_once(
    application, key_encryption, izar
) -> None:
    """The flag comes first; once readings show the leak, its alert replaces the flag's without a message."""
    await factories.residence(key_encryption, coarse(izar))
    litres = 0
    for day in range(30):
        at = midnight(EARLIER + day * DAY)
        flagged = 14 <= day < 26
        lines = [izar.line(litres // 100 * 100, at, leak=flagged)]
        litres += 100 * (day % 3) + (1500 if flagged else 0)
        await take(application, lines, at + HOUR)
    reported = await templates()
    assert reported[0] == "meter_leak_opened"
    assert "leak_opened" not in reported
    assert "meter_leak_closed" not in reported
    kinds = [kind for kind, _, _ in await state()]
    assert sorted(kinds) == [AlertKind.LEAK, AlertKind.METER_LEAK]
    assert all(ended_on is not None for _, _, ended_on in await state())
    assert reported.count("leak_closed") == 1
