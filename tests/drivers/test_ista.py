"""drivers.ista and drivers.itron: what their storage numbers and their serials mean."""

from datetime import date
from decimal import Decimal

import pytest

from core.metering import identify, load_registry, open_telegram

REGISTRY = load_registry()


def measured(maker, version, medium, records):
    """What a driver makes of plain records."""
    body = bytes.fromhex("44" + maker + "78563412" + version + medium + "7A11000000" + records)
    return open_telegram(identify(bytes((len(body),)) + body, REGISTRY), None).measurement


def test_ista_keeps_the_month_in_storage_2_and_the_year_in_storage_1():
    """Billing year and month's end are distinguished, each with its date."""
    values = measured(
        "7426", "A9", "04", "0C0547230100 426C3F3C 4C0510000000 82016C3E34 8C010520000000 8C011530000000"
    ).values
    assert values == {
        "total_energy_kwh": Decimal("1234.7"),
        "target_volume_m3": Decimal("3.0"),
        "target_energy_kwh": Decimal("2.0"),
        "target_date": date(2025, 4, 30),
        "last_year_date": date(2025, 12, 31),
        "last_year_energy_kwh": Decimal("1.0"),
    }


def test_ista_has_no_billing_day_yet():
    """A day of 0000 is never, not 30 November 1999."""
    assert measured("7426", "A9", "04", "426C0000").values == {}


@pytest.mark.requirement("R-145", "R-161", "R-167")
def test_ista_prints_nine_digits():
    """Nine digits in groups of three; eight digits are another maker's meter."""
    serial = REGISTRY.named("ista").serial
    assert serial.normalise("542 361 524") == "542361524"
    assert not serial.matches("48349952")
    assert REGISTRY.named("itron").serial.matches("48349952")
    assert REGISTRY.named("kamstrup").serial.matches("48349952")


def test_itron_marks_a_billing_value_that_has_not_come():
    """FE FE FE FE in error state is no value; a heat meter's billing day alone is no snapshot."""
    values = measured("9726", "00", "04", "040673030000 7406FEFEFEFE 426C533A").values
    assert values == {"total_energy_kwh": 883, "last_year_date": date(2026, 10, 19)}


def test_itron_water_counts_what_runs_backward():
    """0C 93 3C is the volume that ran backward, beside the total."""
    values = measured("9726", "33", "07", "041383F20100 0C933C07000000").values
    assert values == {"total_volume_m3": Decimal("127.619"), "backward_volume_m3": Decimal("0.007")}
