"""drivers.bmeters, innotas and integra: what they know beyond the standard, and when they keep silent."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from core.metering import identify, load_registry, open_telegram
from tests.support.makers import other_makers as makers

REGISTRY = load_registry()
KEY = bytes.fromhex("0B7E151628AED2A6ABF7158809CF4F3C")
MOMENT = datetime(2026, 5, 19, 7, 12)
HYDRODIGIT = makers.address("BMT", "71000834", 0x13, 0x07)
EURIS = makers.address("AAA", "71000571", 0x55, 0x08)
TOPAS = makers.address("AMT", "71000699", 0xF1, 0x07)
# Tens of litres, January first: in May of the year after, January to April lead up to the total.
MONTHS = (5210, 5333, 5410, 5602, 4105, 4230, 4317, 4423, 4561, 4702, 4888, 5019)


def measured(sender, content, key=None):
    telegram = makers.in_the_clear(sender, content) if key is None else makers.encrypted(sender, key, content)
    return open_telegram(identify(telegram, REGISTRY), key).measurement


def backward(**what):
    content = makers.bmeters(what.pop("litres", 56_931), what.pop("moment", MOMENT), **what)
    return measured(HYDRODIGIT, content).values.get("backward_volume_m3")


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize(("contents", "months"), [(0x05, ()), (0x15, MONTHS)])
def test_hydrodigit_tells_its_backward_volume(key, contents, months):
    """0.037 m3 flowed back; total and clock are those of the records."""
    content = makers.bmeters(56_931, MOMENT, 37, contents=contents, months=months)
    assert measured(HYDRODIGIT, content, key).values == {
        "total_volume_m3": Decimal("56.931"),
        "backward_volume_m3": Decimal("0.037"),
        "meter_datetime": MOMENT,
    }


@pytest.mark.parametrize(
    "what",
    [
        {"contents": 0x04},  # no backward volume is announced
        {"contents": 0x8F},  # parts are announced whose place is not known
        {"contents": 0x15},  # months are announced and not sent
        {"contents": 0x05, "months": MONTHS},  # more is sent than announced
        {"contents": 0x15, "months": MONTHS, "behind": b""},
        {"contents": 0x15, "months": MONTHS, "behind": b"\x01"},
        {"contents": 0x15, "months": MONTHS, "litres": 56_000},  # April's total is above the present one
        {"contents": 0x15, "months": MONTHS, "moment": datetime(2026, 6, 19, 7, 12)},
        {"contents": 0x15, "months": (*MONTHS[:5], 3000, *MONTHS[6:]), "moment": datetime(2026, 6, 1, 0, 5)},
        {"backward": 0xFFFFFFFF},
        {"backward": 0x80000000},
    ],
)
def test_hydrodigit_in_another_layout_tells_none(what):
    """Contents whose parts do not add up, or whose months do not lead up to the total: no backward volume."""
    assert backward(**{"backward": 37} | what) is None


@pytest.mark.parametrize("litres", [0, 1, 99_999])
def test_hydrodigit_with_months_that_fit(litres):
    """A new meter's months are zeros; the volume is read to the litre."""
    new = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 40)
    year = (45, 50, 60, 70, *new[4:])
    assert backward(backward=litres, contents=0x15, months=year, litres=812) == Decimal(litres) / 1000


def test_hydrodigit_with_nothing_but_zeros_has_zero_whatever_the_order():
    """Parts are announced whose place is not known, and all of them are zero."""
    assert backward(backward=0, contents=0x8F, months=(0,) * 12) == 0
    assert backward(backward=0, contents=0x8F, months=(0,) * 11 + (1,)) is None


SEASON = (97, 71, 44, 40, 22, 22, 22, 22, 15, 410, 366, 301, 207, 133, 64, 31, 30)


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize(
    ("now", "months"),
    [
        (140, SEASON),
        (2, (377, 320, 251, 190, 120, 61, 33, 29, 12, 0, 0, 0, 402, 398, 371, 300, 214)),  # two years' ends
        (0, (0,) * 17),
    ],
)
def test_euris_has_the_latest_month_first(key, now, months):
    """Units that fall once a year, read from now backwards rising: number 1 is the latest month's end."""
    measurement = measured(EURIS, makers.euris(now, months), key)
    assert measurement.values == {"hca_units": now, "target_hca_units": months[0]}
    assert not measurement.generic


@pytest.mark.parametrize(
    ("now", "months"),
    [
        (420, tuple(reversed(SEASON))),  # the oldest first
        (140, (97, 99, *SEASON[2:])),  # two ends of years within one
        (140, SEASON[:12]),
    ],
)
def test_euris_in_another_order_tells_no_month(now, months):
    """What cannot be months, the latest first, gives the present units alone."""
    assert measured(EURIS, makers.euris(now, months)).values == {"hca_units": now}


@pytest.mark.parametrize("key", [None, KEY])
def test_topas_has_the_ends_of_year_and_month(key):
    """Both are history, the year's end is billed, and 3653 days of battery are 10.001574 years."""
    measurement = measured(TOPAS, makers.topas(207_315, 180_022, 199_640, days=3653), key)
    assert measurement.values == {
        "total_volume_m3": Decimal("207.315"),
        "battery_days": 3653,
        "battery_years": Decimal("10.001574"),
        "target_volume_m3": Decimal("180.022"),
        "target_date": date(2025, 12, 31),
    }
    assert [(entry.day, entry.value) for entry in measurement.history] == [
        (date(2026, 4, 30), Decimal("199.640")),
        (date(2025, 12, 31), Decimal("180.022")),
    ]


@pytest.mark.parametrize("days", [0xFFFF, 0x8000, 30_000])
def test_topas_without_a_battery_that_can_be(days):
    """All ones, the lowest number and 82 years are no battery: neither days nor years."""
    values = measured(TOPAS, makers.topas(207_315, 180_022, 199_640, days=days)).values
    assert not values.keys() & {"battery_days", "battery_years"}


def test_what_the_standard_leaves_out_is_no_value_here_either():
    """A counter of all ones and a clock that was never set are no values with a driver either."""
    content = b"\x04\x13\xff\xff\xff\xff" + makers.clock(datetime(2000, 1, 1)) + b"\x0f\x05\x2a" + bytes(4)
    assert measured(HYDRODIGIT, content).values == {"backward_volume_m3": 0}
