"""Finds and sets apart readings dated ahead of the present: the server's clock was ahead when they came.

In: the present moment. Out: meters with their count of such readings; or these set apart, and everything
that followed from them recomputed. The one rule: a person decides. A server whose clock is behind would
find every reading in its future, so intake never does this by itself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import SYSTEM, Act, Permission, Viewer
from core.access.acts import NOBODY
from core.consumption.corrections import CorrectionReason
from core.leak_thresholds import ThresholdsOf
from core.models import Meter
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_directory import lock_dwellings, meters_by_address
from core.services.shared.audit import Subject, record
from core.services.shared.service_window import meters_in_future, move_future_readings
from core.services.shared.transaction import current_database, transactional
from core.services.telegrams.line_times import CLOCK_TOLERANCE
from core.services.telegrams.recompute import recompute_meter


@dataclass(frozen=True, slots=True)
class FutureReadings:
    """A meter, and how many of its readings lie in the future."""

    radio_address: str
    readings: int


async def future_readings(viewer: Viewer, *, now: datetime) -> list[FutureReadings]:
    """The meters that have readings dated after the present."""
    viewer.require(Permission.METERS_WRITE)
    counts = await meters_in_future(current_database(), after_s=_latest_s(now))
    rows = await Meter.filter(id__in=list(counts)).order_by("id")
    return [FutureReadings(row.radio_address, counts[row.id]) for row in rows]


@transactional
async def set_apart(
    connection: TransactionalDBClient,
    viewer: Viewer,
    *,
    radio_address: str,
    key_encryption: KeyEncryption,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> None:
    """Set a meter's readings of the future apart, and recompute what followed from them."""
    viewer.require(Permission.METERS_WRITE)
    entries = await meters_by_address(SYSTEM, [radio_address], key_encryption=key_encryption)
    for meter in entries.values():
        await lock_dwellings(connection, [meter.dwelling_id])
        first_s = await move_future_readings(connection, meter.id, after_s=_latest_s(now))
        if first_s is not None:
            since = datetime.fromtimestamp(first_s, UTC)
            await recompute_meter(
                connection,
                meter,
                since=since,
                reason=CorrectionReason.CLOCK_ERROR,
                thresholds_of=thresholds_of,
                now=now,
            )
            await record(
                Act.FUTURE_READINGS_SET_APART, Subject("meter", meter.id), viewer, NOBODY, now, connection
            )


def _latest_s(now: datetime) -> int:
    return int((now + CLOCK_TOLERANCE).timestamp())
