"""A gateway's file with everything that real files have: nothing is lost, nothing is stored twice."""

import asyncio
import json
import os
import random
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.access import SYSTEM
from core.bootstrap import Application
from core.services.places.key_encryption import KeyEncryption
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import replay, take_in
from core.settings import Settings
from submeter.demo.world import describe
from submeter.simulator.plan import demo_plan
from submeter.simulator.telegrams import history_lines
from submeter.simulator.values import DemoMeter, DemoPlan, Fluid, Layout
from tests.support.demo import change_meters, dwellings

ANCHOR = datetime(2026, 11, 22, 6, tzinfo=UTC)
GARBAGE = (
    "no telegram {}",
    "{{not json {}",
    "telegram=|no hex {}|",
    "T1;1;1;2026-07-14 08:15:42;97;148;1;0xZ{}",
)


@pytest.fixture(scope="module")
def plan() -> DemoPlan:
    return demo_plan(ANCHOR, history_days=30, hourly_days=2)


def _meter(plan: DemoPlan, layout: Layout, fluid: Fluid) -> DemoMeter:
    return next(
        meter
        for dwelling in dwellings(plan)
        for meter in dwelling.meters
        if meter.layout is layout and meter.fluid is fluid
    )


@pytest.fixture(scope="module")
def mixed(plan: DemoPlan) -> tuple[DemoPlan, list[str]]:
    """The meters known at first, and 1,000 lines: 750 good, 100 of them again, and 3 x 50 bad ones."""
    unknown, wrong = (
        _meter(plan, Layout.KAMSTRUP_HEAT, Fluid.HEAT),
        _meter(plan, Layout.ITRON_WATER, Fluid.COLD_WATER),
    )
    known = change_meters(plan, {unknown.address: None, wrong.address: replace(wrong, key=bytes(16))})
    lines = list(history_lines(plan))
    special = {unknown.address, wrong.address}
    good = [line.text for line in lines if line.meter_address not in special][:750]
    of_unknown = [line.text for line in lines if line.meter_address == unknown.address][:50]
    of_wrong = [line.text for line in lines if line.meter_address == wrong.address][:50]
    garbage = [GARBAGE[place % len(GARBAGE)].format(place) for place in range(50)]
    chance = random.Random(4)
    mixture = good + chance.sample(good, 100) + of_unknown + of_wrong + garbage
    chance.shuffle(mixture)
    assert len(mixture) == 1000
    return known, mixture


async def test_each_line_is_counted_by_its_outcome(
    application: Application,
    key_encryption: KeyEncryption,
    plan: DemoPlan,
    mixed: tuple[DemoPlan, list[str]],
    now: datetime,
) -> None:
    """The summary has exactly the file's counts; replay stores dead letters once their cause is removed."""
    known, lines = mixed
    await describe(known, key_encryption, now=now)
    summary = await take_in(application, SYSTEM, lines, source="mixed.log", now=now)
    assert (summary.lines, summary.stored, summary.duplicates) == (1000, 750, 100)
    assert summary.unusable == {"NOT_A_TELEGRAM": 50, "KEY_WRONG": 50, "UNKNOWN_METER": 50}

    await describe(plan, key_encryption, now=now)
    replayed = await replay(application, SYSTEM, now=now)
    assert (replayed.lines, replayed.stored) == (150, 100)
    assert sum(replayed.unusable.values()) == 50, "garbage remains unusable"
    again = await replay(application, SYSTEM, now=now)
    assert (again.lines, again.stored) == (50, 0)


async def test_a_file_ingested_again_stores_nothing_twice(
    application: Application, key_encryption: KeyEncryption, mixed: tuple[DemoPlan, list[str]], now: datetime
) -> None:
    """The second time every good line is a duplicate, and the bad ones are kept once."""
    known, lines = mixed
    await describe(known, key_encryption, now=now)
    await take_in(application, SYSTEM, lines, source="mixed.log", now=now)
    again = await take_in(application, SYSTEM, lines, source="mixed.log", now=now)
    assert (again.stored, again.duplicates, sum(again.unusable.values())) == (0, 850, 150)
    assert (await replay(application, SYSTEM, now=now)).lines == 150


@pytest.mark.usefixtures("application")
async def test_nothing_is_lost_when_the_process_is_killed(
    settings: Settings, mixed: tuple[DemoPlan, list[str]], key_encryption: KeyEncryption, now: datetime
) -> None:
    """Killed halfway (SIGKILL) and run again, the file's readings are all there, each once."""
    known, lines = mixed
    await describe(known, key_encryption, now=now)
    first = await _ingesting(settings)
    assert first.stdin is not None
    # The pipe remains open: the process has stored some batches and waits for more lines when it is killed.
    first.stdin.write("".join(f"{line}\n" for line in lines[:600]).encode())
    await first.stdin.drain()
    while not await _stored():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(first.wait(), timeout=0.05)
    first.kill()
    assert await first.wait() == -signal.SIGKILL
    half = await _stored()
    assert 0 < half < 750

    second = await _ingesting(settings)
    output, _ = await second.communicate("".join(f"{line}\n" for line in lines).encode())
    summary = json.loads(output)
    assert (summary["lines"], summary["stored"]) == (1000, 750 - half)
    assert summary["duplicates"] == 100 + half
    assert summary["unusable"] == {"KEY_WRONG": 50, "NOT_A_TELEGRAM": 50, "UNKNOWN_METER": 50}
    assert await _stored() == 750


async def _ingesting(settings: Settings) -> asyncio.subprocess.Process:
    """`submeter ingest -` in small batches, as a process of its own."""
    environment = os.environ | {
        "SUBMETER_DATA_DIR": str(settings.data_dir),
        "SUBMETER_DATABASE_URL": settings.database_url,
        "SUBMETER_SECRET_KEY": settings.secret_key,
        "SUBMETER_INTAKE_BATCH_LINES": "40",
    }
    command = [sys.executable, "-m", "submeter.main", "ingest", "-", "--json"]
    pipe, quiet = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=quiet, env=environment, cwd=settings.data_dir
    )


async def _stored() -> int:
    """How many readings the database of the open application holds."""
    rows = await current_database().execute_query_dict("SELECT COUNT(*) AS stored FROM reading")
    return int(rows[0]["stored"])
