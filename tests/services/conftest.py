"""Fixtures of the services' tests: meters whose telegrams a test chooses, and tables as plain rows.

The telegrams come from the simulator, which shares no code with the decoder.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from core.access import SYSTEM, Act, Role, Viewer, Visitor
from core.bootstrap import Application
from core.models import Account, Channel, OutboxMessage
from core.services.accounts.sign_in import sign_in
from core.services.messaging.account_messages import opened_values
from core.services.messaging.delivery import claim_next
from core.services.shared.audit import acts_on
from core.services.shared.transaction import current_database
from submeter.simulator import encryption, fleet, layouts, prios
from submeter.simulator.records import bcd, full
from submeter.simulator.values import DemoMeter, Fluid
from tests.support.factories import NOW, PASSWORD

SERIES = ("reading", "daily_volume")
EVERYTHING = (*SERIES, "outbox_message", "alert", "leak_episode", "dead_letter")


@dataclass(frozen=True, slots=True)
class Izar:
    """A Sappel water meter: its printed serial is its address, and its vendor's key opens it."""

    serial: str = "H18CA029620"

    @property
    def address(self) -> str:
        wire = prios.wire_address(self.serial)
        return f"SAP-{wire[5:1:-1].hex().upper()}-{wire[6]:02X}-{wire[7]:02X}"

    def telegram(self, litres: int, *, leak: bool = False, complaints: int = 0) -> bytes:
        state = prios.PriosState(
            litres=litres,
            month_end_litres=0,
            month_end=date(2026, 1, 31),
            leak_now=leak,
            complaints=complaints,
        )
        return prios.encrypt(prios.wire_address(self.serial), state)

    def line(self, litres: int, at: datetime, *, leak: bool = False, complaints: int = 0) -> str:
        """The telegram as rtl_wmbus writes it, received at `at`."""
        return received_line(self.telegram(litres, leak=leak, complaints=complaints), at)

    def hourly(self, first: datetime, amounts: Iterable[int], *, index: int = 1000) -> list[str]:
        """A reading at `first`, and one an hour later for each amount."""
        lines = [self.line(index, first)]
        for number, amount in enumerate(amounts, start=1):
            index += amount
            lines.append(self.line(index, first + timedelta(hours=number)))
        return lines


@dataclass(frozen=True, slots=True)
class Itron:
    """An Itron water meter, encrypted in mode 5 with a key of its own."""

    demo: DemoMeter

    @property
    def address(self) -> str:
        return self.demo.address

    @property
    def key(self) -> bytes:
        assert self.demo.key
        return self.demo.key

    def telegram(self, litres: int, *, key: bytes | None = None) -> bytes:
        records = layouts.itron_water(
            litres=litres,
            clock=datetime(2026, 11, 1, tzinfo=UTC),
            year_end_litres=0,
            year_end=date(2025, 12, 31),
            enhanced_id=93800000000 + int(self.demo.printed_serial),
        )
        return encryption.mode5(self.demo.wire_address, key or self.key, full(records), access=litres & 0xFF)

    def line(self, litres: int, at: datetime, *, key: bytes | None = None) -> str:
        return received_line(self.telegram(litres, key=key), at)


@dataclass(frozen=True, slots=True)
class HeatMeter:
    """An ista heat meter, encrypted in mode 7 with a key of its own; it counts hundreds of watt-hours."""

    demo: DemoMeter

    @property
    def address(self) -> str:
        return self.demo.address

    @property
    def key(self) -> bytes:
        assert self.demo.key
        return self.demo.key

    def line(self, watt_hours: int, at: datetime) -> str:
        records = (bcd("0C05", watt_hours // 100),)
        counter = watt_hours // 100 + 1
        return received_line(
            encryption.mode7(self.demo.wire_address, self.key, full(records), access=1, counter=counter), at
        )


def received_line(telegram: bytes, at: datetime) -> str:
    return f"T1;1;1;{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}.000;97;148;00000000;0x{telegram.hex()}"


@pytest.fixture
def izar() -> Izar:
    """The meter of OCEA's own guide."""
    return Izar()


@pytest.fixture
def other_izar() -> Izar:
    return Izar("H18CA029621")


@pytest.fixture
def itron() -> Itron:
    return Itron(fleet.itron("48349952", date(2024, 1, 1)))


@pytest.fixture
def heat_meter() -> HeatMeter:
    return HeatMeter(fleet.ista(Fluid.HEAT, 1, date(2024, 1, 1)))


@pytest.fixture
def tables(application: object) -> Callable[..., Any]:
    """Reads whole tables as sorted rows; by default readings and volumes."""

    async def read(*names: str) -> dict[str, list[tuple[Any, ...]]]:
        database = current_database()
        return {
            name: sorted(
                tuple(row.values()) for row in await database.execute_query_dict(f"SELECT * FROM {name}")
            )
            for name in names or SERIES
        }

    return read


@pytest.fixture
def received(application: object) -> Callable[..., Any]:
    """Reads (meter, moment, index, status, reception) of all readings, those that count and doubtful ones."""

    async def read() -> list[tuple[Any, ...]]:
        columns = "meter_id, read_at, index_value, status_bits, received_at"
        both = f"SELECT {columns} FROM reading UNION ALL SELECT {columns} FROM doubtful_reading"
        return sorted(tuple(row.values()) for row in await current_database().execute_query_dict(both))

    return read


@pytest.fixture
def forget(application: object) -> Callable[..., Any]:
    """Empties every table that intake writes to."""

    async def empty() -> None:
        for name in (
            "outbox_message",
            "alert",
            "leak_episode",
            "dead_letter",
            "doubtful_reading",
            "meter_state",
            *SERIES,
        ):
            await current_database().execute_script(f"DELETE FROM {name}")

    return empty


@pytest.fixture
def resident(application: object) -> Callable[..., Any]:
    """The viewer of an account's session, without the cost of a password's hash."""

    async def of(email: str = "claire.martin@example.org") -> Viewer:
        account = await Account.get(email_key=email)
        return Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id)

    return of


VISITOR = Visitor("192.0.2.7", "a browser")


@pytest.fixture
def visitor() -> Visitor:
    return VISITOR


@pytest.fixture
def enter(application: Application, now: datetime, visitor: Visitor) -> Callable[..., Any]:
    """Signs in, and answers the viewer; Claire with the right password by default."""

    async def sign(
        email: str = "claire.martin@example.org", password: str = PASSWORD, *, at: datetime = now, **more: Any
    ) -> Viewer:
        signed_in = await sign_in(application, email, password, visitor=visitor, now=at, **more)
        return signed_in.session.viewer

    return sign


@pytest.fixture
def posted(application: Application) -> Callable[..., Any]:
    """What the outbox would send of a template: each message's recipient and all its values."""

    async def read(template: str) -> list[tuple[str, dict[str, object]]]:
        rows = await OutboxMessage.filter(template=template, recipient__isnull=False).order_by("id")
        return [(row.recipient, opened_values(row, application.settings)) for row in rows]

    return read


@pytest.fixture
def reset_token(application: Application) -> Callable[..., Any]:
    """The token in the reset e-mail that the worker would send now; None where it would send none."""

    async def token(at: datetime = NOW) -> str | None:
        message = await claim_next(application, "tests", [Channel.EMAIL], now=at)
        while message is not None and message.template != "password_reset":
            message = await claim_next(application, "tests", [Channel.EMAIL], now=at)
        return str(message.values["link"]).partition("#")[2] if message else None

    return token


@pytest.fixture
def audited(application: object) -> Callable[..., Any]:
    """The acts of the audit in their order, or the entries of one act."""

    async def read(act: Act | None = None) -> list[Any]:
        entries = list(reversed(await acts_on(SYSTEM, act=act, limit=10_000)))
        return [entry.act for entry in entries] if act is None else entries

    return read
