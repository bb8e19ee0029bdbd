"""Damaged lines among true ones through the whole intake: the figures are those of the true lines alone."""

import random

import pytest

from tests.support.damaging import damage, damage_report, damaged_lines
from tests.support.damaging.damaged_lines import Delivery

METERS, HOURS, COUNT = 14, 60, 300


def prepared(driver, seed):
    chance = random.Random(f"{driver} {seed}")
    homes = damage.households(driver, METERS, HOURS, chance)
    true_ones = damaged_lines.true_lines(homes, HOURS)
    return chance, homes, true_ones, damaged_lines.damaged_lines(homes, HOURS, COUNT, chance)


@pytest.mark.parametrize("driver", damage.DRIVERS)
async def test_damaged_lines_change_no_figure(application, key_encryption, driver) -> None:
    """300 damaged lines of a driver among 840 true ones, encrypted and plain, in seven formats: no litre in
    any hour or day, no alert and no message is wrong, no true reading is lost and no false one counts, but
    for those between their true neighbours of which nothing proves the telegram: at most one line in thirty.
    """
    chance, homes, true_ones, others = prepared(driver, 5)
    await damaged_lines.describe(homes, key_encryption)
    harmless = {line for line in others if damaged_lines.tells_the_truth(line, homes, application.registry)}
    whole = damaged_lines.deliveries([*true_ones, *others], HOURS, chance, shuffled=True)
    only_true = [
        Delivery(tuple(line for line in one.lines if line.kind is None or line in harmless), one.now)
        for one in whole
    ]
    await damaged_lines.take(application, only_true)
    truth = await damaged_lines.figures()
    assert len(truth.reading) > 0.9 * len(true_ones)
    await damaged_lines.forget()
    await damaged_lines.take(application, whole)
    found = await damaged_lines.figures()
    differences = damage_report.compare(truth, found, homes).values()
    assert [row for one in differences for row in one.wrong] == []
    assert truth.messages == found.messages
    assert sum(one.undetectable + one.undecided for one in differences) <= COUNT // 30
    assert len(found.doubtful) > len(truth.doubtful)


@pytest.mark.parametrize("driver", ["ocea", "ista"])
async def test_the_order_of_damaged_lines_does_not_matter(application, key_encryption, driver) -> None:
    """Lines with a time, by the clock and in three other orders and cuts: the same readings that count, the
    same doubtful ones, hours, days, alerts and leaks.
    """
    chance, homes, true_ones, others = prepared(driver, 7)
    lines = [
        line
        for line in (*true_ones, *others)
        if damaged_lines.shape_of(line.home) not in damaged_lines.UNTIMED
    ]
    await damaged_lines.describe(homes, key_encryption)
    await damaged_lines.take(application, damaged_lines.deliveries(lines, HOURS, chance, shuffled=False))
    expected = await stored()
    for _ in range(3):
        await damaged_lines.forget()
        await damaged_lines.take(application, damaged_lines.deliveries(lines, HOURS, chance, shuffled=True))
        assert await stored() == expected


async def stored():
    """The tables without the moments and numbers that the order of arrival gives."""
    found = await damaged_lines.figures()
    return (
        found.reading,
        found.doubtful,
        found.hourly,
        found.daily,
        frozenset((row[0], row[1], *row[3:]) for row in found.alerts),
        found.episodes,
    )
