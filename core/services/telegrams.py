"""Gateway lines and what becomes of them: heard, opened, or kept as unusable with the reason.

In: a line and the moment it came. Out: a value that says how far it got. The one rule: nothing that was
received is lost; a line that cannot be used is stored whole, once, and `release` marks it when it is used
after all. Decoding raises nothing here: a broken telegram is a result.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.expressions import F

from core.access import Viewer
from core.metering import (
    Index,
    Registry,
    Sealed,
    TelegramError,
    TelegramFault,
    flags_to_bits,
    identify,
    open_sealed,
    parse_line,
)
from core.models import TelegramState, UnusableTelegram
from core.services.meter_book import MeterEntry


class Stage(StrEnum):
    """The steps after decoding at which a telegram can end; before them stand those of `core.mbus`."""

    METER = "METER"
    READING = "READING"


class Reason(StrEnum):
    """Why a decoded telegram could not become a reading; before these stand the faults of `core.mbus`."""

    UNKNOWN_METER = "UNKNOWN_METER"
    NO_INDEX = "NO_INDEX"
    UNIT_MISMATCH = "UNIT_MISMATCH"
    TIME_IN_FUTURE = "TIME_IN_FUTURE"
    OUTSIDE_SERVICE = "OUTSIDE_SERVICE"
    CONFLICTING_READING = "CONFLICTING_READING"


@dataclass(frozen=True, slots=True)
class Line:
    """A gateway line as received; `received_at` is the moment that holds if the line carries none itself."""

    text: str
    received_at: datetime

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.strip().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line that could not become a reading: at which stage, why, where in it, and whose it was."""

    line: Line
    stage: str
    reason: str
    message: str
    offset: int | None = None
    radio_address: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A telegram whose sender is known; `timed` says that the moment is the line's own."""

    line: Line
    sealed: Sealed
    telegram_digest: int
    moment: datetime
    timed: bool

    @property
    def radio_address(self) -> str:
        return str(self.sealed.address)

    def unusable(self, stage: str, reason: str, message: str, *, offset: int | None = None) -> Unusable:
        return Unusable(self.line, stage, reason, message, offset, self.radio_address)


@dataclass(frozen=True, slots=True)
class Reported:
    """What an opened telegram says of its meter's register."""

    heard: Heard
    meter: MeterEntry
    index: Index
    status_bits: int


def hear(line: Line, registry: Registry) -> Heard | Unusable:
    """Line to telegram to sender; the content may still be sealed."""
    address: str | None = None
    try:
        gateway_line = parse_line(line.text)
        sealed = identify(gateway_line.telegram, registry, crc_kept=gateway_line.crc_kept)
        address = str(sealed.address)
    except TelegramError as failure:
        return _failed(line, failure, address)
    digest = hashlib.blake2b(gateway_line.telegram, digest_size=8).digest()
    return Heard(
        line=line,
        sealed=sealed,
        telegram_digest=int.from_bytes(digest, "big", signed=True),
        moment=gateway_line.received_at or line.received_at,
        timed=gateway_line.received_at is not None,
    )


def open_telegram(heard: Heard, meter: MeterEntry | None) -> Reported | Unusable:
    """Sealed telegram to the index of its register, with the newest of the meter's keys that fits."""
    if meter is None:
        return heard.unusable(
            Stage.METER, Reason.UNKNOWN_METER, f"No meter {heard.radio_address} is registered."
        )
    failure: TelegramError | None = None
    for key in meter.keys or (None,):
        try:
            measurement = open_sealed(heard.sealed, key).measurement
        except TelegramError as error:
            failure = failure or error
            if error.code in _ANOTHER_KEY_MAY_FIT:
                continue
            break
        if measurement.index is None:
            return heard.unusable(Stage.READING, Reason.NO_INDEX, "The telegram carries no total.")
        return Reported(heard, meter, measurement.index, flags_to_bits(measurement.flags))
    if failure is None:
        raise AssertionError("a key was tried and neither opened nor failed")
    return _failed(heard.line, failure, heard.radio_address)


_ANOTHER_KEY_MAY_FIT = frozenset(
    {TelegramFault.KEY_WRONG, TelegramFault.MAC_MISMATCH, TelegramFault.KEY_UNUSABLE}
)


async def keep(
    connection: TransactionalDBClient,
    viewer: Viewer,
    failures: Sequence[Unusable],
    *,
    source: str,
) -> None:
    """Store lines that could not be used; one that is kept already gets its newest reason and one sighting more."""
    if not failures:
        return
    latest = {failure.line.digest: failure for failure in failures}
    known = await UnusableTelegram.filter(line_digest__in=list(latest)).using_db(connection)
    for row in known:
        failure = latest.pop(row.line_digest)
        row.stage, row.reason, row.message = failure.stage, failure.reason, failure.message[:300]
        row.byte_offset, row.radio_address = failure.offset, failure.radio_address
        row.state, row.replayed_at = TelegramState.KEPT, None
    if known:
        await UnusableTelegram.bulk_update(
            known,
            ["stage", "reason", "message", "byte_offset", "radio_address", "state", "replayed_at"],
            using_db=connection,
        )
        ids = [row.id for row in known]
        await UnusableTelegram.filter(id__in=ids).using_db(connection).update(times_seen=F("times_seen") + 1)
    await UnusableTelegram.bulk_create(
        [
            UnusableTelegram(
                line=failure.line.text.strip(),
                line_digest=digest,
                source=source[:200],
                gateway_id=viewer.gateway_id,
                received_at=failure.line.received_at,
                stage=failure.stage,
                reason=failure.reason,
                byte_offset=failure.offset,
                message=failure.message[:300],
                radio_address=failure.radio_address,
            )
            for digest, failure in latest.items()
        ],
        using_db=connection,
    )


async def release(connection: TransactionalDBClient, used: Iterable[Line], *, now: datetime) -> None:
    """Mark kept lines that have been used now."""
    digests = [line.digest for line in used]
    if not digests:
        return
    kept = UnusableTelegram.filter(state=TelegramState.KEPT, line_digest__in=digests).using_db(connection)
    await kept.update(state=TelegramState.REPLAYED, replayed_at=now)


def _failed(line: Line, failure: TelegramError, address: str | None) -> Unusable:
    return Unusable(line, failure.stage, failure.code, failure.message, failure.offset, address)
