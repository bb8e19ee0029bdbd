"""Message counters of encrypted telegrams: each is accepted once (EN 13757-7 clause 7.6.6, mode 7).

In: reports whose counter a message authentication code has proved. Out: whether one is a replayed message.
A meter with two radios has two counters, so each of its addresses has its own. The one rule: a
message that is no newer than the newest known one, and was received later than that by more
than clocks differ, is a replay; a late delivery carries an earlier moment and is accepted. A new key, or
`meters restart-counter`, resets the counter.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.errors import NotFound
from core.models import MessageCounter
from core.services.places.meter_directory import meter_with_address
from core.services.shared import time_series
from core.services.shared.columns import moment
from core.services.shared.many_rows import slices, upsert_rows
from core.services.shared.transaction import transactional
from core.services.telegrams.decoding import Reported

CLOCKS_DIFFER: Final = timedelta(hours=1)
"""Between two gateways that receive one meter."""


_Radio = tuple[int, str]
"""A meter's id, and one of its addresses."""


class MessageCounters:
    """The newest message of each radio of a batch.

    Args:
        stored: the counter of each and when it was received; the dwellings of the meters must be locked.

    """

    def __init__(self, stored: Mapping[_Radio, tuple[int, datetime]]) -> None:
        self._stored = stored
        self._newest = dict(stored)

    @classmethod
    async def of(cls, connection: TransactionalDBClient, reported: Sequence[Reported]) -> "MessageCounters":
        """The counters of the reports' meters."""
        ids = {report.meter.id for report in reported if report.message_counter is not None}
        rows = await time_series.select(connection, _OF_METERS, ((meter_id,) for meter_id in ids))
        return cls(
            {
                (row["meter_id"], row["radio_address"]): (row["counter"], moment(row["received_at"]))
                for row in rows
            }
        )

    def is_replay(self, report: Reported) -> bool:
        """True for a replayed message; any other is noted as the newest."""
        counter, received_at = report.message_counter, report.received.moment
        if counter is None:
            return False
        radio = (report.meter.id, report.received.radio_address)
        newest = self._newest.get(radio)
        if newest is not None and counter <= newest[0]:
            if received_at > newest[1] + CLOCKS_DIFFER:
                return True
            if counter < newest[0] or received_at >= newest[1]:
                return False
        self._newest[radio] = counter, received_at
        return False

    async def save(self, connection: TransactionalDBClient) -> None:
        """Store what was noted."""
        risen = {radio: newest for radio, newest in self._newest.items() if self._stored.get(radio) != newest}
        await upsert_rows(
            connection,
            MessageCounter,
            ("meter_id", "radio_address", "counter", "received_at"),
            [(*radio, *newest) for radio, newest in sorted(risen.items())],
            key=("meter_id", "radio_address"),
        )


_OF_METERS: Final = (
    "SELECT c.meter_id, c.radio_address, c.counter, c.received_at"
    " FROM k JOIN message_counter c ON c.meter_id = k.a"
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
