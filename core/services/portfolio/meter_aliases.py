"""The further radio addresses of meters: of a second kind of telegram, or of another radio module.

In: a meter by any of its addresses, and an alias. Out: rows of `meter_alias`, and the audit. The one rule:
an address is one meter's; an alias that is another meter's address or alias is a conflict, and so is a
meter whose address is an alias.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Permission, Viewer
from core.access.acts import NOBODY
from core.errors import Conflict, NotFound
from core.metering import Address, normalise_serial
from core.models import Meter, MeterAlias
from core.services.places.meter_directory import meter_with_address
from core.services.portfolio.validation import canonical_address
from core.services.shared.audit import Subject, record, record_each
from core.services.shared.many_rows import insert_rows, slices
from core.services.shared.transaction import current_database, transactional
from core.services.telegrams.replay_protection import forget_radio


@dataclass(frozen=True, slots=True)
class AliasView:
    """An alias with the meter's own address; `added_by` is an account, None for the command line."""

    meter_id: int
    meter_address: str
    radio_address: str
    added_at: datetime
    added_by: int | None


@transactional
async def add_alias(
    connection: TransactionalDBClient, viewer: Viewer, *, meter_address: str, alias: str, now: datetime
) -> bool:
    """Give a meter a further radio address; returns False where it has it already.

    Its dead letters become readings when they are replayed.

    Args:
        connection: filled in.
        viewer: the command line.
        meter_address: the meter's address, or one of its aliases.
        alias: the further address.
        now: the moment.

    Raises:
        NotFound: no such meter.
        InvalidInput: an address cannot be read.
        Conflict: the alias is another meter's.
    """
    viewer.require(Permission.METERS_WRITE)
    meter = await _meter(connection, meter_address)
    return await upsert_alias(connection, viewer, meter, canonical_address(alias), now=now)


@transactional
async def remove_alias(
    connection: TransactionalDBClient, viewer: Viewer, *, meter_address: str, alias: str, now: datetime
) -> None:
    """Take a further radio address from a meter; its readings remain.

    Raises:
        NotFound: no such meter, or it has no such alias.
        InvalidInput: an address cannot be read.
    """
    viewer.require(Permission.METERS_WRITE)
    meter, address = await _meter(connection, meter_address), canonical_address(alias)
    row = await MeterAlias.get_or_none(meter_id=meter.id, radio_address=address, using_db=connection)
    if row is None:
        raise NotFound(f"The meter {meter.radio_address} has no alias {address}.", field="alias")
    await row.delete(using_db=connection)
    await forget_radio(connection, meter.id, address)
    subject = Subject("meter", row.meter_id)
    await record(Act.METER_ALIAS_REMOVED, subject, viewer, NOBODY, now, connection, alias=row.id)


async def list_aliases(viewer: Viewer, *, meter_address: str | None = None) -> list[AliasView]:
    """All aliases by meter, or those of one.

    Raises:
        NotFound: no such meter.
        InvalidInput: the address cannot be read.
    """
    viewer.require(Permission.METERS_WRITE)
    query = MeterAlias.all()
    if meter_address is not None:
        meter = await meter_with_address(current_database(), canonical_address(meter_address))
        if meter is None:
            raise NotFound(f"No meter {meter_address} is registered.", field="meter")
        query = query.filter(meter_id=meter.id)
    rows = await query.order_by("meter_id", "id").select_related("meter")
    return [
        AliasView(row.meter_id, row.meter.radio_address, row.radio_address, row.added_at, row.added_by_id)
        for row in rows
    ]


async def upsert_alias(
    connection: TransactionalDBClient, viewer: Viewer, meter: Meter, address: str, *, now: datetime
) -> bool:
    """Store an alias in its canonical form; returns False where the meter has it already."""
    if address == meter.radio_address:
        raise Conflict(f"{address} is the meter's own address.", field="alias")
    holder = await meter_with_address(connection, address)
    if holder is not None and holder.id != meter.id:
        own = "the address" if holder.radio_address == address else "an alias"
        raise Conflict(f"{address} is {own} of another meter.", field="alias")
    if holder is not None:
        return False
    await add_aliases(connection, viewer, [(meter.id, address)], now=now)
    return True


async def add_aliases(
    connection: TransactionalDBClient, viewer: Viewer, aliases: Sequence[tuple[int, str]], *, now: datetime
) -> None:
    """Store (meter, alias) pairs that are known to be new and nobody else's, and record each in the
    audit.
    """
    if not aliases:
        return
    rows = [
        MeterAlias(
            meter_id=meter_id,
            radio_address=address,
            serial_key=normalise_serial(Address.parse(address).identification),
            added_at=now,
            added_by_id=viewer.account_id,
        )
        for meter_id, address in aliases
    ]
    await insert_rows(connection, rows)
    ids: dict[str, int] = {}
    for some in slices(address for _, address in aliases):
        stored = MeterAlias.filter(radio_address__in=some).using_db(connection)
        ids |= dict(await stored.values_list("radio_address", "id"))
    await record_each(
        Act.METER_ALIAS_ADDED,
        [(Subject("meter", meter_id), {"alias": ids[address]}) for meter_id, address in aliases],
        viewer,
        NOBODY,
        now,
        connection,
    )


async def _meter(connection: TransactionalDBClient, address: str) -> Meter:
    meter = await meter_with_address(connection, canonical_address(address))
    if meter is None:
        raise NotFound(f"No meter {address} is registered.", field="meter")
    return meter
