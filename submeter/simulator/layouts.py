"""The records that each kind of meter sends in a telegram.

In: register values in the smallest unit (litres, watt-hours) and dates. Out: the records in the order in
which meters in the field send them. The one rule: a value is floored to the unit of its record, as a register
shows it. Layouts after the application's fact sheet, sections 6, 7, 9 and 10.
"""

from datetime import date, datetime, timedelta

from submeter.simulator.records import EncodedRecord, bcd, day, integer, moment

_WH_PER_LITRE = 1.163 * 20  # water gives this much heat when it cools by the usual 20 kelvin
_FLOW_C, _RETURN_C, _ROOM_C = 55, 35, 21


def kamstrup_heat(
    *, wh: int, last_hour_wh: int, today: date, target_wh: int, target_day: date
) -> tuple[EncodedRecord, ...]:
    """MULTICAL 403, compact format B34D: kWh, E8, E9, 10 litres, l/h, 0.01 C, info code, target at month end.

    `target_day` is the first day of the month to which `target_wh` belongs. E8 and E9 are cubic metres times
    flow and return temperature. Without flow both sensors read room temperature.
    """
    running = last_hour_wh > 0
    cubic_metres = heat_litres(wh) // 1000
    return (
        integer("0406", wh // 1000),
        integer("04FF07", cubic_metres * _FLOW_C),
        integer("04FF08", cubic_metres * _RETURN_C),
        integer("0414", heat_litres(wh) // 10),
        integer("043B", heat_litres(last_hour_wh)),
        integer("0259", 100 * (_FLOW_C if running else _ROOM_C)),
        integer("025D", 100 * (_RETURN_C if running else _ROOM_C)),
        integer("04FF22", 0),
        day("026C", today),
        integer("4406", target_wh // 1000),
        integer("4414", heat_litres(target_wh) // 10),
        day("426C", target_day),
    )


def itron_water(
    *, litres: int, clock: datetime, year_end_litres: int, year_end: date, enhanced_id: int
) -> tuple[EncodedRecord, ...]:
    """Itron water: litres, the meter's clock, litres at the last 31 December, twelve-digit identification."""
    return (
        integer("0413", litres),
        moment("066D", clock),
        integer("4413", year_end_litres),
        day("426C", year_end),
        bcd("0E79", enhanced_id),
    )


def ista_water(*, litres: int, month_end_litres: int, month_end: date) -> tuple[EncodedRecord, ...]:
    """Water at ista: litres now, and date and litres of the last month end under storage number 2."""
    return (bcd("0C13", litres), day("82016C", month_end), bcd("8C0113", month_end_litres))


def ista_heat(
    *, wh: int, year_end_wh: int, year_end: date | None, month_end_wh: int, month_end: date
) -> tuple[EncodedRecord, ...]:
    """Heat at ista: 100 Wh now, at the billing year's end and at the month end, there with 100 litres too.

    `year_end` is None as long as no billing year has ended under this meter.
    """
    return (
        bcd("0C05", wh // 100),
        day("426C", year_end),
        bcd("4C05", year_end_wh // 100),
        day("82016C", month_end),
        bcd("8C0105", month_end_wh // 100),
        bcd("8C0115", heat_litres(month_end_wh) // 100),
    )


def heat_litres(wh: int) -> int:
    """The volume of water in litres that delivered `wh` of heat."""
    return int(wh / _WH_PER_LITRE)


def last_day_before(first: date) -> date:
    """The last day of the period that ends where `first` begins: how month and year ends are dated."""
    return first - timedelta(days=1)
