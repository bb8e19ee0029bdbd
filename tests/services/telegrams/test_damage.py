"""Damaged lines among true ones through the whole intake: the figures are those of the true lines alone.

What the figures are compared with is taken in once for each driver, on SQLite; either database must give it.
"""

import asyncio
import random
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from core.bootstrap import open_application
from core.services.places.key_encryption import KeyEncryption
from core.settings import Settings
from submeter.simulator.values import Fluid
from tests.conftest import SECRET_KEY
from tests.support.damaging import damage, damage_report, damaged_lines
from tests.support.damaging.damaged_lines import Delivery

METERS, HOURS, COUNT = 14, 60, 300


def prepared(driver, seed):
    chance = random.Random(f"{driver} {seed}")
    homes = damage.households(driver, METERS, HOURS, chance)
    true_ones = damaged_lines.true_lines(homes, HOURS)
    return chance, homes, true_ones, damaged_lines.damaged_lines(homes, HOURS, COUNT, chance)


@pytest.fixture(scope="module")
def on_sqlite(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, registry
) -> Callable[..., Any]:
    """Describes homes in an empty SQLite database, takes deliveries in, and answers what `outcome` finds."""

    def outcome_of(homes, submitted, outcome: Callable[[], Coroutine[Any, Any, Any]]):
        async def taken_in():
            async with open_application(settings, registry=registry) as application:
                await damaged_lines.describe(homes, KeyEncryption.under(SECRET_KEY))
                await damaged_lines.take(application, submitted)
                return await outcome()

        folder = tmp_path_factory.mktemp("expected")
        shutil.copyfile(sqlite_template, folder / "expected.db")
        settings = Settings(folder, f"sqlite:///{folder}/expected.db", SECRET_KEY, log_level="WARNING")
        return asyncio.run(taken_in())

    return outcome_of


@pytest.fixture(scope="module")
def damaged(request, on_sqlite, registry):
    """A driver's homes, its true and damaged lines as delivered, and the figures of the true ones."""
    chance, homes, true_ones, others = prepared(request.param, 5)
    harmless = {line for line in others if damaged_lines.tells_the_truth(line, homes, registry)}
    whole = damaged_lines.deliveries([*true_ones, *others], HOURS, chance, shuffled=True)
    only_true = [
        Delivery(tuple(line for line in one.lines if line.kind is None or line in harmless), one.now)
        for one in whole
    ]
    truth = on_sqlite(homes, only_true, damaged_lines.figures)
    assert len(truth.reading) > 0.9 * len(true_ones)
    assert bool(truth.episodes) is any(home.meter.fluid is not Fluid.HEAT for home in homes)
    return homes, whole, truth


@pytest.mark.parametrize(
    ("damaged", "database_url"),
    [("ista", "postgresql"), ("itron", "sqlite"), ("kamstrup", "postgresql"), ("ocea", "sqlite")],
    indirect=True,
)
async def test_damaged_lines_change_no_figure(damaged, application, key_encryption) -> None:
    """300 damaged lines of a driver among 840 true ones, encrypted and plain, in seven formats: no litre in
    any hour or day, no alert and no message is wrong, no true reading is lost and no false one counts, but
    for those between their true neighbours of which nothing proves the telegram: at most one line in thirty.
    """
    homes, whole, truth = damaged
    await damaged_lines.describe(homes, key_encryption)
    await damaged_lines.take(application, whole)
    found = await damaged_lines.figures()
    differences = damage_report.compare(truth, found, homes).values()
    assert [row for one in differences for row in one.wrong] == []
    assert truth.messages == found.messages
    assert sum(one.undetectable + one.undecided for one in differences) <= COUNT // 30
    assert len(found.doubtful) > len(truth.doubtful)


@pytest.fixture(scope="module", params=["ocea", "ista"])
def ordered(request, on_sqlite):
    """A driver's homes, true and damaged lines with a time, and what they give by the clock."""
    chance, homes, true_ones, others = prepared(request.param, 7)
    lines = [
        line
        for line in (*true_ones, *others)
        if damaged_lines.shape_of(line.home) not in damaged_lines.UNTIMED
    ]
    by_the_clock = damaged_lines.deliveries(lines, HOURS, chance, shuffled=False)
    return homes, lines, on_sqlite(homes, by_the_clock, stored)


async def test_the_order_of_damaged_lines_does_not_matter(
    ordered, application, key_encryption, database_url
) -> None:
    """Lines with a time, by the clock and in two other orders and cuts, one on each database: the same
    readings that count, the same doubtful ones, hours, days, alerts and leaks.
    """
    homes, lines, expected = ordered
    chance = random.Random(database_url.partition(":")[0])
    await damaged_lines.describe(homes, key_encryption)
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
