"""«Obtenir un relevé» over HTTP: the indexes of a chosen day, as data and as a file."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.models import Meter
from tests.graphql.conftest import HEAT, WATER
from tests.support.factories import NOW

STATEMENT = """query ($day: Date, $language: Language) { viewer { dwellings { indexStatement(day: $day) {
  day csv(language: $language) lines { fluid serial location readAt index { value unit smallest } }
} } } }"""


async def _statement(portal: Any, **asked: Any) -> dict[str, Any]:
    (dwelling,) = (await portal.ask(STATEMENT, **asked))["viewer"]["dwellings"]
    return dict(dwelling["indexStatement"])


@pytest.mark.requirement("R-077")
async def test_the_last_index_of_each_device(claire: Any, home: Any) -> None:
    """By default of today: the last reading of each device, and nothing where there was none."""
    await home.read(WATER, [(NOW - timedelta(days=2), 12_000), (NOW - timedelta(hours=3), 12_345)])
    shown = await _statement(claire)
    assert shown["day"] == "2026-11-22"
    water, heat = shown["lines"]
    assert (water["fluid"], water["serial"], water["index"]) == (
        "COLD_WATER",
        WATER,
        {"value": "12.345", "unit": "CUBIC_METRE", "smallest": 12_345},
    )
    assert water["readAt"] == (NOW - timedelta(hours=3)).isoformat()
    assert (heat["serial"], heat["index"], heat["readAt"]) == (HEAT, None, None)


@pytest.mark.requirement("R-077", "C-21")
async def test_the_index_at_the_end_of_a_chosen_day(claire: Any, home: Any) -> None:
    """The day is the residence's own: a reading at half past midnight there belongs to the next."""
    evening = datetime.fromisoformat("2026-11-10T23:30:00+01:00")
    await home.read(WATER, [(evening, 1_000), (evening + timedelta(hours=1), 1_001)])
    assert (await _statement(claire, day="2026-11-10"))["lines"][0]["index"]["smallest"] == 1_000
    assert (await _statement(claire, day="2026-11-11"))["lines"][0]["index"]["smallest"] == 1_001
    assert (await _statement(claire, day="2026-11-09"))["lines"][0]["index"] is None


@pytest.mark.requirement("R-077")
async def test_the_file_opens_in_a_spreadsheet(claire: Any, home: Any) -> None:
    """Semicolons, a comma in French figures, and no cell that would run as a formula."""
    await Meter.filter(printed_serial=WATER).update(location="=cmd|x")
    await home.read(WATER, [(NOW - timedelta(hours=3), 12_345)])
    assert (await _statement(claire, language="FR"))["csv"].splitlines() == [
        "\ufeffLogement;Fluide;N° de série;Emplacement;Index;Unité;Date",
        f"AA000 A 1 2 12;Eau froide;{WATER};'=cmd|x;12,345;m3;2026-11-22",
        f"AA000 A 1 2 12;Chauffage;{HEAT};;;kWh;",
    ]
    english = (await _statement(claire, language="EN"))["csv"].splitlines()
    assert english[0] == "\ufeffDwelling;Fluid;Serial number;Location;Index;Unit;Date"
    assert ";12.345;m3;2026-11-22" in english[1]


@pytest.mark.parametrize("day", ["2024-01-31", "2020-01-01"])
async def test_a_day_before_the_occupancy_has_no_indexes(claire: Any, home: Any, day: str) -> None:
    """No index of a predecessor's day is disclosed."""
    assert (await claire.refusal(STATEMENT, day=day))["code"] == "FORBIDDEN_PERIOD"
