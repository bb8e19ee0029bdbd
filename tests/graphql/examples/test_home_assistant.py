"""examples/home-assistant: its request by an access token, and its templates as Jinja renders them."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, StrictUndefined
from ruamel.yaml import YAML

from core.models import Meter
from tests.graphql.alerts.test_alerts import leak
from tests.graphql.conftest import WATER
from tests.support.factories import NOW

FOLDER = Path(__file__).resolve().parents[3] / "examples/home-assistant"


@pytest.fixture
def rest() -> Any:
    """The only request of the file; of the tag `!secret` the name of the secret is kept."""
    text = (FOLDER / "submeter.yaml").read_text(encoding="utf-8")
    (found,) = YAML(typ="rt").load(text)["rest"]
    return found


def mutation() -> str:
    """The mutation that the page names for making the token."""
    found = re.search(r"(?s)    mutation \{.*?\n    \}", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert found
    return found[0]


async def asked(portal: Any, rest: Any) -> Any:
    """What the server answers to the file's request with a token made as the page says."""
    issued = (await portal.ask(mutation()))["createAccessToken"]
    assert rest["headers"]["Authorization"].value == "submeter_authorization"
    headers = {**rest["headers"], "Authorization": f"Bearer {issued['token']}"}
    response = await portal.client.request(
        rest["method"], "/graphql", content=str(rest["payload"]), headers=headers
    )
    assert response.status_code == 200, response.text
    assert "errors" not in response.json()
    return response.json()


def sensors(rest: Any, answer: Any) -> dict[str, tuple[bool, str | None]]:
    """Whether each sensor is available, and its state, by its id without the first word."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)
    shown = {}
    for sensor in (*rest["sensor"], *rest["binary_sensor"]):
        available = environment.from_string(sensor.get("availability", "True")).render(value_json=answer)
        state = None
        if available == "True":
            state = environment.from_string(sensor["value_template"]).render(value_json=answer)
        shown[sensor["unique_id"].removeprefix("submeter_")] = (available == "True", state)
    return shown


async def test_the_sensors_of_a_home(claire: Any, home: Any, rest: Any) -> None:
    """Month to date, index and time of the last reading, and the number of active alerts."""
    await home.consume(WATER, date(2026, 11, 1), date(2026, 11, 21), daily=300)
    await home.read(WATER, [(NOW - timedelta(days=1), 12_000), (NOW - timedelta(hours=3), 12_345)])
    await leak(home.meters[WATER], NOW.date() - timedelta(days=3))
    assert sensors(rest, await asked(claire, rest)) == {
        "cold_water_month": (True, "6.300"),
        "cold_water_index": (True, "12.345"),
        "cold_water_last_reading": (True, (NOW - timedelta(hours=3)).isoformat()),
        "active_alerts": (True, "1"),
        "alert": (True, "True"),
    }


async def test_the_sensors_before_the_first_reading(claire: Any, rest: Any) -> None:
    """What is not known is not available, and no figure; there is no alert."""
    shown = sensors(rest, await asked(claire, rest))
    assert {name for name, (available, _) in shown.items() if available} == {"active_alerts", "alert"}
    assert (shown["active_alerts"][1], shown["alert"][1]) == ("0", "False")


async def test_the_index_after_a_meter_was_replaced(claire: Any, home: Any, rest: Any) -> None:
    """Is the present meter's: the one that was removed is left out."""
    await home.read(WATER, [(NOW - timedelta(days=9), 99_000)])
    old = await Meter.get(printed_serial=WATER)
    await Meter.filter(id=old.id).update(removed_at=NOW - timedelta(days=8))
    new = await Meter.create(
        dwelling_id=old.dwelling_id,
        fluid=old.fluid,
        vendor=old.vendor,
        printed_serial="H26CA000001",
        serial_key="H26CA000001",
        radio_address="SAP-26000001-15-07",
        installed_at=NOW - timedelta(days=8),
    )
    home.meters["H26CA000001"] = new.id
    await home.read("H26CA000001", [(NOW - timedelta(hours=3), 1_500)])
    assert sensors(rest, await asked(claire, rest))["cold_water_index"] == (True, "1.500")


def test_its_payload_is_one_query(rest: Any) -> None:
    """JSON after YAML has joined its lines, for all sensors at once; once an hour."""
    body = json.loads(rest["payload"])
    assert set(body) == {"query"}
    assert rest["scan_interval"] == 3600
    assert len({one["unique_id"] for one in (*rest["sensor"], *rest["binary_sensor"])}) == 5
