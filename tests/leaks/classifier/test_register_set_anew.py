"""A register that was set anew, upwards: the step is neither water nor a reason to end or to raise a leak."""

import numpy as np
import pytest

from core.leaks.classifier.classify import Classifier, Readings
from core.leaks.classifier.stream import Memory, follow

HOUR = 3600


@pytest.mark.parametrize("step_litres", [1, 10])
def test_the_step_of_a_register_set_anew_is_no_water(step_litres):
    """20 L/h for four days, the register 4,000 m3 further after two: about 1,900 L are lost, not 4,000 m3,
    and it is one leak.
    """
    hours = np.arange(97)
    litres = (100_000 + 20 * hours) // step_litres * step_litres + np.where(hours >= 48, 4_000_000, 0)
    readings = Readings.of((hours * HOUR).tolist(), litres.tolist())
    (followed,) = follow(
        [Memory()], [readings], step_litres=step_litres, capacity_litres=10**8, possible_lph=[5000.0]
    )
    (run,) = followed.runs
    assert 1_700 < run.lost_litres < 2_000
    assert run.until_s is None


def test_what_a_meter_can_draw_does_not_break_its_series():
    """5,000 L in an hour by a meter of 5 m3/h goes on; 5,200 L begins anew. Unknown: nothing breaks."""
    for possible, rise, total in (([5000.0], 5_000, 5_000), ([5000.0], 5_200, 5_200), (None, 10**7, 10**7)):
        classifier = Classifier(1, step_litres=1, capacity_litres=10**8, possible_lph=possible)
        classifier.update([Readings.of([0, HOUR, 2 * HOUR], [0, rise, rise + 1])])
        went_on = classifier.state["index"][2, 0] == 0
        assert classifier.state["top"][0] == total + 1
        assert went_on == (rise != 5_200)
