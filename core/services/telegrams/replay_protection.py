"""Message counters of encrypted telegrams: each is accepted once (EN 13757-7 clause 7.6.6, mode 7).

In: reports whose counter a message authentication code has proved. Out: whether one is a replayed message.
A meter with two radios has two counters, so each of its addresses has its own. The one rule: a
message that is no newer than the newest known one, and was received later than that by more
than clocks differ, is a replay; a late delivery carries an earlier moment and is accepted. A new key, or
`meters restart-counter`, resets the counter.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.errors import NotFound
from core.models import MessageCounter
from core.services.places.meter_directory import meter_with_address
from core.services.shared.many_rows import slices
from core.services.shared.transaction import transactional
from core.services.telegrams.decoding import Reported

_ROWS_AN_UPDATE: Final = 1000

CLOCKS_DIFFER: Final = timedelta(hours=1)
"""Between two gateways that receive one meter."""


class MessageCounters:
    """The newest message of each radio of a batch.

    Args:
        rows: as stored; the dwellings of their meters must be locked.

    """

    def __init__(self, rows: Sequence[MessageCounter]) -> None:
        self._stored = {(row.meter_id, row.radio_address): row for row in rows}
        self._newest = {key: (row.counter, row.received_at) for key, row in self._stored.items()}

    @classmethod
    async def of(cls, connection: TransactionalDBClient, reported: Sequence[Reported]) -> "MessageCounters":
        """The counters of the reports' meters."""
        ids = {report.meter.id for report in reported if report.message_counter is not None}
        if not ids:
            return cls(())
        return cls(await MessageCounter.filter(meter_id__in=list(ids)).using_db(connection))

    def is_replay(self, report: Reported) -> bool:
        """True for a replayed message; any other is noted as the newest."""
        counter, moment = report.message_counter, report.received.moment
        if counter is None:
            return False
        radio = (report.meter.id, report.received.radio_address)
        newest = self._newest.get(radio)
        if newest is not None and counter <= newest[0]:
            if moment > newest[1] + CLOCKS_DIFFER:
                return True
            if counter < newest[0] or moment >= newest[1]:
                return False
        self._newest[radio] = counter, moment
        return False

    async def save(self, connection: TransactionalDBClient) -> None:
        """Store what was noted."""
        fresh: list[MessageCounter] = []
        risen: list[MessageCounter] = []
        for radio, (counter, moment) in self._newest.items():
            row = self._stored.get(radio)
            if row is None:
                meter_id, radio_address = radio
                fresh.append(
                    MessageCounter(
                        meter_id=meter_id, radio_address=radio_address, counter=counter, received_at=moment
                    )
                )
            elif (row.counter, row.received_at) != (counter, moment):
                row.counter, row.received_at = counter, moment
                risen.append(row)
        await MessageCounter.bulk_create(fresh, using_db=connection)
        if risen:
            await MessageCounter.bulk_update(
                risen, ("counter", "received_at"), batch_size=_ROWS_AN_UPDATE, using_db=connection
            )


async def begin_anew(connection: TransactionalDBClient, meter_ids: Collection[int]) -> None:
    """Forget the newest messages of meters whose keys have changed."""
    for some in slices(meter_ids):
        await MessageCounter.filter(meter_id__in=some).using_db(connection).delete()


async def forget_radio(connection: TransactionalDBClient, meter_id: int, radio_address: str) -> None:
    """Forget the newest message of one address of a meter."""
    radio = MessageCounter.filter(meter_id=meter_id, radio_address=radio_address)
    await radio.using_db(connection).delete()


@transactional
async def restart_counter(connection: TransactionalDBClient, viewer: Viewer, *, radio_address: str) -> None:
    """Accept the next message of a radio as its newest, whatever its counter: the radio was reset.

    Raises:
        NotFound: no meter has this radio address or alias.

    """
    viewer.require(Permission.METERS_WRITE)
    address = radio_address.strip().upper()
    meter = await meter_with_address(connection, address)
    if meter is None:
        raise NotFound(f"no meter {radio_address} is registered")
    await forget_radio(connection, meter.id, address)
