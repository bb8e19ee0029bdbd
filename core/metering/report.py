"""The readable report: one telegram, layer by layer, and where it failed.

In: a gateway line, the registry, a key. Out: a frozen `DecodeReport` for a person at a terminal and, as a
dictionary, for a program. The one rule: a report never raises for a bad telegram and never shows a key; what
could be read before the failure is in it.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from core.mbus.envelope import Envelope
from core.mbus.errors import TelegramError
from core.mbus.frame import Frame
from core.mbus.lines import GatewayLine, parse_line
from core.mbus.records import Record
from core.mbus.vocabulary import Integrity
from core.metering.decode import Identified, Opened, clear_part, identify, open_telegram
from core.metering.measurement import Measurement
from core.metering.reception import as_received
from core.metering.registry import Registry


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer that was read: its name, the byte where it begins, its fields in words."""

    name: str
    offset: int
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DecodeReport:
    """All that is known about one telegram.

    Args:
        line: what the gateway sent; None when the line itself was refused.
        driver: the name of the driver that was asked; None before one was found.
        layers: in the order of the telegram.
        records: the records of the application layer with offsets.
        measurement: what the telegram means; None when it could not be opened.
        error: what failed and where; None when all went well.
        integrity: what proved the telegram whole; None when it could not be opened.
        no_values: why a telegram that was opened gives no values; None when it gives some, or was not opened.

    """

    line: GatewayLine | None = None
    identified: Identified | None = None
    layers: tuple[Layer, ...] = ()
    records: tuple[Record, ...] = ()
    measurement: Measurement | None = None
    error: TelegramError | None = None
    integrity: Integrity | None = None
    no_values: str | None = None

    @property
    def driver(self) -> str | None:
        """The driver that was asked; None before one was found."""
        return None if self.identified is None else self.identified.driver.name

    @property
    def address(self) -> str | None:
        """The meter, as text; known even when the content remains encrypted."""
        return None if self.identified is None else str(self.identified.address)

    @property
    def named(self) -> dict[str, str]:
        """Other numbers than the address's that the telegram names: of the radio, the meter, its label.

        A meter that is registered under one of them is found by the other as its alias.
        """
        if self.identified is None:
            return {}
        address, envelope = self.identified.address, self.identified.envelope
        other: dict[str, str] = {}
        if envelope.link_address.identification != envelope.meter_address.identification:
            other["radio"] = str(envelope.link_address)
        values = {} if self.measurement is None else self.measurement.values
        for name in _NUMBERS:
            number = str(values[name]).strip() if name in values else ""
            if number and _digits(number) != _digits(address.identification):
                other[name] = number
        return other

    def as_dict(self) -> dict[str, Any]:
        """The report in JSON's own types; decimals and dates as text, bytes as hexadecimal."""
        return {
            "telegram": None if self.line is None else self.line.telegram.hex().upper(),
            "received_at": _plain(self.line.received_at) if self.line is not None else None,
            "rssi_dbm": None if self.line is None else self.line.rssi_dbm,
            "address": self.address,
            "driver": self.driver,
            "named": self.named,
            "layers": [
                {"name": layer.name, "offset": layer.offset, **dict(layer.fields)} for layer in self.layers
            ],
            "records": [_record(record) for record in self.records],
            "measurement": None if self.measurement is None else _measurement(self.measurement),
            "integrity": None if self.integrity is None else self.integrity.value,
            "no_values": self.no_values,
            "error": None if self.error is None else _error(self.error),
        }


_NUMBERS = ("fabrication_no", "enhanced_id")


def _digits(number: str) -> str:
    return number.upper().lstrip("0")


def explain(line: str, registry: Registry, key: bytes | None = None) -> DecodeReport:
    """Decodes one line as far as it goes.

    Args:
        line: in any shape that `parse_line` reads, plain hexadecimal included.
        registry: the installed drivers.
        key: the meter's key, if there is one.

    """
    report = DecodeReport()
    try:
        parsed = parse_line(line)
        report = replace(report, line=parsed)
        identified = identify(parsed.telegram, registry, crc_kept=parsed.crc_kept)
        report = replace(report, identified=identified, layers=_layers(identified.envelope))
        opened = open_telegram(identified, key)
    except TelegramError as error:
        return _besides_a_encrypted_record(replace(report, error=error))
    return replace(
        report,
        layers=_layers(opened.frame.envelope, opened.frame),
        records=opened.frame.records,
        measurement=as_received(opened.measurement, parsed.received_at),
        integrity=Integrity.strongest(
            opened.integrity, Integrity.LINK_CHECKSUM if parsed.checked else Integrity.NOTHING
        ),
        no_values=why_no_values(opened),
    )


def _besides_a_encrypted_record(report: DecodeReport) -> DecodeReport:
    """With what the telegram says beside a record that was not opened."""
    part = None if report.identified is None else clear_part(report.identified)
    if part is None:
        return report
    frame, measurement = part
    return replace(report, records=frame.records, measurement=measurement)


_CLOCK: Final = frozenset({"meter_datetime"})


def why_no_values(opened: Opened) -> str | None:
    """Why a telegram that was opened gives no values; None when it gives some."""
    frame, measured = opened.frame, opened.measurement.values
    if len(measured) > len(_CLOCK) or measured.keys() - _CLOCK:
        return None
    if measured:
        return "The telegram holds no values but the meter's clock."
    driver = opened.identified.driver.name
    if not frame.layout.places:
        size = len(frame.manufacturer_data)
        if not size:
            return "The telegram holds no values: it has no records."
        return (
            f"The telegram holds no values: it has only {size} bytes of manufacturer data, which the driver"
            f" {driver} does not read."
        )
    count = len(frame.values)
    if all(value is None for value in frame.values):
        return f"The telegram holds no values: its records ({count}) are marked as having none."
    return f"The telegram holds no values: its records ({count}) are none that the driver {driver} publishes."


def _layers(envelope: Envelope, frame: Frame | None = None) -> tuple[Layer, ...]:
    layers = [
        Layer(
            "link",
            0,
            (
                ("kind", "wired" if envelope.wired else "radio"),
                ("control", f"{envelope.control:02X}"),
                ("address", str(envelope.link_address)),
            ),
        )
    ]
    extended = envelope.extended_link
    if extended is not None:
        fields = [
            ("ci", f"{extended.ci:02X}"),
            ("communication_control", f"{extended.communication_control:02X}"),
            ("access_number", str(extended.access_number)),
            ("encrypted", "yes" if extended.encrypted else "no"),
        ]
        if extended.address is not None:
            fields.append(("address", str(extended.address)))
        layers.append(Layer("extended link", 10, tuple(fields)))
    authentication = envelope.authentication
    if authentication is not None:
        counter = authentication.message_counter
        number = "none" if counter is None else str(int.from_bytes(counter, "little"))
        start = 10 if extended is None else extended.payload
        code = authentication.mac.hex().upper() or "none"
        layers.append(Layer("authentication", start, (("message_counter", number), ("code", code))))
    transport = envelope.transport
    if transport is not None:
        fields = [("ci", f"{transport.ci:02X}"), ("security", envelope.security.value)]
        fields.append(("security_mode", str(transport.security_mode)))
        if transport.address is not None:
            fields.append(("address", str(transport.address)))
        if transport.status is not None:
            fields += [("access_number", str(transport.access_number)), ("status", f"{transport.status:02X}")]
        layers.append(Layer("transport", transport.offset, tuple(fields)))
    else:
        layers.append(
            Layer("content", 10, (("ci", f"{envelope.ci:02X}"), ("security", envelope.security.value)))
        )
    if frame is not None:
        layers.append(_application(frame))
    return tuple(layers)


def _application(frame: Frame) -> Layer:
    envelope = frame.envelope
    start = 10 if envelope.transport is None else envelope.transport.payload
    fields = [("records", str(len(frame.records)))]
    if frame.compact_signature is not None:
        fields.append(("compact_format", f"{frame.compact_signature:04X}"))
    if frame.manufacturer_data:
        fields.append(("manufacturer_data", frame.manufacturer_data.hex().upper()))
    if frame.opened_with_default_key:
        fields.append(("key", "the vendor's default key"))
    return Layer("application", start, tuple(fields))


def _record(record: Record) -> dict[str, Any]:
    return {
        "offset": record.offset,
        "header": record.header.hex().upper(),
        "data": record.data.hex().upper(),
        "function": record.function.value,
        "storage": record.storage,
        "tariff": record.tariff,
        "subunit": record.subunit,
        "measurand": record.measurand.value,
        "modifiers": [f"{modifier:02X}" for modifier in record.modifiers],
        "value": _plain(record.value),
        "unit": record.unit,
    }


def _measurement(measurement: Measurement) -> dict[str, Any]:
    index = measurement.index
    return {
        "values": {name: _plain(value) for name, value in measurement.values.items()},
        "flags": sorted(flag.value for flag in measurement.flags),
        "status_word": measurement.status_word,
        "generic": measurement.generic,
        "history": [
            {
                "day": _plain(entry.day),
                "quantity": entry.quantity.value,
                "value": _plain(entry.value),
                "source": entry.source.value,
            }
            for entry in measurement.history
        ],
        "previous_flags": sorted(flag.value for flag in measurement.previous_flags or ()),
        "durations": {
            span.flag.value: {"at_least_h": span.at_least, "at_most_h": span.at_most}
            for span in measurement.durations
        },
        "index": None if index is None else {"quantity": index.fluid_quantity.value, "value": index.value},
    }


def _error(error: TelegramError) -> dict[str, Any]:
    return {
        "code": error.code.value,
        "stage": error.stage.value,
        "offset": error.offset,
        "message": error.message,
    }


def _plain(value: object) -> str | int | None:
    if value is None or isinstance(value, int | str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex().upper()
    return value.isoformat() if isinstance(value, date) else str(value)
