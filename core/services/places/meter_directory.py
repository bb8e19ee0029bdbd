"""Finds the meters that telegrams come from: by radio address, with their keys and their residence's zone.

In: radio addresses as text and the viewer. Out: `MeterEntry` values; an alias finds its meter as the
meter's own address does, and the meter's keys open the telegrams of both. The one rule: a gateway finds the
meters of its own operator only; to it, any other meter is unknown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from math import ceil, floor
from struct import Struct
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.expressions import Q

from core.access import Viewer
from core.consumption.fluids import Fluid
from core.consumption.register import BACKFLOW_LIMIT, Register, highest_per_hour
from core.errors import SecretUnusable
from core.models import Meter, MeterAlias, MeterKey
from core.services.places.key_encryption import KeyEncryption
from core.services.shared.transaction import is_sqlite

_FAR_FUTURE_S = 1 << 40
_LIMITS = Struct("=7q")


@dataclass(frozen=True)
class MeterEntry:
    """A meter as intake uses it.

    `keys` are the newest first and do not show when printed; None when there are some, and all are
    encrypted with another secret. `water_price_eur_per_m3` is the residence's; None where it is unknown.
    `aliases` are its further radio addresses. Their telegrams may show fewer digits: `register_step` is
    then the step of the coarsest, and an index that lies below another by less is no fall.
    `plain_addresses` may send in the clear although the meter has a key: walk-by telegrams beside encrypted
    ones.
    """

    id: int
    dwelling_id: int
    fluid: Fluid
    printed_serial: str
    radio_address: str
    register_step: int
    register_capacity: int | None
    nominal_flow_m3_per_h: Decimal | None
    installed_at: datetime
    removed_at: datetime | None
    zone: ZoneInfo
    operator_code: str
    water_price_eur_per_m3: Decimal | None
    keys: tuple[bytes, ...] | None = field(repr=False)
    aliases: tuple[str, ...] = ()
    plain_addresses: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def allowed_backflow(self) -> int:
        """By how much an index may lie below the one before and still continue the series."""
        return max(BACKFLOW_LIMIT, self.register_step) if self.aliases else BACKFLOW_LIMIT

    def agree(self, index: int, other: int) -> bool:
        """Whether two indexes of one moment are equal, or equal but for digits that one telegram lacks."""
        return index == other or (bool(self.aliases) and abs(index - other) < self.register_step)

    @cached_property
    def highest_per_hour(self) -> int:
        """The fastest that its register can rise, in the smallest unit an hour."""
        return highest_per_hour(self.fluid, self.nominal_flow_m3_per_h)

    @cached_property
    def register(self) -> Register:
        """What its register can do."""
        return Register(
            capacity=self.register_capacity,
            highest_per_hour=self.highest_per_hour,
            step=self.register_step,
            allowed_backflow=self.allowed_backflow,
        )

    @cached_property
    def limits(self) -> bytes:
        """What the steps of many meters are computed with, as whole numbers of eight bytes: its id, the first
        and the last second in service, its capacity (0: unknown), its step, the most that it can rise in an
        hour, and its dwelling's id. One value of these seven is found sooner than seven are.
        """
        capacity = self.register_capacity or 0
        return _LIMITS.pack(
            self.id,
            *self.service_s,
            capacity,
            self.register_step,
            self.highest_per_hour,
            self.dwelling_id,
        )

    @cached_property
    def alike(self) -> str:
        """What the meters whose steps are computed together have in common: fluid, operator and zone."""
        return f"{self.fluid.value} {self.operator_code} {self.zone.key}"

    def day(self, moment: datetime) -> date:
        """The civil day where the meter is."""
        return moment.astimezone(self.zone).date()

    @cached_property
    def service_s(self) -> tuple[int, int]:
        """The first and the last second in service, as readings are dated: whole epoch seconds."""
        last_s = _FAR_FUTURE_S if self.removed_at is None else floor(self.removed_at.timestamp())
        return ceil(self.installed_at.timestamp()), last_s


async def meters_by_address(
    viewer: Viewer, addresses: Iterable[str], *, key_encryption: KeyEncryption
) -> dict[str, MeterEntry]:
    """The meters with these radio addresses whose telegrams the viewer may deliver."""
    found = await entries_by_address(addresses, key_encryption=key_encryption)
    return {
        address: entry
        for address, (operator_id, entry) in found.items()
        if viewer.operator_id in {None, operator_id}
    }


async def entries_by_address(
    addresses: Iterable[str], *, key_encryption: KeyEncryption
) -> dict[str, tuple[int, MeterEntry]]:
    """The meters with these radio addresses, each with the id of its operator."""
    wanted = set(addresses)
    found: dict[str, tuple[int, MeterEntry]] = {}
    ordered = sorted(wanted)
    for first in range(0, len(ordered), _AT_ONCE):
        some = ordered[first : first + _AT_ONCE]
        named = Q(radio_address__in=some)
        owners = await MeterAlias.filter(radio_address__in=some).values_list("meter_id", flat=True)
        if owners:
            named |= Q(id__in=owners)
        rows = [_Row(*row) for row in await Meter.filter(named).values_list(*_Row.columns())]
        aliases = await _of_meters(MeterAlias, rows, "meter_id", "radio_address", "encrypted")
        keys = await _of_meters(MeterKey, rows, "meter_id", "added_at", "id", "encrypted_key")
        for row in rows:
            entry = _entry(row, keys.get(row.id, ()), aliases.get(row.id, ()), key_encryption)
            for address in (entry.radio_address, *entry.aliases):
                found[address] = row.dwelling__residence__operator_id, entry
    return {address: one for address, one in found.items() if address in wanted}


class _Row(NamedTuple):
    """What is read of a meter; named as the query names it."""

    id: int
    dwelling_id: int
    fluid: Fluid
    printed_serial: str
    radio_address: str
    register_step: int
    coarsest_step: int | None
    register_capacity: int | None
    nominal_flow_m3_per_h: Decimal | None
    installed_at: datetime
    removed_at: datetime | None
    dwelling__residence__time_zone: str
    dwelling__residence__water_price_eur_per_m3: Decimal | None
    dwelling__residence__operator_id: int
    dwelling__residence__operator__code: str

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        return cls._fields


async def _of_meters(
    table: type[MeterAlias | MeterKey], meters: Iterable[_Row], *columns: str
) -> dict[int, list[tuple[Any, ...]]]:
    """The rows of meters, the first column of which is the meter's id, by meter; without it."""
    rows = await table.filter(meter_id__in=[meter.id for meter in meters]).values_list(*columns)
    found: dict[int, list[tuple[Any, ...]]] = {}
    for meter_id, *values in rows:
        found.setdefault(meter_id, []).append(tuple(values))
    return found


_AT_ONCE = 2_000


async def meter_with_address(connection: BaseDBAsyncClient, radio_address: str) -> Meter | None:
    """The row of the meter with this radio address or alias, in its canonical form."""
    meter = await Meter.get_or_none(radio_address=radio_address, using_db=connection)
    if meter is not None:
        return meter
    alias = await MeterAlias.get_or_none(radio_address=radio_address, using_db=connection)
    return None if alias is None else await Meter.get(id=alias.meter_id, using_db=connection)


async def lock_dwellings(connection: TransactionalDBClient, dwelling_ids: Iterable[int]) -> None:
    """Let one batch at a time work on a dwelling: its volumes and alerts are recomputed from what is
    stored.

    PostgreSQL locks the states of the dwellings' meters, then the dwellings' rows, each in one order so
    that two batches cannot wait for each other. SQLite has one writer: an update of no row takes the write
    lock at once, instead of failing later when a read turns into a write beside another process.
    """
    if is_sqlite(connection):
        await take_write_lock(connection)
        return
    ids = sorted(set(dwelling_ids))
    await connection.execute_query(
        "SELECT s.meter_id FROM meter_state s JOIN meter m ON m.id = s.meter_id"
        " WHERE m.dwelling_id = ANY($1::bigint[]) ORDER BY s.meter_id FOR NO KEY UPDATE OF s",
        [ids],
    )
    await lock_dwelling_rows(connection, ids)


async def take_write_lock(connection: TransactionalDBClient) -> None:
    """On SQLite, which has one writer, become it; on PostgreSQL nothing: rows are locked there."""
    if is_sqlite(connection):
        await connection.execute_query("UPDATE meter SET id = id WHERE id < 0")


async def lock_dwelling_rows(connection: TransactionalDBClient, dwelling_ids: Iterable[int]) -> None:
    """The second half of `lock_dwellings`, for whoever has locked the states of the meters concerned."""
    ids = sorted(set(dwelling_ids))
    if ids and not is_sqlite(connection):
        await connection.execute_query(
            "SELECT id FROM dwelling WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE", [ids]
        )


def _entry(
    row: _Row,
    keys: Iterable[tuple[datetime, int, bytes]],
    aliases: Sequence[tuple[str, bool]],
    key_encryption: KeyEncryption,
) -> MeterEntry:
    newest_first = sorted(keys, reverse=True)
    return MeterEntry(
        id=row.id,
        dwelling_id=row.dwelling_id,
        fluid=row.fluid,
        printed_serial=row.printed_serial,
        radio_address=row.radio_address,
        register_step=max(row.register_step, row.coarsest_step or 0),
        register_capacity=row.register_capacity,
        nominal_flow_m3_per_h=row.nominal_flow_m3_per_h,
        installed_at=row.installed_at,
        removed_at=row.removed_at,
        zone=ZoneInfo(row.dwelling__residence__time_zone),
        operator_code=row.dwelling__residence__operator__code,
        water_price_eur_per_m3=row.dwelling__residence__water_price_eur_per_m3,
        keys=_opened([key for _, _, key in newest_first], row.radio_address, key_encryption),
        aliases=tuple(sorted(address for address, _ in aliases)),
        plain_addresses=_plain_addresses(row.radio_address, aliases),
    )


def _plain_addresses(radio_address: str, aliases: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
    """The aliases that have sent nothing encrypted yet; a meter's own address if a radio converter's.

    Device type 37, a radio converter on the meter's side (EN 13757-7 table 13), is that of walk-by
    telegrams.
    """
    found = [address for address, encrypted in aliases if not encrypted]
    if aliases and radio_address.endswith("-37"):
        found.append(radio_address)
    return tuple(sorted(found))


def _opened(
    keys: Iterable[bytes], radio_address: str, key_encryption: KeyEncryption
) -> tuple[bytes, ...] | None:
    opened: list[bytes] = []
    unreadable = False
    for key in keys:
        try:
            opened.append(key_encryption.open(key, radio_address=radio_address))
        except SecretUnusable:
            unreadable = True
    return None if unreadable and not opened else tuple(opened)
