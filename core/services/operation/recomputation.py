"""Recomputes the meters of a fleet from a day on: volumes, leaks with their checkpoints, alerts.

In: the day, and which meters. Out: what is stored of them, as their readings say. The one rule: a batch of
meters is one transaction, which locks as intake does and notes how far the work is; so it may be
interrupted at any moment and goes on where it was, beside any number of workers. What is right already is
not changed.
"""

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.queryset import QuerySet

from core.access import SYSTEM, Permission, Viewer
from core.bootstrap import Application
from core.errors import InvalidInput, NotFound
from core.metering import Address, TelegramError
from core.models import LeakCheckpoint, LeakClassifierState, LeakEpisode, Meter, Recomputation, Residence
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_directory import (
    MeterEntry,
    lock_dwellings,
    meter_with_address,
    meters_by_address,
)
from core.services.shared.service_window import extents
from core.services.shared.transaction import begins_again, current_database, is_sqlite, transactional
from core.services.telegrams.recompute import Recomputed, recompute_meters

READINGS_A_BATCH: Final = 100_000
"""About so many readings are looked at in a transaction, if they come from hour to hour."""

_MOST_METERS: Final = 200
_REACH: Final = timedelta(days=31)
"""The classifier begins at the checkpoint before the day: up to a month earlier."""

_EARLIEST: Final = date(1970, 1, 2)
"""Nothing is stored of the time before; it has no moment in every zone."""

_MOST_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Selection:
    """Which meters are recomputed from which civil day on: by default all.

    Attributes:
        since: the day, where each meter is.
        meters: radio addresses or aliases.
        residence: codes of an operator and of its residence.
    """

    since: date
    meters: Collection[str] = ()
    residence: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recomputation is: how many meters of how many, and what was changed so far."""

    meters: int
    of: int
    changed: Recomputed
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A selection with the rows that it names; `digest` is the same for the same selection."""

    since: date
    residence_id: int | None
    meter_ids: tuple[int, ...] | None
    digest: str

    def meters(self) -> QuerySet[Meter]:
        found = Meter.all()
        if self.residence_id is not None:
            found = found.filter(dwelling__residence_id=self.residence_id)
        if self.meter_ids is not None:
            found = found.filter(id__in=list(self.meter_ids))
        return found


async def recompute_fleet(
    application: Application,
    viewer: Viewer,
    selection: Selection,
    *,
    anew: bool = False,
    clock: Callable[[], datetime],
    progress: Callable[[Progress], None] = lambda _progress: None,
) -> Progress:
    """Recompute the meters of a selection; one that was begun and interrupted goes on where it was.

    Args:
        application: the settings and drivers.
        viewer: the operator's command line.
        selection: the day and the meters.
        anew: begin at the first meter, whatever was done before.
        clock: the present moment, asked for each batch.
        progress: called at the beginning, and after each batch.

    Raises:
        NotFound: no such residence or meter.
        InvalidInput: a radio address cannot be read.
    """
    viewer.require(Permission.READINGS_CORRECT)
    chosen = await _chosen(selection)
    total = await chosen.meters().count()
    row = await _begun(chosen, anew=anew, now=clock())
    reached = _progress(row, total)
    progress(reached)
    while (moved := await _next_batch(application, chosen, row.id, clock=clock)) is not None:
        reached = _progress(moved, total)
        progress(reached)
    return reached


async def _chosen(selection: Selection) -> _Chosen:
    residence_id: int | None = None
    if selection.residence is not None:
        operator, code = selection.residence
        residence = await Residence.get_or_none(code=code, operator__code=operator)
        if residence is None:
            raise NotFound(f"Operator {operator} has no residence {code}.", field="residence")
        residence_id = residence.id
    meter_ids: tuple[int, ...] | None = None
    if selection.meters:
        meter_ids = tuple(sorted({await _meter_id(written) for written in selection.meters}))
    asked = json.dumps([selection.since.isoformat(), residence_id, meter_ids])
    return _Chosen(
        max(selection.since, _EARLIEST), residence_id, meter_ids, hashlib.sha256(asked.encode()).hexdigest()
    )


async def _meter_id(written: str) -> int:
    try:
        address = str(Address.parse(written))
    except TelegramError as failure:
        raise InvalidInput(f"{written!r} is no radio address: {failure.message}", field="meters") from failure
    meter = await meter_with_address(current_database(), address)
    if meter is None:
        raise NotFound(f"No meter {written} is registered.", field="meters")
    meter_id: int = meter.id
    return meter_id


async def _begun(chosen: _Chosen, *, anew: bool, now: datetime) -> Recomputation:
    """The row of this selection: a new one, or that of a recomputation that did not come to its end."""
    if anew:
        await Recomputation.filter(selection=chosen.digest).delete()
    await Recomputation.bulk_create(
        [Recomputation(selection=chosen.digest, begun_at=now)], ignore_conflicts=True
    )
    return await Recomputation.get(selection=chosen.digest)


def _progress(row: Recomputation, total: int) -> Progress:
    changed = Recomputed(row.days, row.alerts, row.messages)
    return Progress(row.meters, max(total, row.meters), changed, row.begun_at)


async def _next_batch(
    application: Application, chosen: _Chosen, number: int, *, clock: Callable[[], datetime]
) -> Recomputation | None:
    for tries_left in reversed(range(_MOST_TRIES)):
        try:
            return await _recompute_batch(application, chosen, number, now=clock())
        except Exception as error:
            if not tries_left or not begins_again(error):
                raise
    raise AssertionError


@transactional
async def _recompute_batch(
    connection: TransactionalDBClient,
    application: Application,
    chosen: _Chosen,
    number: int,
    *,
    now: datetime,
) -> Recomputation | None:
    """The meters after those that are done: the row as it is then. None when none was left, or when another
    process has ended it or begun it anew; one with the same selection waits for its turn.
    """
    rows = Recomputation.filter(id=number).using_db(connection)
    row = await (rows if is_sqlite(connection) else rows.select_for_update()).first()
    if row is None:
        return None
    size = _batch_size(chosen.since, now)
    page = chosen.meters().filter(id__gt=row.last_meter_id).using_db(connection).order_by("id").limit(size)
    found = await page.values_list("id", "radio_address", "dwelling_id")
    if not found:
        await row.delete(using_db=connection)
        return None
    await lock_dwellings(connection, [dwelling_id for _, _, dwelling_id in found])
    meters = await meters_by_address(
        SYSTEM,
        [address for _, address, _ in found],
        key_encryption=KeyEncryption.under(application.settings.secret_key),
    )
    followed = await _followed(connection, [meter.id for meter in meters.values()])
    changed = await recompute_meters(
        connection,
        await _since(connection, meters.values(), chosen.since),
        readings_moved=False,
        thresholds_of=application.registry.leak_thresholds,
        now=now,
    )
    await _forget_quiet(connection, {meter.id for meter in meters.values()} - followed)
    row.last_meter_id = max(meter_id for meter_id, _, _ in found)
    row.meters += len(found)
    row.days += changed.days
    row.alerts += changed.alerts
    row.messages += changed.messages
    await row.save(using_db=connection)
    return row


async def _followed(connection: TransactionalDBClient, meter_ids: Collection[int]) -> set[int]:
    """The meters of which the classifier keeps a state: those that were not always quiet."""
    found: set[int] = set()
    for model in (LeakClassifierState, LeakCheckpoint):
        rows = model.filter(meter_id__in=list(meter_ids)).using_db(connection)
        found |= {row.meter_id for row in await rows.only("id", "meter_id")}
    return found


async def _forget_quiet(connection: TransactionalDBClient, meter_ids: Collection[int]) -> None:
    """Remove the states of meters that had none and of which no leak was found: as intake has it."""
    leaking = LeakEpisode.filter(meter_id__in=list(meter_ids)).using_db(connection)
    quiet = set(meter_ids) - {row.meter_id for row in await leaking.only("id", "meter_id")}
    if quiet:
        for model in (LeakClassifierState, LeakCheckpoint):
            await model.filter(meter_id__in=list(quiet)).using_db(connection).delete()


def _batch_size(since: date, now: datetime) -> int:
    reach = now - datetime.combine(since, time(), tzinfo=UTC) + _REACH
    hours = max(1, int(reach / timedelta(hours=1)))
    return min(_MOST_METERS, max(1, READINGS_A_BATCH // hours))


async def _since(
    connection: TransactionalDBClient, meters: Collection[MeterEntry], since: date
) -> dict[MeterEntry, datetime | None]:
    """From when on each meter is recomputed: the day's beginning where it is, or None, its whole series.

    The volumes of days whose readings are past their retention remain as they are.
    """
    stored = await extents(connection, [meter.id for meter in meters])
    found: dict[MeterEntry, datetime | None] = {}
    for meter in meters:
        moment = datetime.combine(since, time(), tzinfo=meter.zone).astimezone(UTC)
        first_s = stored[meter.id].first_s
        found[meter] = None if first_s is None or moment.timestamp() <= first_s else moment
    return found
