import pytest

from core.alerting.conditions import Between, Condition, is_backflow, is_burst, is_missing_data, reported
from core.metering import StatusFlag

H = 3600


def test_a_meters_own_states_become_conditions():
    """Burst, backflow, dry, tamper and the leak flag are conditions; a low battery is not."""
    flags = {StatusFlag.BURST, StatusFlag.REVERSE, StatusFlag.DRY, StatusFlag.TAMPER}
    assert reported(flags) == {Condition.BURST, Condition.BACKFLOW, Condition.DRY, Condition.TAMPER}
    assert reported({StatusFlag.LEAK, StatusFlag.BATTERY_LOW}) == {Condition.METER_LEAK}


@pytest.mark.parametrize(
    ("seconds", "litres", "step", "burst"),
    [(H, 321, 1, False), (H, 322, 1, True), (900, 400, 1, False), (1800, 162, 1, True), (H, 330, 100, False)],
)
def test_a_burst_is_a_fifth_of_q3_for_half_an_hour(seconds, litres, step, burst):
    """320 L/h on the usual meter, beyond the doubt of the register's step."""
    assert is_burst(Between(seconds, litres, step)) is burst


@pytest.mark.parametrize(
    ("litres", "step", "back"), [(-1, 1, False), (-2, 1, True), (-10, 10, False), (5, 1, False)]
)
def test_a_register_that_runs_back_two_steps_is_backflow(litres, step, back):
    """One step is the jitter of a pulse."""
    assert is_backflow(Between(H, litres, step)) is back


@pytest.mark.parametrize(
    ("hours", "every_h", "missing"), [(24, 1, False), (25, 1, True), (100, 24, False), (145, 24, True)]
)
def test_missing_data_is_six_intervals_and_at_least_a_day(hours, every_h, missing):
    """An hourly meter has missing data after a day, a daily one after six."""
    assert is_missing_data(0, hours * H, usual_interval_s=every_h * H) is missing


def test_an_impossible_interval_is_refused():
    """Time runs forward, and an interval is longer than zero."""
    with pytest.raises(ValueError, match="after the first"):
        Between(0, 1)
    with pytest.raises(ValueError, match="positive"):
        is_missing_data(0, 1, usual_interval_s=0)
