"""core.metering.registry: plugins found, broken ones named, conflicts refused."""

import sys
import types
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from core.metering import (
    GENERIC,
    Address,
    DriverConflict,
    Measurement,
    MeterDriver,
    Proprietary,
    SerialFormat,
    Signature,
    hookimpl,
    identify,
    load_registry,
    open_telegram,
)
from tests.support.makers.vendors import OUR_DRIVERS

STRANGER = MeterDriver(
    name="acme",
    title="Acme",
    signatures=(Signature("ACM", medium=0x07), Signature("ACM", 0x01, 0x07)),
    serial=SerialFormat(pattern=r"\d{8}", example="12345678"),
    interpret=lambda _frame: Measurement(),
)


@pytest.fixture
def plugin(monkeypatch):
    """Makes a module that answers the hook with the drivers given, and its entry point."""

    def make(name, *drivers, body=None):
        module = types.ModuleType(f"plugin_{name}")

        @hookimpl
        def submeter_drivers():
            return body() if body is not None else list(drivers)

        module.submeter_drivers = submeter_drivers
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return EntryPoint(name, module.__name__, "submeter.drivers")

    return make


def test_our_vendors_come_through_entry_points(registry):
    """Our vendors are found as another's package would be, and none is broken."""
    assert [loaded.driver.name for loaded in registry.drivers] == list(OUR_DRIVERS)
    assert {loaded.distribution for loaded in registry.drivers} == {"submeter"}
    assert registry.broken == ()


def test_anothers_driver_works_like_ours(plugin):
    """A package that nobody here knows brings a driver, and its meters are decoded by it."""
    registry = load_registry([plugin("acme", STRANGER)])
    assert registry.named("acme") is STRANGER
    assert registry.driver_for(Address("ACM", "12345678", 0x05, 0x07)) is STRANGER
    telegram = bytes.fromhex("0F446D0478563412050778041301000000")
    telegram = bytes((len(telegram) - 1,)) + telegram[1:]
    assert open_telegram(identify(telegram, registry), None).identified.driver is STRANGER


def test_a_broken_plugin_is_named_and_the_others_work(plugin):
    """Failing at import, at the hook, or answering rubbish: reported by name, and the rest is there."""

    def explode():
        raise RuntimeError("no licence file")

    silent = types.ModuleType("plugin_silent")
    sys.modules[silent.__name__] = silent
    registry = load_registry(
        [
            plugin("acme", STRANGER),
            EntryPoint("absent", "no_such_package_anywhere", "submeter.drivers"),
            plugin("exploding", body=explode),
            plugin("rubbish", "a driver"),
            plugin("nothing", body=lambda: 5),
            EntryPoint("silent", "plugin_silent", "submeter.drivers"),
        ]
    )
    del sys.modules[silent.__name__]
    assert [loaded.driver.name for loaded in registry.drivers] == ["acme"]
    reasons = {broken.name: broken.reason for broken in registry.broken}
    assert sorted(reasons) == ["absent", "exploding", "nothing", "rubbish", "silent"]
    assert "ModuleNotFoundError" in reasons["absent"]
    assert "no licence file" in reasons["exploding"]


@pytest.mark.parametrize(
    "rival",
    [
        replace(STRANGER, name="rival"),
        replace(STRANGER, signatures=()),
        replace(
            STRANGER,
            name="rival",
            signatures=(),
            proprietary=Proprietary(
                frozenset({("ACM", 0xA0)}), address=lambda _: None, open=lambda _, __: None
            ),
        ),
    ],
    ids=["signature", "name", "proprietary frame"],
)
def test_two_drivers_that_claim_the_same_are_both_named(plugin, rival):
    """A conflict stops the start, and the message names both drivers and their packages."""
    first = replace(
        STRANGER, proprietary=Proprietary(frozenset({("ACM", 0xA0)}), lambda _: None, lambda _, __: None)
    )
    with pytest.raises(DriverConflict) as caught:
        load_registry([plugin("one", first), plugin("two", rival)])
    assert "plugin one" in str(caught.value)
    assert "plugin two" in str(caught.value)


def test_the_more_specific_claim_wins(plugin):
    """Version and medium before version, before medium, before the maker alone."""
    claims = {
        "exact": Signature("ACM", 0x01, 0x07),
        "version": Signature("ACM", 0x01),
        "medium": Signature("ACM", None, 0x07),
        "maker": Signature("ACM"),
    }
    registry = load_registry(
        [plugin(name, replace(STRANGER, name=name, signatures=(claim,))) for name, claim in claims.items()]
    )
    asked = {"exact": (0x01, 0x07), "version": (0x01, 0x06), "medium": (0x02, 0x07), "maker": (0x02, 0x06)}
    for name, (version, medium) in asked.items():
        assert registry.driver_for(Address("ACM", "12345678", version, medium)).name == name


def test_an_unknown_meter_falls_to_the_generic_driver(registry):
    """No claimant: the standard alone reads it."""
    assert registry.driver_for(Address("XYZ", "12345678", 1, 7)) is GENERIC
    assert registry.named("generic") is GENERIC
    assert registry.named("nobody") is None


def test_no_driver_shows_its_default_keys(registry):
    """repr of the registry holds no key of a vendor."""
    shown = repr(registry)
    for loaded in registry.drivers:
        for key in loaded.driver.default_keys:
            assert repr(key) not in shown
