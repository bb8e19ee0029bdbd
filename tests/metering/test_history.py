"""core.metering.history: dated values of earlier days, and no others."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from core.metering import (
    HistoryEntry,
    HistorySource,
    Quantity,
    Registry,
    as_received,
    identify,
    load_registry,
    open_telegram,
)
from tests.support.telegrams import encryption
from tests.support.telegrams import records as encoder
from tests.support.telegrams.records import Place

REGISTRY = load_registry()
UNKNOWN = bytes.fromhex("6A49112233440107")


def history(records, *, link=UNKNOWN, registry=REGISTRY):
    """The history in a plain telegram."""
    return open_telegram(identify(encryption.plain(link, records), registry), None).measurement.history


def entry(day, value, source=HistorySource.SNAPSHOT, quantity=Quantity.VOLUME):
    return HistoryEntry(day, quantity, Decimal(value), source)


def test_the_snapshot_of_an_unknown_meter_is_its_history():
    """Value and day under one number; a value without a day is none, and so is a day without a value."""
    snapshot = bytes.fromhex("041300000000 4413E8030000 426C3F3C")
    assert history(snapshot) == (entry(date(2025, 12, 31), 1),)
    assert history(bytes.fromhex("041300000000 4413E8030000")) == ()
    assert history(bytes.fromhex("041300000000 426C3F3C")) == ()
    assert history(bytes.fromhex("041300000000 840113E8030000 82016C3F3C 840213E8030000 82026C3F3C")) == ()


def test_two_days_under_one_number_are_none():
    """Which day holds cannot be known."""
    assert history(bytes.fromhex("4413E8030000 426C3F3C 426C3E34")) == ()


def profile(slots, *, base=date(2026, 3, 31), **changes):
    place = Place(storage=8)
    layout = {"coding": 3, "mode": 0, "unit": 3, "spacing": 254} | changes
    return encoder.full(
        [
            encoder.integer(4, "13", 5000),
            encoder.day(base, place),
            encoder.integer(4, "13", 4000, place),
            encoder.profile("9313", slots, place=place, **layout),
        ]
    )


def test_a_compact_profile_gives_month_ends():
    """The base is a snapshot, the slots before it are the profile's."""
    assert history(profile([3000, None, 1000])) == (
        entry(date(2026, 3, 31), 4),
        entry(date(2026, 2, 28), 3, HistorySource.PROFILE),
        entry(date(2025, 12, 31), 1, HistorySource.PROFILE),
    )


def test_a_profile_without_a_base_day_is_none():
    """A row of values whose days are not known is no history."""
    assert history(profile([3000], base=None)) == ()


@pytest.mark.parametrize(
    ("link", "records", "days"),
    [
        ("7426112233443107", "0C1300010000 426C3F3C 4C1300000000 82016C3E34 8C011350000000", [2, 1]),
        ("9344112233441807", "0C1300010000 426C3F3C 4C1300000000 C2086C3E34 CC081350000000", [17, 1]),
        ("2D2C112233441B16", "041300010000 4413E8000000 426C3E34", [1]),
        ("9726112233440007", "041300010000 4413E8000000 426C3E34", [1]),
        ("A511112233447007", "0C1300010000 CC011310000000 C4016D00003E34", [3]),
    ],
)  # fmt: skip
def test_each_vendor_vouches_for_its_own_snapshots(link, records, days):
    """ista's month and year, Qundis', Kamstrup's and Itron's target, the month's end of a Hydrus."""
    found = history(bytes.fromhex(records), link=bytes.fromhex(link))
    assert len(found) == len(days)
    assert [item.day for item in found] == sorted((item.day for item in found), reverse=True)
    assert (
        history(bytes.fromhex(records), link=bytes.fromhex(link), registry=Registry(())) == found
        or len(days) > 1
    )


def test_a_telegram_received_on_the_last_day_of_the_calendar_is_read():
    """9999-12-31 has no day after it: the value of 2025 is published as on any day."""
    opened = open_telegram(
        identify(encryption.plain(UNKNOWN, bytes.fromhex("041300000000 4413E8030000 426C3F3C")), REGISTRY),
        None,
    ).measurement
    assert as_received(opened, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)) == opened
