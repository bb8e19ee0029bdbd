"""Our drivers pass what a stranger's has to pass, by the same import."""

import json

import drivers.apator
import drivers.bfw
import drivers.bmeters
import drivers.innotas
import drivers.integra
import drivers.ista
import drivers.itron
import drivers.kamstrup
import drivers.ocea
from core.metering import parse_line
from core.metering.conformance import DriverConformance, installed_plugins, subjects_of
from tests.conformance.conftest import ROOT


class TestApator(DriverConformance):
    plugin = drivers.apator


class TestBfw(DriverConformance):
    plugin = drivers.bfw


class TestBmeters(DriverConformance):
    plugin = drivers.bmeters


class TestInnotas(DriverConformance):
    plugin = drivers.innotas


class TestIntegra(DriverConformance):
    plugin = drivers.integra


class TestIsta(DriverConformance):
    plugin = drivers.ista


class TestItron(DriverConformance):
    plugin = drivers.itron


class TestKamstrup(DriverConformance):
    plugin = drivers.kamstrup


class TestOcea(DriverConformance):
    plugin = drivers.ocea


def test_every_telegram_of_ours_stands_beside_its_driver() -> None:
    """The 54 own vectors are in the drivers' vectors.toml, so conformance looks at each of them."""
    subjects, broken = subjects_of(installed_plugins())
    known = {vector.telegram for subject in subjects for vector in subject.vectors}
    records = json.loads((ROOT / "tests" / "data" / "own_vectors.json").read_text())["records"]
    assert broken == ()
    assert [record["id"] for record in records if parse_line(record["telegram"]).telegram not in known] == []
