"""Registers the meters of an operator's list, or updates them.

In: the lines of a list, as whatever reads the file makes them. Out: the meters, in transactions of some
thousand lines each. The one rule: the whole list is checked against itself and against what is stored
before anything is written; so a list with a fault changes nothing, and the first line at fault is named. A
list that was interrupted is imported again: what is stored already is left as it is.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.access import SYSTEM, Permission, Viewer
from core.bootstrap import Application
from core.errors import NotFound, SubmeterError
from core.models import DeadLetter, MeterAlias, Operator, Residence, TelegramState
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import DwellingSpec
from core.services.portfolio.inventory import Inventory, Listed
from core.services.portfolio.validation import can_be_stored, canonical_address
from core.services.shared.transaction import current_database, transactional, tried_again
from core.services.telegrams.decoding import Reason
from core.services.telegrams.pipeline import replay

LINES_A_TRANSACTION: Final = 2_000
MOVES_A_TRANSACTION: Final = 20
"""A meter whose time in service has moved is recomputed from its readings: so many at a time."""


@dataclass(frozen=True, slots=True)
class MeterLine:
    """A line of a list.

    Attributes:
        place: its number in the file.
        operator_code: the operator.
        residence_code: the residence, of that operator.
        describe: makes the dwelling with its meter; days are those of the residence, so its zone is given.
            Raises InvalidInput for a value that cannot be read.
        keep_removal: the list names no removals: known ones remain.
    """

    place: int
    operator_code: str
    residence_code: str
    describe: Callable[[ZoneInfo], DwellingSpec]
    keep_removal: bool = False


class LineRefused(SubmeterError):
    """A line of a list cannot be registered; `cause` says why."""

    def __init__(self, place: int, cause: SubmeterError) -> None:
        super().__init__(cause.message, field=cause.field)
        self.place = place
        self.cause = cause


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line that may be written. `moves`: the time in service of a meter that is stored."""

    place: int
    listed: Listed
    moves: bool


Progress = Callable[[int], None]
"""Called with the number of lines that were done since the last call."""


def ignored(_lines: int) -> None:
    """No progress is shown."""


async def check_list(
    viewer: Viewer, lines: Iterable[MeterLine], *, progress: Progress = ignored
) -> list[CheckedLine]:
    """Check a list against itself and against what is stored.

    Raises:
        LineRefused: a line is at fault, all before it are not.
    """
    viewer.require(Permission.METERS_WRITE)
    checked: list[CheckedLine] = []
    check = _Check()
    for some in _slices(lines):
        checked += await check.take(current_database(), some)
        progress(len(some))
    return checked


async def import_list(
    application: Application,
    viewer: Viewer,
    lines: Sequence[CheckedLine],
    *,
    now: datetime,
    progress: Progress = ignored,
) -> int:
    """Register the meters of a list that was checked, or update them; keys are encrypted.

    Telegrams that were refused as outside a meter's time in service are processed again; returns how many
    of them are readings now.

    Raises:
        LineRefused: what another process has written since the check contradicts a line.
    """
    viewer.require(Permission.METERS_WRITE)
    for some in _transactions(lines):
        await _written(application, viewer, some, now=now)
        progress(len(some))
    addresses = {
        canonical_address(meter.radio_address) for line in lines for meter in line.listed.dwelling.meters
    }
    return await replay_returned(application, addresses, now=now)


class _Check:
    """The whole list against itself and against what is stored; nothing is written."""

    def __init__(self) -> None:
        self._inventory = Inventory()
        self._residences: dict[tuple[str, str], tuple[int, ZoneInfo]] = {}

    async def take(self, connection: BaseDBAsyncClient, lines: Sequence[MeterLine]) -> list[CheckedLine]:
        """Check the next lines.

        Raises:
            LineRefused: one is at fault; all before it are not.
        """
        await self._load_residences(connection, lines)
        described: list[tuple[MeterLine, Listed]] = []
        refusal: LineRefused | None = None
        for line in lines:
            try:
                described.append((line, self._described(line)))
            except SubmeterError as failure:
                refusal = LineRefused(line.place, failure)
                refusal.__cause__ = failure
                break
        await self._inventory.load(connection, [listed for _, listed in described])
        checked: list[CheckedLine] = []
        for line, listed in described:
            try:
                self._inventory.put(listed)
            except SubmeterError as failure:
                raise LineRefused(line.place, failure) from failure
            checked.append(CheckedLine(line.place, listed, self._inventory.moves_service(listed)))
        if refusal is not None:
            raise refusal
        return checked

    async def _load_residences(self, connection: BaseDBAsyncClient, lines: Iterable[MeterLine]) -> None:
        named = {(line.operator_code, line.residence_code) for line in lines} - self._residences.keys()
        codes = {
            (operator, code)
            for operator, code in named
            if can_be_stored(Operator, "code", operator) and can_be_stored(Residence, "code", code)
        }
        if not codes:
            return
        rows = Residence.filter(
            operator__code__in={operator for operator, _ in codes}, code__in={code for _, code in codes}
        ).using_db(connection)
        for number, operator, code, zone in await rows.values_list(
            "id", "operator__code", "code", "time_zone"
        ):
            self._residences[operator, code] = number, ZoneInfo(zone)

    def _described(self, line: MeterLine) -> Listed:
        known = self._residences.get((line.operator_code, line.residence_code))
        if known is None:
            raise NotFound(
                f"Operator {line.operator_code} has no residence {line.residence_code}.", field="residence"
            )
        residence_id, zone = known
        return Listed(residence_id, line.describe(zone), line.keep_removal)


def _slices(lines: Iterable[MeterLine]) -> Iterator[list[MeterLine]]:
    some: list[MeterLine] = []
    for line in lines:
        some.append(line)
        if len(some) == LINES_A_TRANSACTION:
            yield some
            some = []
    if some:
        yield some


def _transactions(lines: Iterable[CheckedLine]) -> Iterator[list[CheckedLine]]:
    """The lines in parts, none of which moves more than some meters' time in service."""
    some: list[CheckedLine] = []
    moves = 0
    for line in lines:
        some.append(line)
        moves += line.moves
        if len(some) == LINES_A_TRANSACTION or moves == MOVES_A_TRANSACTION:
            yield some
            some, moves = [], 0
    if some:
        yield some


async def _written(
    application: Application, viewer: Viewer, lines: Sequence[CheckedLine], *, now: datetime
) -> None:
    """Write some lines, again if another process has written meanwhile what they compare with."""
    await tried_again(lambda: _write(application, viewer, lines, now=now))


@transactional
async def _write(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    lines: Sequence[CheckedLine],
    *,
    now: datetime,
) -> None:
    inventory = await Inventory.of(connection, [line.listed for line in lines])
    for line in lines:
        try:
            inventory.put(line.listed)
        except SubmeterError as failure:
            raise LineRefused(line.place, failure) from failure
    await inventory.store(
        connection,
        viewer,
        key_encryption=KeyEncryption.under(application.settings.secret_key),
        thresholds_of=application.registry.leak_thresholds,
        now=now,
    )


async def replay_returned(application: Application, addresses: Collection[str], *, now: datetime) -> int:
    """Process the lines again that came outside the time in service of these meters; how many were
    stored.
    """
    waiting = DeadLetter.filter(state=TelegramState.WAITING, reason=Reason.OUTSIDE_SERVICE)
    refused: set[str] = {
        row["radio_address"]
        for row in await waiting.distinct().values("radio_address")
        if row["radio_address"]
    }
    aliases = await MeterAlias.all().values_list("radio_address", "meter__radio_address") if refused else ()
    own = {alias: address for alias, address in aliases if alias in refused}
    concerned = sorted(address for address in refused if own.get(address, address) in addresses)
    stored = 0
    for first in range(0, len(concerned), LINES_A_TRANSACTION):
        summary = await replay(
            application,
            SYSTEM,
            radio_addresses=concerned[first : first + LINES_A_TRANSACTION],
            reason=Reason.OUTSIDE_SERVICE,
            now=now,
        )
        stored += summary.stored
    return stored
