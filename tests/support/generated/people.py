"""Who asks, and what none of them may be shown.

In: a database with Claire's home, other homes, and another operator. Out: a seat for every role that asks in
GraphQL, with the ids and texts of everybody else's rows. The one rule: what is forbidden is read from the
tables, by no code of the product that narrows rows.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from core.access import SYSTEM, Role
from core.access.floor import FLOOR
from core.access.permissions import PERMISSIONS_OF, Permission
from core.consumption.fluids import Fluid
from core.metering import load_registry
from core.models import (
    AccessToken,
    Account,
    Alert,
    DataExport,
    DeadLetter,
    Document,
    DoubtfulReading,
    Dwelling,
    DwellingRequest,
    HouseholdMember,
    ManagedResidence,
    Meter,
    Occupancy,
    OutboxMessage,
    RecurringDraw,
    Residence,
    ResidenceDocument,
    Session,
    ThirdPartyGrant,
)
from core.services.accounts.second_factor import install_second_factor
from graphql_schema.base.relay import global_id
from graphql_schema.contract.access import PERMISSIONS
from graphql_schema.schema import schema
from tests.support import factories, seats
from tests.support.factories import NOW

_SHORTEST_TEXT = 6
"""Shorter ones stand in other texts by chance."""

_WITHOUT_A_PERMISSION = ("operators", "thirdPartyAccess", "node")
_OF_AN_ACCOUNT = ("viewer",)


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who asks.

    Attributes:
        name: of the role.
        token: what is sent; None for nobody.
        roots: the fields of Query that the role may use, twice those that it has for itself.
        ids, texts: what no answer may have as a value, or within one.
        is_analyst: whether it reads aggregates.
        has_others_in_charge: whether it acts for other people.
    """

    name: str
    token: str | None
    roots: tuple[str, ...]
    ids: frozenset[str] = field(repr=False)
    texts: frozenset[str] = field(repr=False)
    is_analyst: bool = False
    has_others_in_charge: bool = False


@dataclass(frozen=True, slots=True)
class Own:
    """What somebody may be shown, by the numbers of rows: things of accounts, and of dwellings and meters."""

    account: int | None = None
    people: Collection[int] = ()
    dwellings: Collection[int] = ()
    meters: Collection[int] = ()
    residences: Collection[int] = ()


async def all_seats(portal: Any, application: Any) -> list[Seat]:
    """A seat of each role."""
    portal.token = None
    found = [await _seat("anonymous", None, None, Own())]
    claire = await Account.get(email=seats.CLAIRE)
    mine = await _held_by(claire.id)
    await seats.enter(portal, application, seats.CLAIRE)
    found.append(await _seat("resident", Role.RESIDENT, portal.token, await _own(claire, mine)))
    home = (await Dwelling.all().order_by("id").first()).id  # type: ignore[union-attr]  # of `seats`
    assert home in mine, "the first dwelling is Claire's: `seats` makes guests of it"
    await seats.owner(portal, application)
    luc = await Account.get(email="luc@example.org")
    found.append(await _seat("owner", Role.RESIDENT, portal.token, await _own(luc, [home], meters=[])))
    await seats.household(portal, application)
    camille = await Account.get(email="camille@example.org")
    found.append(await _seat("household", Role.HOUSEHOLD_MEMBER, portal.token, await _own(camille, [home])))
    await seats.provider(portal, application)
    water = await Meter.filter(dwelling_id=home, fluid=Fluid.COLD_WATER).values_list("id", flat=True)
    found.append(
        await _seat("provider", Role.THIRD_PARTY, portal.token, await _own(None, [home], meters=water))
    )
    await seats.manager(portal, application)
    odile = await Account.get(email="manager.AA000@example.org")
    managed = await ManagedResidence.filter(account=odile).values_list("residence_id", flat=True)
    theirs = await Dwelling.filter(residence_id__in=managed).values_list("id", flat=True)
    found.append(await _seat("manager", Role.MANAGER, portal.token, await _own(odile, theirs)))
    await seats.staff(portal, application)
    marc = await Account.get(email=f"staff@{factories.OPERATOR}.example.org")
    all_theirs = await Dwelling.filter(residence__operator_id=marc.operator_id).values_list("id", flat=True)
    colleagues = await Account.filter(operator_id=marc.operator_id).values_list("id", flat=True)
    found.append(
        await _seat("staff", Role.STAFF, portal.token, await _own(marc, all_theirs, people=colleagues))
    )
    await factories.account(email="ada@example.org", role=Role.ANALYST)
    await seats.enter(portal, application, "ada@example.org")
    ada = await Account.get(email="ada@example.org")
    found.append(await _seat("analyst", Role.ANALYST, portal.token, await _of_an_analyst(ada)))
    await _give_readable_second_factors(application)
    return found


async def _give_readable_second_factors(application: Any) -> None:
    """`seats` gives accounts a second factor that was never encrypted: a check of a code would fail."""
    for account in await Account.exclude(second_factor_since=None):
        await Account.filter(id=account.id).update(second_factor_since=None)
        await install_second_factor(
            application.settings,
            SYSTEM,
            email=account.email,
            secret="GENERATEDGENERATEDGENERATEDGENER",
            now=NOW,
        )


async def ids_for(seat: Seat) -> dict[str, list[int]]:
    """The numbers of the rows of every type that a node is, the seat's own as often as all others."""
    found = {}
    for name in _KINDS:
        numbers = sorted([row[0] for row in await _rows(name)])
        own = [number for number in numbers if global_id(name, number) not in seat.ids]
        found[name] = numbers + own * (len(numbers) // len(own) if own else 0)
    return {name: numbers for name, numbers in found.items() if numbers}


async def rows_of_others(seat: Seat) -> dict[str, dict[str, Any]]:
    """The rows that are not the seat's, by their ids: what none of its mutations may change.

    Managers and staff do change what belongs to accounts: who moves out loses guests and grants.
    """
    found = {}
    for name, (model, _, group) in _KINDS.items():
        if not (seat.has_others_in_charge and group in {"account", "people"}):
            rows = {global_id(name, row["id"]): row for row in await model.all().values()}
            found |= {row_id: row for row_id, row in rows.items() if row_id in seat.ids}
    for row in found.values():
        row.pop("last_used_at", None)  # of the resident's grant by whose token the provider asks
    return found


async def addresses() -> list[str]:
    """What a mutation may name a meter by."""
    return sorted(await Meter.all().values_list("radio_address", flat=True))  # type: ignore[arg-type]


async def _held_by(account_id: int) -> list[int]:
    return [row.dwelling_id for row in await Occupancy.filter(account_id=account_id)]


async def _own(
    account: Account | None,
    dwellings: Iterable[int],
    *,
    meters: Iterable[int] | None = None,
    people: Iterable[int] = (),
) -> Own:
    homes = set(dwellings)
    if meters is None:
        meters = await Meter.filter(dwelling_id__in=homes).values_list("id", flat=True)
    residences = await Dwelling.filter(id__in=homes).values_list("residence_id", flat=True)
    number = None if account is None else account.id
    return Own(number, {number, *people} - {None}, homes, set(meters), set(residences))  # type: ignore[arg-type]


async def _of_an_analyst(account: Account) -> Own:
    """Residences of the floor or more may be named, by their figures."""
    homes = Counter(await Dwelling.all().values_list("residence_id", flat=True))
    theirs = await Residence.filter(operator_id=account.operator_id).values_list("id", flat=True)
    large = [number for number in theirs if homes[number] >= FLOOR]
    return Own(account.id, {account.id}, residences=large)


_KINDS: dict[str, tuple[Any, str, str]] = {
    "AccessToken": (AccessToken, "account_id", "account"),
    "DataExport": (DataExport, "account_id", "account"),
    "Session": (Session, "account_id", "account"),
    "ThirdPartyGrant": (ThirdPartyGrant, "account_id", "account"),
    "HouseholdMember": (HouseholdMember, "holder_id", "account"),
    "Viewer": (Account, "id", "account"),
    "Account": (Account, "id", "people"),
    "OutboxMessage": (OutboxMessage, "account_id", "people"),
    "Alert": (Alert, "dwelling_id", "dwellings"),
    "Dwelling": (Dwelling, "id", "dwellings"),
    "DwellingRequest": (DwellingRequest, "dwelling_id", "dwellings"),
    "DoubtfulReading": (DoubtfulReading, "meter_id", "meters"),
    "Meter": (Meter, "id", "meters"),
    "RecurringDraw": (RecurringDraw, "meter_id", "meters"),
    "DeadLetter": (DeadLetter, "radio_address", "addresses"),
    "Document": (Document, "dwelling_id", "papers"),
    "Residence": (Residence, "id", "residences"),
    "ResidenceDocument": (ResidenceDocument, "residence_id", "residences"),
}
"""The rows of a type, the column that says whose each is, and of what in `Own`."""


async def _rows(name: str) -> list[tuple[Any, ...]]:
    model, column, _ = _KINDS[name]
    return list(await model.all().values_list("id", column))


async def _seat(name: str, role: Role | None, token: str | None, own: Own) -> Seat:
    permissions: frozenset[Permission] = PERMISSIONS_OF[role] if role else frozenset()
    query = schema.core.query_type
    assert query is not None
    roots = [
        one
        for one in query.fields
        if (needed := PERMISSIONS.get(f"Query.{one}", ())) and permissions.issuperset(needed)
    ]
    roots = [*roots * 2, *_WITHOUT_A_PERMISSION, *(_OF_AN_ACCOUNT if own.account else ())]
    return Seat(
        name,
        token,
        tuple(roots),
        await _ids(own),
        await _texts(own),
        is_analyst=role is Role.ANALYST,
        has_others_in_charge=role in {Role.MANAGER, Role.STAFF},
    )


async def _ids(own: Own) -> frozenset[str]:
    addresses = await Meter.filter(id__in=own.meters).values_list("radio_address", flat=True)
    allowed: dict[str, Collection[Any]] = {
        "account": {own.account},
        "people": own.people,
        "dwellings": own.dwellings,
        "meters": own.meters,
        "residences": own.residences,
        "addresses": set(addresses),
        "papers": {None, *own.dwellings},
    }
    return frozenset(
        [
            global_id(name, row)
            for name, (_, _, group) in _KINDS.items()
            for row, owner in await _rows(name)
            if owner not in allowed[group]
        ]
    )


async def _texts(own: Own) -> frozenset[str]:
    found: set[str | None] = set()
    shown: set[str | None] = set()
    for meter in await Meter.all():
        (shown if meter.id in own.meters else found).update((meter.printed_serial, meter.radio_address))
    for account in await Account.all():
        (shown if account.id in own.people else found).update((account.email, account.phone_e164))
    for guest in await HouseholdMember.all():
        is_own = guest.holder_id == own.account or guest.member_id in own.people
        (shown if is_own else found).update((guest.email, guest.name))
    for grant in await ThirdPartyGrant.all():
        (shown if grant.account_id == own.account else found).update((grant.contact, grant.provider))
    for residence in await Residence.all():
        (shown if residence.id in own.residences else found).update((residence.name,))
    shown |= {profile.serial_example for profile in load_registry().profiles}  # of the help for everybody
    return frozenset(text for text in found - shown if text and len(text) >= _SHORTEST_TEXT)
