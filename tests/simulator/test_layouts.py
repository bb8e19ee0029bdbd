"""The records of each meter's telegram: order, units and dates as meters send them."""

from datetime import date, datetime

import pytest

from submeter.simulator.layouts import (
    heat_litres,
    ista_heat,
    ista_water,
    itron_water,
    kamstrup_heat,
    last_day_before,
)
from submeter.simulator.records import compact, full


def test_a_multical_403_sends_the_format_b34d():
    """Headers and their order are those of the known format, so a decoder needs no full frame first."""
    records = kamstrup_heat(
        wh=19_787_400,
        last_hour_wh=0,
        today=date(2026, 7, 14),
        target_wh=19_721_000,
        target_day=date(2026, 7, 1),
    )
    assert compact(records)[:2] == bytes.fromhex("4DB3")
    values = [int.from_bytes(record.data, "little") for record in records]
    assert values[0] == 19_787  # whole kilowatt-hours
    assert values[9] == 19_721
    assert values[4] == 0
    assert values[5] == values[6] == 2_100  # both sensors at room temperature


def test_a_running_heat_meter_shows_flow_and_a_difference_of_temperature():
    """Flow, both temperatures and the volume agree with the heat of the last hour."""
    records = kamstrup_heat(
        wh=2_326_000, last_hour_wh=2_326, today=date(2026, 1, 14), target_wh=0, target_day=date(2026, 1, 1)
    )
    values = [int.from_bytes(record.data, "little") for record in records]
    assert values[4:7] == [100, 5_500, 3_500]
    assert values[3] == 10_000  # tens of litres


def test_an_itron_meter_sends_the_worked_example():
    """Total, clock, year end and identification are the plain text of the fact sheet, section 4.1."""
    records = itron_water(
        litres=127_619,
        clock=datetime(2026, 3, 6, 22, 39, 54),
        year_end_litres=126_822,
        year_end=date(2025, 12, 31),
        enhanced_id=93_878_711_322,
    )
    assert full(records).hex().upper() == "041383F20100066D362716463300441366EF0100426C3F3C0E79221371783809"


def test_an_ista_water_meter_sends_the_worked_example():
    """Total and month end are the plain text of the fact sheet, section 4.2."""
    records = ista_water(litres=94_748, month_end_litres=94_389, month_end=date(2026, 5, 28))
    assert full(records).hex().upper() == "0C134847090082016C5C358C011389430900"


@pytest.mark.parametrize(("year_end", "on_air"), [(None, "0000"), (date(2025, 12, 31), "3F3C")])
def test_an_ista_heat_meter_tells_whether_a_billing_year_has_ended(year_end: date | None, on_air: str):
    """Before the first year end the date is sent as 0000, which means never."""
    records = ista_heat(
        wh=61_756_099,
        year_end_wh=61_649_100,
        year_end=year_end,
        month_end_wh=61_728_200,
        month_end=date(2026, 6, 30),
    )
    volume = f"{heat_litres(61_728_200) // 100:08d}"
    assert full(records).hex().upper() == (
        f"0C0560756100426C{on_air}4C059164610082016C5E368C010582726100"
        f"8C0115{bytes.fromhex(volume)[::-1].hex().upper()}"
    )


def test_a_period_is_dated_by_its_last_day():
    """What ended as March began is dated the last of February."""
    assert last_day_before(date(2028, 3, 1)) == date(2028, 2, 29)
