"""The meters that a process has seen: described once, their keys opened once, within a bound.

In: radio addresses and the viewer. Out: what `meter_directory.meters_by_address` says. The one rule: what
is held is thrown away when the database counts another version of it (its triggers count every change of a
meter, its keys, aliases, dwelling, residence or operator), so it is as current as a reading of the tables.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from typing import Final
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


class MeterDirectory:
    """The meters by radio address, the most recently seen last.

    Args:
        capacity: how many addresses are held.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._version: int | None = None
        self._limited: tuple[int, frozenset[int]] = 0, frozenset()

    async def find(
        self, viewer: Viewer, addresses: Iterable[str], *, key_encryption: KeyEncryption
    ) -> dict[str, MeterEntry]:
        """The meters with these radio addresses whose telegrams the viewer may deliver."""
        version = await _version(current_database(), METERS)
        if version != self._version:
            self._known.clear()
            self._version = version
        wanted = set(addresses)
        missing = [address for address in wanted if address not in self._known]
        found: dict[str, _Known] = {}
        if missing:
            read = await entries_by_address(missing, key_encryption=key_encryption)
            for address in missing:
                found[address] = read.get(address)
        for address in wanted - found.keys():
            self._known.move_to_end(address)
            found[address] = self._known[address]
        self._keep({address: found[address] for address in missing})
        return {
            address: known[1]
            for address, known in found.items()
            if known is not None and viewer.operator_id in {None, known[0]}
        }

    async def is_current(self, connection: BaseDBAsyncClient) -> bool:
        """Whether what `find` answered last still holds, as the transaction sees it."""
        return await _version(connection, METERS) == self._version

    async def limited_dwellings(self, connection: BaseDBAsyncClient) -> Collection[int]:
        """The dwellings for which somebody has set a limit of consumption."""
        version = await _version(connection, LIMITS)
        if self._limited[0] != version:
            rows = await ConsumptionLimit.all().using_db(connection).only("id", "dwelling_id")
            self._limited = version, frozenset(row.dwelling_id for row in rows)
        return self._limited[1]

    def _keep(self, found: dict[str, _Known]) -> None:
        self._known.update(found)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)


async def _version(connection: BaseDBAsyncClient, topic: str) -> int:
    rows = await connection.execute_query_dict(
        f"SELECT version FROM directory_version WHERE topic = '{topic}'"  # noqa: S608 - a constant
    )
    return int(rows[0]["version"])


_directories: dict[int, tuple[ReferenceType[Application], MeterDirectory]] = {}
"""By the identity of the application: its settings may equal another's."""
