"""Identifies the residence and the dwelling of somebody who is not signed in yet.

In: what was typed, and whose residences. Out: row numbers, or a refusal of the catalogue. The one rule:
nothing is disclosed beyond what was typed: an unknown device, somebody else's, and one of another kind give
one answer (C-07); an address finds published residences only, and never a dwelling or a name (C-39).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from core.consumption.fluids import Fluid
from core.metering import Address, Registry, SerialFormat, normalise_serial
from core.models import Dwelling, Meter, MeterAlias, Operator, Residence
from core.operators import DwellingParts, OperatorProfile, Path
from core.registration.addresses import checked_search, fits
from core.registration.answers import SerialAnswer
from core.registration.confirmation import FoundDwelling
from core.registration.draft import Draft
from core.registration.refusals import RefusalCode, code_hint, refused
from core.registration.serials import KnownMeter, is_nine_digits, named_by, readings_of

OLD_SERIAL_COUNTS_FOR = timedelta(days=60)
"""The serial of a removed meter may still be on the label or in a letter."""

LONGEST_CODE = 16
MOST_CANDIDATES = 10
_SEARCHED_AT_ONCE = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ResidenceCandidate:
    """A published residence that matches an address; its code is not shown."""

    id: int
    name: str
    street: str
    postcode: str
    city: str


@dataclass(frozen=True, slots=True)
class Identified:
    """A dwelling and its residence."""

    residence_id: int
    dwelling_id: int
    proven: bool


async def residence_by_code(operator: Operator, profile: OperatorProfile, code: str, *, now: datetime) -> int:
    """The residence with this site or building code.

    Raises:
        RegistrationRefused: RESIDENCE_NOT_FOUND, or why nobody may register there yet.
    """
    normalised = normalise_serial(code[:64])
    if not profile.residence_code.matches(normalised):
        raise refused(RefusalCode.RESIDENCE_NOT_FOUND, "code", hint=code_hint(profile, normalised))
    typed = code[:64].strip()
    spelled = [each for each in {normalised, typed, typed.upper()} if 0 < len(each) <= LONGEST_CODE]
    found = await Residence.filter(
        operator_id=operator.id, code__in=[each for each in spelled if "\0" not in each]
    ).limit(2)
    if len(found) != 1:
        raise refused(RefusalCode.RESIDENCE_NOT_FOUND, "code")
    return _open(found[0], now)


async def residence_by_choice(operator: Operator, residence_id: int, *, now: datetime) -> int:
    """One of the residences that an address search may have found.

    Raises:
        RegistrationRefused: RESIDENCE_NOT_FOUND, for every residence that no search finds.
    """
    found = await _searchable(operator, now).get_or_none(id=residence_id)
    if found is None:
        raise refused(RefusalCode.RESIDENCE_NOT_FOUND, "residence")
    return _open(found, now)


async def residences_at(
    operator: Operator, postcode: str, street: str, *, now: datetime
) -> list[ResidenceCandidate]:
    """The published residences of the operator at an address, the first ten.

    Words are compared here, a slice of the postcode at a time: neither database's LIKE ignores accents.

    Raises:
        RegistrationRefused: RESIDENCE_NOT_FOUND, or a search that is too wide.
    """
    spellings, words = checked_search(postcode, street)
    there = _searchable(operator, now).filter(postcode__in=spellings).order_by("id").limit(_SEARCHED_AT_ONCE)
    found: list[ResidenceCandidate] = []
    seen = 0
    while rows := await there.filter(id__gt=seen).only("id", "name", "street", "postcode", "city"):
        found += [_candidate(row) for row in rows if fits(words, f"{row.street} {row.name}")]
        if len(found) >= MOST_CANDIDATES or len(rows) < _SEARCHED_AT_ONCE:
            break
        seen = rows[-1].id
    if not found:
        raise refused(RefusalCode.RESIDENCE_NOT_FOUND, "street")
    return found[:MOST_CANDIDATES]


async def dwelling_by_serial(
    registry: Registry,
    operator: Operator,
    profile: OperatorProfile,
    answer: SerialAnswer,
    *,
    residence_id: int | None,
    now: datetime,
) -> Identified:
    """The dwelling in which a meter with this printed serial is installed.

    Args:
        registry: the drivers, which know how their serials are printed.
        operator: whose stock.
        profile: whose rules.
        answer: the serial, and the kind of device as a hint.
        residence_id: the residence that was identified before; None: the whole stock is searched (C-06).
        now: the moment.

    Raises: RegistrationRefused: SERIAL_FORMAT_UNSUPPORTED, DEVICE_NOT_FOUND, SERIAL_AMBIGUOUS, or why
    nobody may register there yet.
    """
    if residence_id is None:
        _check_format(profile, answer.serial)
    _check_device(profile, answer.device)
    formats = _formats(registry)
    if residence_id is None:
        known = await _meters(operator, now, formats, typed=answer.serial)
    else:
        known = await _meters(operator, now, formats, residence_id=residence_id)
    named = _of_kind(profile, answer.device, named_by(answer.serial, known, formats))
    dwellings = {meter.dwelling_id: meter.residence_id for meter in named}
    if len(dwellings) > 1 and residence_id is None:
        raise refused(RefusalCode.SERIAL_AMBIGUOUS, "serial", fallback=_residence_fallback(profile))
    if len(dwellings) != 1:
        raise refused(RefusalCode.DEVICE_NOT_FOUND, "serial")
    ((dwelling_id, found_in),) = dwellings.items()
    if residence_id is None:
        _open(await Residence.get(id=found_in), now)
    return Identified(found_in, dwelling_id, proven=True)


async def dwelling_by_reference(
    registry: Registry,
    operator: Operator,
    profile: OperatorProfile,
    *,
    residence_id: int,
    reference: str,
    path: Path,
    serial: str | None,
    now: datetime,
) -> Identified:
    """The dwelling with this lot number or reference; a serial beside it must be one of its own (C-40).

    Raises:
        RegistrationRefused: DWELLING_REF_NOT_FOUND.
    """
    wanted = normalise_serial(reference[:64])
    rows = await Dwelling.filter(residence_id=residence_id).order_by("id")
    found = [row for row in rows if wanted and wanted in _names(row, profile, path)]
    if len(found) != 1:
        raise refused(RefusalCode.DWELLING_REF_NOT_FOUND, "lot" if path is Path.LOT_NUMBER else "reference")
    if serial is not None and serial.strip():
        formats = _formats(registry)
        known = await _meters(operator, now, formats, residence_id=residence_id)
        named = named_by(serial, known, formats)
        if {meter.dwelling_id for meter in named} != {found[0].id}:
            raise refused(RefusalCode.DWELLING_REF_NOT_FOUND, "serial")
        return Identified(residence_id, found[0].id, proven=True)
    return Identified(residence_id, found[0].id, proven=False)


async def found_dwelling_of(dwelling_id: int) -> FoundDwelling:
    """What is shown of a dwelling to be confirmed."""
    row = await Dwelling.get(id=dwelling_id).select_related("residence")
    residence = row.residence
    return FoundDwelling(
        residence_name=residence.name,
        residence_code=residence.code,
        street=residence.street,
        postcode=residence.postcode,
        city=residence.city,
        parts=parts_of(row),
        manager_reference=row.manager_reference,
        lot=row.lot,
    )


async def fluids_at(residence_id: int) -> frozenset[Fluid]:
    """What the meters measure that are installed in a residence (R-043)."""
    installed = Meter.filter(dwelling__residence_id=residence_id, removed_at=None)
    return frozenset(Fluid(row["fluid"]) for row in await installed.distinct().values("fluid"))


async def numbers_of(draft: Draft, profile: OperatorProfile) -> list[str]:
    """The numbers of the dwelling that was found which its occupant's password may not hold.

    A refused password discloses that a number is the dwelling's. So they include serials only where one was
    known, and the lot only where that or the lot was; the others are shown in the confirmation.
    """
    row = await Dwelling.get(id=draft.dwelling_id).select_related("residence")
    numbers = [row.residence.code, row.manager_reference, profile.dwelling_code(parts_of(row))]
    if draft.proven or draft.path is Path.LOT_NUMBER:
        numbers.append(row.lot)
    if draft.proven:
        meters = await Meter.filter(dwelling_id=row.id).only("id", "printed_serial")
        numbers += [meter.printed_serial for meter in meters]
    return [number for number in numbers if number]


def parts_of(row: Dwelling) -> DwellingParts:
    return DwellingParts(row.building, row.staircase, row.floor, row.number)


def _open(residence: Residence, now: datetime) -> int:
    """A residence at which residents may register (C-11); returns its number."""
    if not residence.remote_reading:
        raise refused(RefusalCode.DEVICE_NOT_REMOTE)
    if not residence.resident_portal_option:
        raise refused(RefusalCode.OPTION_NOT_SUBSCRIBED)
    if residence.published_at is None or residence.published_at > now:
        raise refused(RefusalCode.NOT_PUBLISHED)
    residence_id: int = residence.id
    return residence_id


def _candidate(row: Residence) -> ResidenceCandidate:
    return ResidenceCandidate(
        id=row.id, name=row.name, street=row.street, postcode=row.postcode, city=row.city
    )


def _searchable(operator: Operator, now: datetime) -> QuerySet[Residence]:
    return Residence.filter(
        operator_id=operator.id, published_at__lte=now, resident_portal_option=True, remote_reading=True
    )


def _check_format(profile: OperatorProfile, serial: str) -> None:
    """Of the whole stock a strict operator accepts nine digits only; of a known building, any (C-05)."""
    if profile.strict_nine_digit_serial and not is_nine_digits(serial):
        fallback = _residence_fallback(profile)
        raise refused(RefusalCode.SERIAL_FORMAT_UNSUPPORTED, "serial", fallback=fallback)


def _check_device(profile: OperatorProfile, device: str | None) -> None:
    if device and device not in {choice.name for choice in profile.devices}:
        raise refused(RefusalCode.VALUE_INVALID, "device")


def _residence_fallback(profile: OperatorProfile) -> Path | None:
    return next((path for path in profile.residence_paths if path is not Path.SERIAL), None)


def _of_kind(
    profile: OperatorProfile, device: str | None, meters: Sequence[KnownMeter]
) -> Sequence[KnownMeter]:
    """The meters that are of the kind named; a hint that rules all of them out is ignored and logged."""
    chosen = next((choice for choice in profile.devices if choice.name == device), None)
    if chosen is None or not chosen.fluids:
        return meters
    fitting = [meter for meter in meters if meter.fluid in chosen.fluids]
    if meters and not fitting:
        _log.info("A serial was given with another kind of device, in residence %s", meters[0].residence_id)
    return fitting


def _names(row: Dwelling, profile: OperatorProfile, path: Path) -> set[str]:
    if path is Path.LOT_NUMBER:
        return {normalise_serial(row.lot)} if row.lot else set()
    return {
        normalise_serial(name)
        for name in (row.manager_reference, profile.dwelling_code(parts_of(row)))
        if name
    }


def _formats(registry: Registry) -> dict[str, SerialFormat]:
    return {loaded.driver.name: loaded.driver.serial for loaded in registry.drivers}


def _keys(serial: str, formats: dict[str, SerialFormat]) -> list[str]:
    return sorted({key for level in readings_of(serial, formats.values()) for key in level})


def _addresses(serial: str, formats: dict[str, SerialFormat]) -> list[str]:
    """The radio addresses that a serial gives, where a vendor's numbers are its addresses."""
    given = {
        format_.to_address(format_.normalise(key))
        for key in _keys(serial, formats)
        for format_ in formats.values()
        if format_.to_address is not None and format_.matches(key)
    }
    return sorted(str(address) for address in given if address is not None)


async def _meters(
    operator: Operator,
    now: datetime,
    formats: dict[str, SerialFormat],
    *,
    residence_id: int | None = None,
    typed: str = "",
) -> list[KnownMeter]:
    """The meters in service by their printed serials, and again by those of their aliases.

    Within a residence all of them, else those that what was typed may name.
    """
    query = Meter.filter(
        Q(removed_at=None) | Q(removed_at__gt=now - OLD_SERIAL_COUNTS_FOR),
        dwelling__residence__operator_id=operator.id,
    )
    if residence_id is not None:
        query = query.filter(dwelling__residence_id=residence_id)
        also = await MeterAlias.filter(meter__dwelling__residence_id=residence_id)
    else:
        keys, addresses = _keys(typed, formats), _addresses(typed, formats)
        also = await MeterAlias.filter(Q(serial_key__in=keys) | Q(radio_address__in=addresses))
        query = query.filter(Q(serial_key__in=keys) | Q(id__in=[alias.meter_id for alias in also]))
    meters = {row.id: row for row in await query.select_related("dwelling")}
    return [_known(row, row.serial_key) for row in meters.values()] + [
        _known(meters[alias.meter_id], key)
        for alias in also
        if alias.meter_id in meters
        for key in _alias_keys(alias, formats.get(meters[alias.meter_id].vendor))
    ]


def _known(row: Meter, key: str) -> KnownMeter:
    return KnownMeter(
        meter_id=row.id,
        dwelling_id=row.dwelling_id,
        residence_id=row.dwelling.residence_id,
        fluid=row.fluid,
        vendor=row.vendor,
        key=key,
    )


def _alias_keys(alias: MeterAlias, format_: SerialFormat | None) -> set[str]:
    """What may be printed on the radio of an alias: its identification, or the vendor's form of it."""
    keys = {alias.serial_key}
    if format_ is not None and format_.from_address is not None:
        printed = format_.from_address(Address.parse(alias.radio_address))
        keys |= {normalise_serial(printed)} if printed else set()
    return keys
