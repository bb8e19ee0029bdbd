"""The meters that a process has seen: described once, their keys opened once, within a bound.

In: radio addresses and the viewer. Out: what `meter_directory.meters_by_address` says. The one rule: what
is held is thrown away when the database counts another version of it (its triggers count every change of a
meter, its keys, aliases, dwelling, residence or operator), so it is as current as a reading of the tables.
"""

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final, NamedTuple
from weakref import ReferenceType, finalize, ref

from tortoise.backends.base.client import BaseDBAsyncClient

from core.access import Viewer
from core.bootstrap import Application
from core.models import ConsumptionLimit
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_directory import MeterEntry, entries_by_address
from core.services.shared.transaction import current_database

METERS: Final = "METERS"
LIMITS: Final = "LIMITS"

_DROPPED_AT_ONCE: Final = 64
"""Where the bound is reached, such a part of it is let go."""

_Known = tuple[int, MeterEntry] | None
"""The operator's id and the meter; None: no such meter."""


def directory_of(application: Application) -> "MeterDirectory":
    """The directory of an application: one for as long as it is open."""
    found = _directories.get(id(application))
    if found is None or found[0]() is not application:
        found = ref(application), MeterDirectory(application.settings.meters_in_memory)
        _directories[id(application)] = found
        finalize(application, _directories.pop, id(application), None)
    return found[1]


class Checked(NamedTuple):
    """How a directory compares with the tables.

    Attributes:
        is_current: whether what `find` answered last still holds.
        limited: the dwellings for which somebody has set a limit of consumption.
    """

    is_current: bool
    limited: Collection[int]


class MeterDirectory:
    """The meters by radio address. Those that were not seen for longest are let go first, roughly.

    Args:
        capacity: how many addresses are held.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._seen: dict[str, _Known] = {}
        self._before: dict[str, _Known] = {}
        """Those that were not asked for since `_seen` was begun: to note each time when one was asked for
        would cost more than to find it."""
        self._version: int | None = None
        self._limited: tuple[int, frozenset[int]] = 0, frozenset()

    async def find(
        self, viewer: Viewer, addresses: Iterable[str], *, key_encryption: KeyEncryption
    ) -> dict[str, MeterEntry]:
        """The meters with these radio addresses whose telegrams the viewer may deliver."""
        version = (await _versions(current_database()))[METERS]
        if version != self._version:
            self._seen.clear()
            self._before.clear()
            self._version = version
        seen, before = self._seen, self._before
        wanted = dict.fromkeys(addresses)
        found: dict[str, _Known] = {address: seen[address] for address in wanted if address in seen}
        if len(found) < len(wanted):
            again = [address for address in wanted if address not in found and address in before]
            fresh = {address: before.pop(address) for address in again}
            missing = [address for address in wanted if address not in found and address not in fresh]
            read = await entries_by_address(missing, key_encryption=key_encryption) if missing else {}
            fresh |= {address: read.get(address) for address in missing}
            found |= fresh
            self._keep(fresh)
        operator_id = viewer.operator_id
        return {
            address: known[1]
            for address, known in found.items()
            if known is not None and (operator_id is None or operator_id == known[0])
        }

    async def check(self, connection: BaseDBAsyncClient) -> "Checked":
        """Compare with what the transaction sees."""
        versions = await _versions(connection)
        if self._limited[0] != versions[LIMITS]:
            rows = await ConsumptionLimit.all().using_db(connection).only("id", "dwelling_id")
            self._limited = versions[LIMITS], frozenset(row.dwelling_id for row in rows)
        return Checked(versions[METERS] == self._version, self._limited[1])

    def _keep(self, found: dict[str, _Known]) -> None:
        self._seen |= found
        while (too_many := len(self._seen) + len(self._before) - self._capacity) > 0:
            if not self._before:
                self._seen, self._before = {}, self._seen
            # A part at once: the first of a dictionary is found the more slowly the more were removed there.
            for address in list(islice(self._before, max(too_many, self._capacity // _DROPPED_AT_ONCE))):
                del self._before[address]


async def _versions(connection: BaseDBAsyncClient) -> dict[str, int]:
    rows = await connection.execute_query_dict("SELECT topic, version FROM directory_version")
    return {row["topic"]: row["version"] for row in rows}


_directories: dict[int, tuple[ReferenceType[Application], MeterDirectory]] = {}
"""By the identity of the application: its settings may equal another's."""
