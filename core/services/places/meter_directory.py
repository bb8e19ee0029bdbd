"""Finds the meters that telegrams come from: by radio address, with their keys and their residence's zone.

In: radio addresses as text and the viewer. Out: `MeterEntry` values; an alias finds its meter as the
meter's own address does, and the meter's keys open the telegrams of both. The one rule: a gateway finds the
meters of its own operator only; to it, any other meter is unknown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import ceil, floor
from struct import Struct as Packed
from sys import intern
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import force_setattr
from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import Viewer
from core.consumption.fluids import Fluid
from core.consumption.register import BACKFLOW_LIMIT, Register, highest_per_hour
from core.errors import SecretUnusable
from core.models import Meter, MeterAlias
from core.services.places.key_encryption import KeyEncryption
from core.services.shared import columns
from core.services.shared.transaction import current_database, is_sqlite

_FAR_FUTURE_S = 1 << 40
_LIMITS = Packed("=7q")


class MeterEntry(Struct, frozen=True, gc=False):
    """A meter as intake uses it.

    `keys` are the newest first and do not show when printed; None when there are some, and all are
    encrypted with another secret. `water_price_eur_per_m3` is the residence's; None where it is unknown.
    `aliases` are its further radio addresses. Their telegrams may show fewer digits: `register_step` is
    then the step of the coarsest, and an index that lies below another by less is no fall.
    `plain_addresses` may send in the clear although the meter has a key: walk-by telegrams beside encrypted
    ones. `limits` and `alike` follow from the others.
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
    keys: tuple[bytes, ...] | None
    aliases: tuple[str, ...] = ()
    plain_addresses: tuple[str, ...] = ()
    limits: bytes = b""
    alike: str = ""

    def __post_init__(self) -> None:
        first_s = ceil(self.installed_at.timestamp())
        last_s = _FAR_FUTURE_S if self.removed_at is None else floor(self.removed_at.timestamp())
        # What the steps of many meters are computed with, as one value: that is found sooner than seven are.
        limits = _LIMITS.pack(
            self.id,
            first_s,
            last_s,
            self.register_capacity or 0,
            self.register_step,
            self.highest_per_hour,
            self.dwelling_id,
        )
        force_setattr(self, "limits", limits)
        # What the meters whose steps are computed together have in common: fluid, operator and zone.
        force_setattr(self, "alike", intern(f"{self.fluid} {self.operator_code} {self.zone.key}"))

    def __repr__(self) -> str:
        return f"MeterEntry({self.id}, {self.radio_address})"

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def allowed_backflow(self) -> int:
        """By how much an index may lie below the one before and still continue the series."""
        return max(BACKFLOW_LIMIT, self.register_step) if self.aliases else BACKFLOW_LIMIT

    def agree(self, index: int, other: int) -> bool:
        """Whether two indexes of one moment are equal, or equal but for digits that one telegram lacks."""
        return index == other or (bool(self.aliases) and abs(index - other) < self.register_step)

    @property
    def highest_per_hour(self) -> int:
        """The fastest that its register can rise, in the smallest unit an hour."""
        return highest_per_hour(self.fluid, self.nominal_flow_m3_per_h)

    @property
    def register(self) -> Register:
        """What its register can do."""
        return Register(
            capacity=self.register_capacity,
            highest_per_hour=self.highest_per_hour,
            step=self.register_step,
            allowed_backflow=self.allowed_backflow,
        )

    def day(self, moment: datetime) -> date:
        """The civil day where the meter is."""
        return moment.astimezone(self.zone).date()

    @property
    def service_s(self) -> tuple[int, int]:
        """The first and the last second in service, as readings are dated: whole epoch seconds."""
        _, first_s, last_s, *_ = _LIMITS.unpack(self.limits)
        return first_s, last_s


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
        for operator_id, entry in await _entries(ordered[first : first + _AT_ONCE], key_encryption):
            for address in (entry.radio_address, *entry.aliases):
                found[address] = operator_id, entry
    return {address: one for address, one in found.items() if address in wanted}


_AT_ONCE = 20_000
_ADDRESSES = {"address": "text"}
_IDS = {"id": "bigint"}
_FROM_METERS = """
    SELECT m.id, m.dwelling_id, m.fluid, m.printed_serial, m.radio_address, m.register_step, m.coarsest_step,
        m.register_capacity, m.nominal_flow_m3_per_h, m.installed_at, m.removed_at,
        r.time_zone, r.water_price_eur_per_m3, r.operator_id, o.code
    FROM k {0} JOIN dwelling d ON d.id = m.dwelling_id
        JOIN residence r ON r.id = d.residence_id JOIN operator o ON o.id = r.operator_id"""
_BY_ADDRESS = " UNION ALL ".join(
    (
        _FROM_METERS.format("JOIN meter m ON m.radio_address = k.address"),
        _FROM_METERS.format(
            "JOIN meter_alias a ON a.radio_address = k.address JOIN meter m ON m.id = a.meter_id"
        ),
    )
)
"""A meter comes once for each of its addresses that are asked for."""

_ALIASES = "SELECT a.meter_id, a.radio_address, a.encrypted FROM k JOIN meter_alias a ON a.meter_id = k.id"
_KEYS = "SELECT y.meter_id, y.added_at, y.id, y.encrypted_key FROM k JOIN meter_key y ON y.meter_id = k.id"
_FLUIDS = {fluid.value: fluid for fluid in Fluid}


async def _entries(
    addresses: Sequence[str], key_encryption: KeyEncryption
) -> Iterator[tuple[int, MeterEntry]]:
    """The meters with these addresses or aliases, each with the id of its operator."""
    database, asked = current_database(), [(address,) for address in addresses]
    found = await columns.select_by(database, _ADDRESSES, _BY_ADDRESS, asked)
    rows = [*{row["id"]: row for row in found}.values()]
    if not rows:
        return iter(())
    ids = [(row["id"],) for row in rows]
    aliases: dict[int, list[tuple[str, bool]]] = {}
    for row in await columns.select_by(database, _IDS, _ALIASES, ids):
        aliases.setdefault(row["meter_id"], []).append((row["radio_address"], bool(row["encrypted"])))
    keys: dict[int, list[tuple[datetime, int, bytes]]] = {}
    for row in await columns.select_by(database, _IDS, _KEYS, ids):
        key = columns.moment(row["added_at"]), row["id"], row["encrypted_key"]
        keys.setdefault(row["meter_id"], []).append(key)
    return (
        (
            row["operator_id"],
            _entry(row, keys.get(row["id"], ()), aliases.get(row["id"], ()), key_encryption),
        )
        for row in rows
    )


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
    that two batches cannot wait for each other. SQLite has one writer, which a transaction is from its
    beginning on (`transactional`).
    """
    if is_sqlite(connection):
        return
    ids = sorted(set(dwelling_ids))
    await connection.execute_query(
        "SELECT s.meter_id FROM meter_state s JOIN meter m ON m.id = s.meter_id"
        " WHERE m.dwelling_id = ANY($1::bigint[]) ORDER BY s.meter_id FOR NO KEY UPDATE OF s",
        [ids],
    )
    await lock_dwelling_rows(connection, ids)


async def lock_dwelling_rows(connection: TransactionalDBClient, dwelling_ids: Iterable[int]) -> None:
    """The second half of `lock_dwellings`, for whoever has locked the states of the meters concerned."""
    ids = sorted(set(dwelling_ids))
    if ids and not is_sqlite(connection):
        await connection.execute_query(
            "SELECT id FROM dwelling WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE", [ids]
        )


def _entry(
    row: Mapping[str, Any],
    keys: Iterable[tuple[datetime, int, bytes]],
    aliases: Sequence[tuple[str, bool]],
    key_encryption: KeyEncryption,
) -> MeterEntry:
    newest_first = sorted(keys, reverse=True)
    address = row["radio_address"]
    return MeterEntry(
        row["id"],
        row["dwelling_id"],
        _FLUIDS[row["fluid"]],
        row["printed_serial"],
        address,
        max(row["register_step"], row["coarsest_step"] or 0),
        row["register_capacity"],
        columns.decimal_or_none(row["nominal_flow_m3_per_h"]),
        columns.moment(row["installed_at"]),
        columns.moment_or_none(row["removed_at"]),
        ZoneInfo(row["time_zone"]),
        intern(row["code"]),
        columns.decimal_or_none(row["water_price_eur_per_m3"]),
        _opened([key for _, _, key in newest_first], address, key_encryption),
        tuple(sorted(alias for alias, _ in aliases)),
        _plain_addresses(address, aliases) if aliases else (),
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
