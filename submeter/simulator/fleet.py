"""The meters of the demo: the serial printed on each meter and its address on air.

In: a number and the day of installation. Out: a `DemoMeter`. The one rule: the address on air is derived from
the printed serial only for makers that do so (Sappel, Kamstrup, Itron), never for ista.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from submeter.simulator import prios
from submeter.simulator.values import DemoMeter, Fluid, Layout, Vendor

_STEPS: Mapping[Layout, int] = MappingProxyType(
    {Layout.KAMSTRUP_HEAT: 1000, Layout.ITRON_WATER: 1, Layout.ISTA_WATER: 1, Layout.ISTA_HEAT: 100}
)


def _key(address: str) -> bytes:
    """A meter's AES key: derived from its address, so the same in every demo; used nowhere else."""
    return hashlib.sha256(f"submeter demo key of {address}".encode()).digest()[:16]


def sappel(fluid: Fluid, serial: str, installed_on: date) -> DemoMeter:
    """A Sappel IZAR: no individual key; its serial fills the whole address, version and medium included."""
    wire = prios.wire_address(serial)
    return DemoMeter(
        fluid=fluid,
        vendor=Vendor.OCEA,
        layout=Layout.PRIOS,
        printed_serial=serial,
        address=f"SAP-{wire[5:1:-1].hex().upper()}-{wire[6]:02X}-{wire[7]:02X}",
        wire_address=wire,
        register_step=1,
        key=None,
        installed_on=installed_on,
    )


def kamstrup(serial: str, medium: int, installed_on: date) -> DemoMeter:
    """A MULTICAL 403: prints its identification, counts whole kilowatt-hours."""
    return _keyed(
        Fluid.HEAT,
        Vendor.KAMSTRUP,
        Layout.KAMSTRUP_HEAT,
        serial,
        serial,
        f"KAM-34-{medium:02X}",
        installed_on,
    )


def itron(serial: str, installed_on: date) -> DemoMeter:
    """An Itron water meter: prints its identification."""
    return _keyed(
        Fluid.COLD_WATER, Vendor.ITRON, Layout.ITRON_WATER, serial, serial, "ITW-00-07", installed_on
    )


def ista(fluid: Fluid, number: int, installed_on: date) -> DemoMeter:
    """An ista meter: the nine printed digits are unrelated to the eight on air."""
    serial = f"{(542_361_524 + 7_919_417 * number) % 10**9:09d}"
    identification = f"{(76_048_392 + 3_571_113 * number) % 10**8:08d}"
    if fluid is Fluid.HEAT:
        return _keyed(fluid, Vendor.ISTA, Layout.ISTA_HEAT, serial, identification, "IST-A9-04", installed_on)
    return _keyed(fluid, Vendor.ISTA, Layout.ISTA_WATER, serial, identification, "IST-31-07", installed_on)


def _keyed(
    fluid: Fluid,
    vendor: Vendor,
    layout: Layout,
    serial: str,
    identification: str,
    model: str,
    installed_on: date,
) -> DemoMeter:
    """A meter with a key; `model` is manufacturer, version and medium, `KAM-34-0C`."""
    maker, version, medium = model.split("-")
    address = f"{maker}-{identification}-{version}-{medium}"
    code = sum((ord(letter) - 64) << shift for letter, shift in zip(maker, (10, 5, 0), strict=True))
    wire = code.to_bytes(2, "little") + bytes.fromhex(identification)[::-1] + bytes.fromhex(version + medium)
    return DemoMeter(
        fluid=fluid,
        vendor=vendor,
        layout=layout,
        printed_serial=serial,
        address=address,
        wire_address=wire,
        register_step=_STEPS[layout],
        key=_key(address),
        installed_on=installed_on,
    )
