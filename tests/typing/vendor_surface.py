"""The vendor surface as a type checker sees it: what an external package may write, and the answers' types.

Nothing here is run, and pytest does not collect it: `make check` reads it with mypy (`[tool.mypy] modules` in
pyproject.toml). The one rule: only names of `core.metering` are used, and each answer's type is asserted, so
that a change of the surface that would break a vendor's package breaks this file first.
"""

from collections.abc import Mapping
from datetime import date, datetime
from types import ModuleType
from typing import ClassVar, assert_type

import drivers.itron
from core.metering import (
    GENERIC,
    Address,
    DecodeStage,
    Envelope,
    Field,
    FlagBits,
    Frame,
    Function,
    GatewayLine,
    Identified,
    Index,
    Measurand,
    MeasuredValue,
    Measurement,
    MeterDriver,
    Opened,
    Proprietary,
    Quantity,
    Record,
    Registry,
    SerialFormat,
    Signature,
    StatusFlag,
    Table,
    TelegramError,
    TelegramFault,
    hookimpl,
    identify,
    load_registry,
    open_telegram,
    parse_line,
    read_frame,
    snapshots,
    standard,
)
from core.metering.conformance import (
    CheckResult,
    DriverConformance,
    Vector,
    differences,
    installed_plugins,
    load_vectors,
    run_checks,
    subjects_of,
)

ALARMS = FlagBits({0: StatusFlag.LEAK, 5: StatusFlag.BATTERY_LOW})
TABLE = Table(
    (
        Field("last_year_volume_m3", Measurand.VOLUME, storage=2),
        Field("max_flow_m3h", Measurand.VOLUME_FLOW, function=Function.MAXIMUM),
        Field("meter_code", header=bytes.fromhex("02FF20")),
    ),
    target=(8,),
    storages=(2, 8),
)


def interpret(frame: Frame) -> Measurement:
    """The function of a driver: questions to the frame, answers as a measurement."""
    values = TABLE.values(frame)
    assert_type(values, dict[str, MeasuredValue])
    record = frame.record(Measurand.ERROR_FLAGS, storage=0, tariff=0, subunit=0)
    assert_type(record, Record | None)
    assert_type(frame.header(b"\x02\xff\x20"), Record | None)
    assert_type(frame.envelope.meter_address.version, int)
    assert_type(frame.envelope.status, int | None)
    if record is None or not isinstance(record.value, int):
        return TABLE.interpret(frame, values)
    flags = ALARMS.flags(record.value)
    assert_type(flags, frozenset[StatusFlag])
    assert_type(snapshots(frame), dict[int, date | datetime | None])
    return TABLE.interpret(frame, values, flags=flags, status_word=record.value)


def interpret_beside_the_standard(frame: Frame) -> Measurement:
    """A driver that knows one value more than the standard."""
    assert_type(frame.manufacturer_data, bytes)
    known = standard(frame, storages=(1, 3))
    return standard(frame, {"battery_years": 10}) if "battery_days" in known.values else standard(frame)


def read_address(envelope: Envelope) -> Address:
    """A vendor's own encrypted frames: the address after the vendor's rotation."""
    return envelope.link_address


def open_envelope(envelope: Envelope, key: bytes | None) -> Frame | None:
    """A vendor's own encrypted frames: opened, refused with the one error, or of a check that fails."""
    if key is None:
        raise TelegramError(
            TelegramFault.KEY_MISSING, DecodeStage.SECURITY, "Encrypted, and no key was given.", offset=11
        )
    if envelope.raw[11] != key[0]:
        return None
    return read_frame(envelope, envelope.raw, 12, opened_from=10)


SMALLEST = MeterDriver(
    name="acme",
    title="Acme water meters",
    signatures=(Signature("ACM"),),
    serial=SerialFormat(pattern=r"\d{8}", example="12345678"),
    interpret=interpret,
)
LARGEST = MeterDriver(
    name="acme",
    title="Acme water and heat meters",
    signatures=(Signature("ACM", 0x01, 0x07), Signature("ACM", medium=0x04), Signature("ACM", version=2)),
    serial=SerialFormat(
        pattern=r"[A-Z]\d{8}",
        example="A 1234 5678",
        canonical=str.upper,
        to_address=lambda serial: Address("ACM", serial[1:], 0x01, 0x07),
        from_address=lambda address: f"A{address.identification}",
    ),
    interpret=interpret_beside_the_standard,
    compact_formats=("0413 4413 426C", "02FF20 0413"),
    medium_of=lambda address: 0x07 if address.version == 1 else address.medium,
    default_keys=(bytes(16),),
    proprietary=Proprietary(
        claims=frozenset({("ACM", 0xA2)}),
        address=read_address,
        open=open_envelope,
        encrypted_from=11,
        shortest=4,
        key_length=8,
    ),
    own_content=lambda envelope: open_envelope(envelope, None),
)


@hookimpl
def submeter_drivers() -> list[MeterDriver]:
    """The hook of a plugin."""
    return [SMALLEST, LARGEST]


class TestAcme(DriverConformance):
    """The conformance tests of a plugin: one import, one line."""

    plugin: ClassVar[ModuleType] = drivers.itron


def decode(text: str, key: bytes | None) -> Measurement:
    """The two steps of intake, as a vendor tries them in a shell."""
    registry = load_registry()
    assert_type(registry, Registry)
    line = parse_line(text)
    assert_type(line, GatewayLine)
    identified = identify(line.telegram, registry, crc_kept=line.crc_kept)
    assert_type(identified, Identified)
    opened = open_telegram(identified, key)
    assert_type(opened, Opened)
    assert_type(opened.measurement.index, Index | None)
    if opened.measurement.index is not None:
        assert_type(opened.measurement.index.fluid_quantity, Quantity)
        assert_type(opened.measurement.index.value, int)
    assert_type(opened.measurement.values, Mapping[str, MeasuredValue])
    assert_type(GENERIC, MeterDriver)
    assert_type(registry.named("acme"), MeterDriver | None)
    return opened.measurement


def check() -> tuple[CheckResult, ...]:
    """The checks of `submeter drivers check`, from a program."""
    subjects, _ = subjects_of(installed_plugins())
    for vector in load_vectors("[[telegram]]"):
        assert_type(vector, Vector)
        assert_type(differences(vector, load_registry(), "acme"), tuple[str, ...])
    return run_checks(subjects)
