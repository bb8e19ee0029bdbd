"""States that are kept after the latest readings give what a replay gives, with less to do."""

import numpy as np
import pytest

from core.leaks.classifier.classify import Classifier, Readings
from core.leaks.classifier.live import LiveStates
from core.leaks.classifier.stream import LATE_S, Memory, follow

H = 3600
HOURS, METERS = 8 * 24, 6


def series(chance):
    """A home's hourly readings for eight days: quiet nights, and a leak that grows and ends."""
    at_s = np.arange(HOURS) * H + int(chance.integers(H))
    hour = np.arange(HOURS) % 24
    amounts = np.where(hour < 6, 0, chance.choice([0, 0, 4, 30, 120], HOURS))
    first, last = sorted(int(one) for one in chance.integers(24, HOURS, 2))
    amounts[first:last] += int(chance.choice([0, 6, 15, 60]))
    amounts[(first + last) // 2 : last] += int(chance.choice([0, 0, 40]))
    return Readings.of(at_s, np.cumsum(amounts))


def arriving(readings, chance, share_late):
    """The readings by the hour of their arrival: some late, some twice."""
    late = np.where(chance.random(HOURS) < share_late, chance.integers(0, LATE_S - H, HOURS), 0)
    came = (readings.at_s + late) // H
    again = chance.random(HOURS) < share_late
    order = np.concatenate((np.arange(HOURS), np.flatnonzero(again)))
    moments = np.concatenate((came, came[again] + 3))
    return [order[moments == hour] for hour in range(int(moments.max()) + 1)]


def outcome(followed):
    """What one update found and would store, as values that can be compared."""
    memory = followed.memory
    pending = [part.tolist() for part in memory.pending]
    stored = memory.settled, memory.settled_s, pending, memory.changes
    return stored, followed.runs, followed.from_s, followed.too_late


@pytest.mark.parametrize("share_late", [0.0, 0.1])
def test_what_is_continued_is_what_a_replay_finds(share_late) -> None:
    """Eight days of six meters, hour by hour: runs, evidence and the states to store are the very same
    with states kept of all meters, and of two; whether or not readings come late or twice, and
    whether or not another process took some of the hours in.
    """
    chance = np.random.default_rng([2, round(100 * share_late)])
    homes = [series(chance) for _ in range(METERS)]
    hours = [arriving(one, chance, share_late) for one in homes]
    memories = [Memory() for _ in homes]
    workers = LiveStates(2), LiveStates(100)
    leaks = set()
    for hour in range(max(map(len, hours))):
        some = [number for number in range(METERS) if hour < len(hours[number]) and chance.random() < 0.9]
        if not some:
            continue
        for number in range(METERS):  # what another batch leaves for the next
            if number not in some and hour + 1 < len(hours[number]):
                hours[number][hour + 1] = np.concatenate((hours[number][hour], hours[number][hour + 1]))
        arrived = [Readings(*(part[hours[number][hour]] for part in homes[number])) for number in some]
        known = [memories[number] for number in some]
        replayed = follow(known, arrived, step_litres=1)
        for live in workers:
            if chance.random() < 0.95:
                followed = follow(known, arrived, step_litres=1, live=live, keys=some)
                assert list(map(outcome, followed)) == list(map(outcome, replayed))
        for number, one in zip(some, replayed, strict=True):
            memories[number] = one.memory
            leaks |= {(number, run.detected_s) for run in one.runs}
    assert len(leaks) >= 2


def test_a_reading_that_was_corrected_leads_to_a_replay() -> None:
    """The index of 20 hours ago turns out to have been another: what was kept is not continued."""
    home = series(np.random.default_rng(3))
    live = LiveStates()
    first = Readings(*(part[:100] for part in home))
    follow([Memory()], [first], step_litres=1, live=live, keys=[7])
    litres = home.litres.copy()
    litres[80] -= 1
    corrected = Readings(home.at_s, litres, home.serial)
    arrived = [Readings(*(part[:101] for part in corrected))]
    found = follow([Memory()], arrived, step_litres=1, live=live, keys=[7])
    assert list(map(outcome, found)) == list(map(outcome, follow([Memory()], arrived, step_litres=1)))


def test_an_hour_more_costs_an_hour_and_not_a_day(monkeypatch) -> None:
    """Of ten meters, each hour by itself, 2 to 3 readings are processed a reading, and 25 or more without:
    each is taken once when it arrives, and once more when it is settled.
    """
    taken = []
    take = Classifier.take

    def counted(self, meters, *columns):
        taken.append(len(meters))
        return take(self, meters, *columns)

    monkeypatch.setattr(Classifier, "take", counted)
    costs = []
    for live in (LiveStates(), None):
        chance = np.random.default_rng(5)
        homes = [series(chance) for _ in range(10)]
        memories = [Memory() for _ in homes]
        taken.clear()
        for hour in range(100):
            arrived = [Readings(*(part[hour : hour + 1] for part in one)) for one in homes]
            found = follow(memories, arrived, step_litres=1, live=live, keys=range(10))
            memories = [one.memory for one in found]
        costs.append(sum(taken) / 1000)
    assert costs[0] < 2.5
    assert costs[1] > 20


def test_days_that_arrive_at_once_are_not_taken_from_what_was_kept(monkeypatch) -> None:
    """After two hours that were kept, eight days at once are taken once each: the states
    that settling makes are gone on from. What is found is the same.
    """
    taken = []
    take = Classifier.take

    def counted(self, meters, *columns):
        taken.append(len(meters))
        return take(self, meters, *columns)

    monkeypatch.setattr(Classifier, "take", counted)
    home, live = series(np.random.default_rng(3)), LiveStates()
    first, rest = (Readings(*(part[some] for part in home)) for some in (slice(2), slice(2, None)))
    (begun,) = follow([Memory()], [first], step_litres=1, live=live, keys=[7])
    taken.clear()
    kept = follow([begun.memory], [rest], step_litres=1, live=live, keys=[7])
    assert sum(taken) == HOURS
    assert list(map(outcome, kept)) == list(map(outcome, follow([begun.memory], [rest], step_litres=1)))
