"""Leaks and over-consumption, from the lines to the outbox: who is notified of what, and when."""

from datetime import date, timedelta

import pytest

from core.access import SYSTEM, Role, Viewer
from core.errors import Forbidden
from core.models import (
    Account,
    Alert,
    AlertKind,
    Channel,
    OccupancyKind,
    OutboxMessage,
)
from core.services.messaging.outbox import list_messages
from core.services.portfolio.descriptions import AccountSpec, DwellingSpec, OccupancySpec, ResidenceSpec
from core.services.portfolio.portfolio import upsert_account, upsert_residence
from tests.support import factories
from tests.support.leak_lines import DAY, FIRST, leak, midnight, take


async def describe_home(key_encryption, meter, *occupancy_periods):
    """A dwelling with these occupancies; every account is notified of everything."""
    for period in occupancy_periods:
        if period.email:
            await factories.account(email=period.email)
    await upsert_residence(
        SYSTEM,
        ResidenceSpec(
            operator_code="ocea",
            operator_name="OCEA",
            code="AA000",
            name="R",
            street="1 place Victor Hugo",
            postcode="92400",
            city="Courbevoie",
            dwellings=[DwellingSpec(number="12", meters=[meter], occupancies=occupancy_periods)],
        ),
        key_encryption=key_encryption,
        now=factories.NOW,
    )


@pytest.mark.requirement("R-193", "EED-09")
async def test_a_new_occupant_is_not_notified_of_the_predecessors_water(
    application, key_encryption, izar
) -> None:
    """A leak from before the move-in is notified with the move-in day, and without loss and mean flow."""
    moved = FIRST + DAY
    await describe_home(
        key_encryption,
        factories.meter(izar.address),
        OccupancySpec(date(2024, 1, 1), moved, email="old@example.org"),
        OccupancySpec(moved, email="new@example.org"),
    )
    lines = leak(izar, per_hour=(0, 6, 13))
    await take(application, lines[:49], midnight(moved) + timedelta(minutes=5))
    await take(application, lines[49:], midnight(moved + DAY) + timedelta(minutes=5))
    rows = await OutboxMessage.filter(channel=Channel.EMAIL).order_by("id").select_related("account")
    assert [row.template for row in rows] == ["leak_opened", "leak_level_up"]
    for row in rows:
        assert row.account.email == "new@example.org"
        assert (row.values["started_on"], row.values["loss_litres"]) == (moved.isoformat(), None)
        assert row.values["mean_flow_lph"] is None


async def test_a_leak_first_seen_in_late_telegrams_is_notified(application, key_encryption, izar) -> None:
    """A gateway was offline for five days: a leak that began meanwhile and still runs is notified at once."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = leak(izar, per_hour=(0, 6, 6, 6, 6, 6, 13))
    await take(application, lines, midnight(FIRST + 6 * DAY) + timedelta(minutes=5))
    reported = await OutboxMessage.filter(channel=Channel.EMAIL)
    assert [(row.template, row.values["level"]) for row in reported] == [("leak_level_up", 3)]


async def test_who_enables_alerts_while_a_leak_runs_is_notified(application, key_encryption, izar) -> None:
    """Notifications that are enabled during a leak report it with the next day's readings, once."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await Account.all().update(leak_by_email=False, leak_by_sms=False)
    lines = leak(izar, per_hour=(0, 6, 6, 6, 6))
    await take(application, lines[:73], midnight(FIRST + 2 * DAY) + timedelta(minutes=5))
    assert await OutboxMessage.all().count() == 0
    await Account.all().update(leak_by_email=True)
    await take(application, lines[73:97], midnight(FIRST + 3 * DAY) + timedelta(minutes=5))
    await take(application, lines[97:], midnight(FIRST + 4 * DAY) + timedelta(minutes=5))
    assert [row.template for row in await OutboxMessage.all()] == ["leak_opened"]


@pytest.mark.requirement("C-01")
async def test_neither_landlord_nor_a_disabled_account_is_notified(application, key_encryption, izar) -> None:
    """A dwelling's data are for its occupant alone."""
    await describe_home(
        key_encryption,
        factories.meter(izar.address),
        OccupancySpec(date(2020, 1, 1), kind=OccupancyKind.OWNER_NON_OCCUPANT, email="landlord@example.org"),
        OccupancySpec(date(2020, 1, 1), email="tenant@example.org"),
        OccupancySpec(date(2026, 12, 24), email="future@example.org"),
    )
    await take(application, leak(izar), midnight(FIRST + 2 * DAY))
    reported = {row.account.email for row in await OutboxMessage.all().select_related("account")}
    assert reported == {"tenant@example.org"}
    await Account.all().update(disabled_at=factories.NOW)
    await take(
        application,
        leak(izar, per_hour=(13, 13), first=FIRST + 3 * DAY, index=1288),
        midnight(FIRST + 4 * DAY),
    )
    assert await OutboxMessage.all().count() == 2


MONTH = date(2026, 11, 1)


def monthly(meter, *amounts):
    """One reading at each of these days' midnights, the register climbing by the amount up to the next."""
    index, lines = 1000, []
    for day, amount in amounts:
        lines.append(meter.line(index, midnight(day)))
        index += amount
    return lines


def two_novembers(meter, *, before=3000, now_litres=9000):
    days = [(date(2025, 11, 1) + number * DAY, before // 30) for number in range(30)]
    days += [(date(2025, 12, 1), 10), (date(2026, 10, 31), now_litres // 20)]
    days += [(MONTH + number * DAY, now_litres // 20) for number in range(21)]
    return monthly(meter, *days)


@pytest.mark.requirement("C-30", "R-197")
async def test_over_consumption_is_notified_once_a_month(application, key_encryption, izar, now) -> None:
    """More than twice the same month a year ago is notified at once; later days update the alert."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    lines = two_novembers(izar)
    summary = await take(application, lines[:-2], now - DAY)
    assert summary.messages == 1  # the account chose e-mail alone
    (alert,) = await Alert.filter(kind=AlertKind.OVER_CONSUMPTION)
    assert (alert.started_on, alert.ended_on) == (MONTH, date(2026, 12, 1))
    assert (alert.amount, alert.threshold) == (8100, 6000)
    assert (await take(application, lines, now)).messages == 0
    await alert.refresh_from_db()
    assert (alert.amount, await OutboxMessage.all().count()) == (9000, 1)


async def test_twice_the_mean_itself_is_normal(application, key_encryption, izar, now) -> None:
    """Only more than the threshold is over-consumption."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await take(application, two_novembers(izar, now_litres=6000), now)
    assert await Alert.all().count() == 0


async def test_a_month_is_not_compared_with_a_predecessors(application, key_encryption, izar, now) -> None:
    """The years before the move-in are not used, even where a landlord has held the dwelling since then."""
    await describe_home(
        key_encryption,
        factories.meter(izar.address),
        OccupancySpec(date(2020, 1, 1), kind=OccupancyKind.OWNER_NON_OCCUPANT),
        OccupancySpec(date(2020, 1, 1), date(2026, 6, 1), email="old@example.org"),
        OccupancySpec(date(2026, 6, 1), email="new@example.org"),
    )
    await take(application, two_novembers(izar), now)
    assert await Alert.all().count() == 0


async def test_who_has_given_notice_is_still_notified(application, key_encryption, izar, now) -> None:
    """An occupancy with an end in the future is a present one."""
    period = OccupancySpec(date(2020, 1, 1), date(2026, 12, 31), email="tenant@example.org")
    await describe_home(key_encryption, factories.meter(izar.address), period)
    await take(application, two_novembers(izar), now)
    assert await OutboxMessage.filter(template="over_consumption").count() == 1


async def test_the_outbox_is_listed_newest_first_for_the_operator_alone(
    application, key_encryption, izar
) -> None:
    """Each message with the address it would be sent to."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    await take(application, leak(izar), midnight(FIRST + 2 * DAY))
    email, sms = sorted(await list_messages(SYSTEM), key=lambda message: message.channel)
    assert (email.recipient, sms.recipient) == ("claire.martin@example.org", "+33639980012")
    assert (email.template, email.language, email.values["level"]) == ("leak_opened", "fr", 1)
    assert len(await list_messages(SYSTEM, limit=1)) == 1
    with pytest.raises(Forbidden):
        await list_messages(Viewer(role=Role.RESIDENT, account_id=1))


async def test_messages_are_in_the_language_of_the_account(application, key_encryption, izar) -> None:
    """The row keeps the language of the moment when it was queued."""
    await factories.residence(key_encryption, factories.meter(izar.address))
    spec = AccountSpec(
        "ocea", "claire.martin@example.org", "x", "Claire", "Martin", language="en", leak_by_email=True
    )
    await upsert_account(SYSTEM, spec, now=factories.NOW)
    await take(application, leak(izar), midnight(FIRST + 2 * DAY))
    assert [message.language for message in await list_messages(SYSTEM)] == ["en"]
