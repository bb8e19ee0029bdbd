"""The checks, by name and in order; each is a promise in a sentence and a function.

In: a `Subject`. Out: a `CheckResult`: what was looked at, and every failure with its place. The one rule: a
check answers failures, it does not raise; a driver that raises inside a check has failed it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from core.mbus.address import Address
from core.mbus.errors import TelegramError
from core.mbus.vocabulary import SecurityKind
from core.metering.conformance.damage import look_for_damage
from core.metering.conformance.imports import look_for_foreign_imports, look_for_heavy_imports
from core.metering.conformance.random_contents import look_for_chance
from core.metering.conformance.subject import Subject
from core.metering.conformance.vectors import Vector, differences
from core.metering.decode import Opened, identify, open_telegram
from core.metering.driver import MeterDriver, Signature
from core.metering.generic import GENERIC
from core.metering.index_source import IndexSource
from core.metering.measurement import Measurement, StatusFlag

Seen = tuple[list[str], str]
"""The failures, and what was looked at."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*", re.ASCII)
_MAKER: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_VALUE_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_BYTE: Final = range(256)
_STRANGER: Final = Address("ZZZ", "FFFFFFFF", 0xFF, 0xFF)
_NO_SERIALS: Final = ("", " ", "?", "N° ", "\N{ARABIC-INDIC DIGIT TWO}" * 8, "0" * 200)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is asked of a driver."""

    name: str
    promise: str
    look: Callable[[Subject], Seen]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found; `looked_at` is for people, `failures` say what and where."""

    driver: str
    check: str
    promise: str
    looked_at: str
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """True when nothing failed."""
        return not self.failures


def run_check(check: Check, subject: Subject) -> CheckResult:
    """One check on one driver."""
    try:
        failures, looked_at = check.look(subject)
    except Exception as error:  # noqa: BLE001 - the code of a vendor's driver may raise anything: it has failed
        failures, looked_at = [f"the driver raised {error!r}"], ""
    return CheckResult(subject.driver.name, check.name, check.promise, looked_at, tuple(failures))


def run_checks(subjects: Iterable[Subject]) -> tuple[CheckResult, ...]:
    """All checks on all drivers, driver by driver."""
    return tuple(run_check(check, subject) for subject in subjects for check in CHECKS)


def _look_at_description(subject: Subject) -> Seen:
    driver, failures = subject.driver, []
    if not _NAME.fullmatch(driver.name) or driver.name == GENERIC.name:
        failures.append(f"MeterDriver.name is {driver.name!r}: one lower-case word, and not 'generic'")
    if not driver.title.strip():
        failures.append("MeterDriver.title is empty")
    if not driver.signatures:
        failures.append("MeterDriver.signatures is empty: no telegram will ever come to this driver")
    return failures, driver.title


def _look_at_signatures(subject: Subject) -> Seen:
    driver, failures, notes = subject.driver, [], []
    for signature in driver.signatures:
        if not _MAKER.fullmatch(signature.manufacturer):
            failures.append(f"Signature {signature}: the maker is three letters A-Z")
        for part, value in (("version", signature.version), ("medium", signature.medium)):
            if value is not None and value not in _BYTE:
                failures.append(f"Signature {signature}: the {part} {value} is no byte")
    for other in subject.others:
        if other.driver.name == driver.name:
            failures.append(f"the name {driver.name!r} is also claimed by {other}")
        failures += [
            f"the meters {signature} are also claimed by {other}"
            for signature in driver.signatures
            if signature in other.driver.signatures
        ]
        failures += [
            f"the proprietary frames {maker}/CI {ci:02X} are also claimed by {other}"
            for maker, ci in sorted(_claims(driver) & _claims(other.driver))
        ]
        notes += [
            f"{signature} overlaps {theirs} of {other.driver.name}, the more specific wins"
            for signature in driver.signatures
            for theirs in other.driver.signatures
            if signature != theirs and _overlap(signature, theirs)
        ]
    count = len(driver.signatures)
    return failures, "; ".join((f"{count} signature{'' if count == 1 else 's'}", *notes))


def _claims(driver: MeterDriver) -> frozenset[tuple[str, int]]:
    return frozenset() if driver.proprietary is None else driver.proprietary.claims


def _overlap(mine: Signature, theirs: Signature) -> bool:
    return mine.manufacturer == theirs.manufacturer and all(
        one is None or two is None or one == two
        for one, two in ((mine.version, theirs.version), (mine.medium, theirs.medium))
    )


def _look_at_serials(subject: Subject) -> Seen:
    serial, failures = subject.driver.serial, []
    if not serial.matches(serial.example):
        return [f"SerialFormat.example {serial.example!r} does not match the pattern {serial.pattern}"], ""
    normal = serial.normalise(serial.example)
    if serial.normalise(normal) != normal:
        failures.append(f"normalise({normal!r}) is {serial.normalise(normal)!r}: it must not change again")
    for text in _NO_SERIALS:
        try:
            serial.normalise(text)
        except ValueError:
            continue
        failures.append(f"normalise({text!r}) must raise ValueError")
    radio = serial.to_address(normal) if serial.to_address is not None else None
    if radio is not None and serial.from_address is not None and serial.from_address(radio) != normal:
        failures.append(f"from_address(to_address({normal!r})) is {serial.from_address(radio)!r}")
    addresses = {Address.parse(vector.address) for vector in subject.vectors}
    printed = 0
    for address in (*sorted(addresses, key=str), _STRANGER):
        text_of = serial.from_address(address) if serial.from_address is not None else None
        if text_of is None or address == _STRANGER:
            continue
        printed += 1
        if serial.normalise(text_of) != text_of:
            failures.append(f"from_address({address}) is {text_of!r}, and that is not canonical")
        back = serial.to_address(text_of) if serial.to_address is not None else None
        if back not in {None, address}:
            failures.append(f"to_address(from_address({address})) is {back}")
    return (
        failures,
        f"{serial.example} is stored as {normal}; {printed} of {len(addresses)} addresses give one",
    )


def _look_at_vectors(subject: Subject) -> Seen:
    failures = [] if subject.vectors_fault is None else [subject.vectors_fault]
    if not subject.vectors and not failures:
        failures.append("vectors.toml holds no telegram of this driver")
    for number, vector in enumerate(subject.vectors, start=1):
        failures += vector_failures(subject, number, vector)
    encrypted = sum(vector.key is not None for vector in subject.vectors)
    count = len(subject.vectors)
    return (
        failures,
        f"{count} telegram{'' if count == 1 else 's'}, {encrypted} encrypted with a key of the meter",
    )


def vector_failures(subject: Subject, number: int, vector: Vector) -> list[str]:
    """What differs in one telegram, each with its place in `vectors.toml`, counted from 1."""
    where = f"vectors.toml, telegram {number} ({vector.note})"
    return [f"{where}: {text}" for text in differences(vector, subject.registry, subject.driver.name)]


def _inconsistencies(driver: MeterDriver, opened: Opened, key: bytes | None) -> Iterator[str]:
    """Where the driver does not answer the same for a frame each time, and for many."""
    if driver.interpret(opened.frame) != opened.measurement:
        yield "interpret answers something else when asked twice"
    if driver.interpret_many is not None:
        twice = driver.interpret_many([opened.frame, opened.frame])
        if list(twice) != [opened.measurement, opened.measurement]:
            yield "interpret_many does not answer what interpret answers"
    if driver.index_many is not None:
        stated = [(one.index, one.flags) for one in driver.index_many([opened.frame, opened.frame])]
        if stated != [(opened.measurement.index, opened.measurement.flags)] * 2:
            yield "index_many does not answer with the index and the flags of interpret"
    if driver.index_source is not None and not _is_enough(driver, opened, driver.index_source(opened.frame)):
        yield "index_source does not name all records from which the index and the flags follow"
    own = driver.proprietary
    if own is not None and own.open_many is not None:
        envelope = opened.frame.envelope
        if envelope.security is SecurityKind.PROPRIETARY:
            frames = own.open_many([opened.identified.envelope] * 2, [key] * 2)
            if len(frames) != 2 or any(frame not in {None, opened.frame} for frame in frames):
                yield "open_many does not answer what open answers, or None"


def _is_enough(driver: MeterDriver, opened: Opened, source: IndexSource | None) -> bool:
    """Whether index and flags are the same without the values of the records that are not named."""
    frame, wanted = opened.frame, opened.measurement
    if source is None or wanted.index is None or wanted.index.fluid_quantity is not source.index.quantity:
        return True  # a telegram without such an index is read as a whole
    named = (source.index.place, *source.flags)
    pairs = zip(frame.layout.places, frame.values, strict=True)
    frame = replace(frame, values=tuple([value if place in named else None for place, value in pairs]))
    answer = driver.interpret(frame) if driver.index_many is None else driver.index_many([frame])[0]
    return (answer.index, answer.flags) == (wanted.index, wanted.flags)


def _look_at_values(subject: Subject) -> Seen:
    failures: list[str] = []
    names: set[str] = set()
    indexes = 0
    for number, vector in enumerate(subject.vectors, start=1):
        where = f"vectors.toml, telegram {number} ({vector.note})"
        try:
            opened = open_telegram(identify(vector.telegram, subject.registry), vector.key)
        except TelegramError:
            continue  # the check `vectors` reports it
        measurement = opened.measurement
        if opened.identified.driver is subject.driver:
            failures += [f"{where}: {text}" for text in _inconsistencies(subject.driver, opened, vector.key)]
        failures += [f"{where}: {text}" for text in _odd_values(measurement)]
        names |= measurement.values.keys()
        indexes += measurement.index is not None
    if subject.vectors and not indexes:
        failures.append(
            "no telegram gives a total that can be billed: total_volume_m3, total_energy_kwh or hca_units"
        )
    return failures, ", ".join(sorted(names))


def _odd_values(measurement: Measurement) -> Iterator[str]:
    for name, value in measurement.values.items():
        if not _VALUE_NAME.fullmatch(name):
            yield f"the name {name!r} is not in lower_snake_case"
        if isinstance(value, bool) or not isinstance(value, Decimal | int | date | str):
            yield f"{name} is a {type(value).__name__}, and no Decimal, int, date, datetime or str"
        elif isinstance(value, Decimal) and not value.is_finite():
            yield f"{name} is {value}: leave out what the meter does not know"
        elif isinstance(value, datetime) and value.tzinfo is not None:
            yield f"{name} carries a time zone: a meter's clock has none"
    flags: frozenset[object] = measurement.flags
    for flag in flags:
        if not isinstance(flag, StatusFlag):
            yield f"the flag {flag!r} is no StatusFlag"


def _look_at_damage(subject: Subject) -> Seen:
    return look_for_damage(subject.driver, subject.vectors, subject.registry)


def _look_at_chance(subject: Subject) -> Seen:
    return look_for_chance(subject.driver, subject.vectors, subject.registry, subject.random_contents)


def _look_at_weight(subject: Subject) -> Seen:
    return look_for_heavy_imports(subject.package)


def _look_at_imports(subject: Subject) -> Seen:
    return look_for_foreign_imports(subject.package, subject.sources)


CHECKS: Final = (
    Check("description", "A name of one word, a title and at least one signature.", _look_at_description),
    Check("signatures", "The meters claimed are well formed and nobody else's.", _look_at_signatures),
    Check("serial", "Printed serials and radio addresses lead to each other and back.", _look_at_serials),
    Check("vectors", "Each telegram of vectors.toml means exactly what stands there.", _look_at_vectors),
    Check(
        "values", "Values have stable names and plain types, and one of them can be billed.", _look_at_values
    ),
    Check("damage", "Damage gives the typed error; what fails its check gives no value.", _look_at_damage),
    Check("random", "Random content behind valid headers gives no value.", _look_at_chance),
    Check("weight", "Importing the plugin pulls in no database, no web and no numpy.", _look_at_weight),
    Check(
        "imports",
        "Of this project the package imports `submeter.vendor` alone.",
        _look_at_imports,
    ),
)
