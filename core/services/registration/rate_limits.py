"""Rate limits of the registration: failures, and homes that were found for the first time.

In: an answer and its sender. Out: nothing, or RATE_LIMITED. The rules: a look-up is counted before it is
made, so that concurrent guesses are as few as others, and refunded if what was typed was right; whoever
names the own home, once or ten times, uses up nothing. A home counts once for each address and each
registration that finds it. So a whole building may sign up in an evening behind one address, while guessing
is not worth while: there are 676,000 site codes, a hundred lots per building, and a million serials of a
kind of meter.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TypeAlias

from core.access import Visitor
from core.access.emails import email_key
from core.bootstrap import Application
from core.metering import normalise_serial
from core.models import Registration
from core.registration.answers import (
    AddressAnswer,
    Answer,
    CodeAnswer,
    ReferenceAnswer,
    ResidenceAnswer,
    SerialAnswer,
    VerificationAnswer,
)
from core.registration.machine import PersonalData
from core.registration.refusals import RefusalCode, RegistrationRefused
from core.services.auth.rate_limits import RateLimit, RateLimiter, network_of

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

STARTS = RateLimit("registration", 240, _HOUR)
MISSED_RESIDENCES = RateLimit("missed residences", 20, _HOUR)
FOUND_RESIDENCES = RateLimit("found residences", 300, _HOUR)
MISSED_SERIALS_OF_NETWORK = RateLimit("missed serials of a network", 15, _HOUR)
MISSED_SERIALS_AT_RESIDENCE = RateLimit("missed serials at a residence", 60, _HOUR)
MISSED_SERIALS_OF_RANGE = RateLimit("missed serials of a range", 20, _HOUR)
"""Of ten thousand consecutive numbers, the meters of a few buildings: an evening of sixty sign-ups, one in
five mistyped, has a dozen, and from however many addresses a guesser tries one number in five hundred."""
_RANGE_DIGITS = 4
SAME_MISSED_SERIAL = RateLimit("same missed serial", 20, _DAY)
NEW_HOMES_OF_NETWORK = RateLimit("new homes of a network", 100, _HOUR)
"""Of one address: the residents of a building with one connection, or of many behind a carrier's."""
NEW_HOMES_OF_REGISTRATION = RateLimit("new homes of a registration", 5, _DAY)
"""Somebody's own, and a neighbour's or two by a slip."""
NEW_NETWORKS_OF_HOME = RateLimit("new networks of a home", 20, _DAY)
"""From how many addresses one home is found: a household's phones, not a botnet that has its serial."""
_SEEN = RateLimit("seen home", 1, _DAY)
MISSED_SERIALS_OF_OPERATOR = RateLimit("missed serials of an operator", 300, _HOUR)
"""Three times the typing errors of a mailing that brings a thousand sign-ups an hour, one in ten mistyped. To
try all nine-digit numbers at this rate takes nearly four centuries, from however many addresses. Whoever is
blocked by somebody else's guesses can still use the code of the building."""
MISSED_REFERENCES = RateLimit("missed references", 6, _HOUR)
NEW_REFERENCES_OF_NETWORK = RateLimit("new homes of a network by reference", 60, _HOUR)
MISSED_REFERENCES_OF_NETWORK = RateLimit("missed references of a network", 10, _DAY)
MISSED_REFERENCES_AT_RESIDENCE = RateLimit("missed references at a residence", 30, _DAY)
"""Misses only, so that a whole building may sign up in a day; one network has a third of them, so that no
single attacker can block a building."""
_NOT_LOOKED_UP = frozenset(
    {RefusalCode.SERIAL_FORMAT_UNSUPPORTED, RefusalCode.VALUE_INVALID, RefusalCode.VALUE_REQUIRED}
)
_MISSES = frozenset(
    {RefusalCode.DEVICE_NOT_FOUND, RefusalCode.DWELLING_REF_NOT_FOUND, RefusalCode.RESIDENCE_NOT_FOUND}
)
CODE_TRIES = RateLimit("registration code", 15, _DAY)
PERSONAL_DATA_OF_REGISTRATION = RateLimit("personal data of a registration", 30, _HOUR)
PERSONAL_DATA_FROM_NETWORK = RateLimit("personal data of a network", 300, _HOUR)
"""Each is a password to judge, and a message if it is acceptable."""
MESSAGES_TO_ADDRESS = RateLimit("registration letters", 6, _DAY)
MESSAGES_FROM_NETWORK = RateLimit("registration letters of a network", 200, _DAY)
"""Three for each of sixty residents behind one address; a mailbox is protected by its own count."""
PASSWORD_CHECKS = RateLimit("password check", 120, timedelta(minutes=1))
SUPPORT_REQUESTS = RateLimit("support request", 5, _DAY)


async def count_start(application: Application, visitor: Visitor, *, now: datetime) -> None:
    await RateLimiter.of(application).hit((STARTS, network_of(visitor)), now=now)


LookUp: TypeAlias = CodeAnswer | AddressAnswer | ResidenceAnswer | SerialAnswer | ReferenceAnswer
LOOK_UPS = (CodeAnswer, AddressAnswer, ResidenceAnswer, SerialAnswer, ReferenceAnswer)


async def count_answer(
    application: Application, row: Registration, answer: Answer, visitor: Visitor, *, now: datetime
) -> None:
    """Count an answer that is no look-up: a code, or personal data.

    Raises:
        RateLimited: too many of its kind.
    """
    match answer:
        case VerificationAnswer():
            counted = [(CODE_TRIES, email_key(row.email))]
        case PersonalData():
            counted = [
                (PERSONAL_DATA_OF_REGISTRATION, str(row.id)),
                (PERSONAL_DATA_FROM_NETWORK, network_of(visitor)),
            ]
        case _:
            return
    await RateLimiter.of(application).hit(*counted, now=now)


@asynccontextmanager
async def only_misses_count(
    application: Application, row: Registration, answer: LookUp, visitor: Visitor, *, now: datetime
) -> AsyncIterator[None]:
    """Count a look-up as a miss, and uncount it if it is none.

    A refusal that says that something is there is one for its sender, and none for the building or
    operator, whose other residents it would shut out.

    Raises:
        RateLimited: too many misses, or too many homes found.
    """
    limiter, network = RateLimiter.of(application), network_of(visitor)
    own, shared = _misses(row, answer, network)
    await limiter.check(*_finds(row, answer, network), now=now)
    await limiter.hit(*own, *shared, now=now)
    try:
        yield
    except RegistrationRefused as refusal:
        code = refusal.refusal.code
        if code in _NOT_LOOKED_UP:
            await _refund(limiter, (*own, *shared), now)
        elif code not in _MISSES:
            await _refund(limiter, shared, now)
        raise
    await _refund(limiter, (*own, *shared), now)


async def count_home(
    application: Application,
    row: Registration,
    answer: SerialAnswer | ReferenceAnswer,
    dwelling_id: int,
    visitor: Visitor,
    *,
    now: datetime,
) -> None:
    """Count a home that was found; one that the same address or registration found today counts no more.

    Raises:
        RateLimited: too many homes of one sender, or senders of one home.
    """
    limiter, network = RateLimiter.of(application), network_of(visitor)
    for finder, limits in (
        (f"network {network}", _finds_of_network(answer, network)),
        (f"registration {row.id}", ((NEW_HOMES_OF_REGISTRATION, str(row.id)),)),
    ):
        seen = (_SEEN, f"{finder} {dwelling_id}")
        if (await limiter.peek(*seen, now=now)).reached:
            continue
        of_home = ((NEW_NETWORKS_OF_HOME, str(dwelling_id)),) if finder.startswith("network") else ()
        await limiter.hit(*limits, *of_home, now=now)
        await limiter.count(*seen, now=now)


async def count_residence(application: Application, visitor: Visitor, *, now: datetime) -> None:
    """Count a residence, or a list of some, that was found."""
    await RateLimiter.of(application).hit((FOUND_RESIDENCES, network_of(visitor)), now=now)


_Counted: TypeAlias = tuple[RateLimit, str]


def _misses(
    row: Registration, answer: LookUp, network: str
) -> tuple[tuple[_Counted, ...], tuple[_Counted, ...]]:
    """The counts of a miss: of its sender, and of what is guessed at, over all senders."""
    match answer:
        case SerialAnswer(serial=serial):
            within, number = row.residence_id, normalise_serial(serial[:64])
            at = ((MISSED_SERIALS_AT_RESIDENCE, str(within)),) if within is not None else ()
            return (
                ((MISSED_SERIALS_OF_NETWORK, network),),
                (
                    (SAME_MISSED_SERIAL, number),
                    (MISSED_SERIALS_OF_RANGE, f"{row.operator_id} {number[:-_RANGE_DIGITS]}"),
                    (MISSED_SERIALS_OF_OPERATOR, str(row.operator_id)),
                    *at,
                ),
            )
        case ReferenceAnswer():
            return (
                ((MISSED_REFERENCES, network), (MISSED_REFERENCES_OF_NETWORK, network)),
                ((MISSED_REFERENCES_AT_RESIDENCE, str(row.residence_id)),),
            )
        case _:
            return ((MISSED_RESIDENCES, network),), ()


def _finds(row: Registration, answer: LookUp, network: str) -> tuple[_Counted, ...]:
    """The counts of what was found, by which further look-ups are refused before they are made."""
    if isinstance(answer, SerialAnswer | ReferenceAnswer):
        return (*_finds_of_network(answer, network), (NEW_HOMES_OF_REGISTRATION, str(row.id)))
    return ((FOUND_RESIDENCES, network),)


def _finds_of_network(answer: SerialAnswer | ReferenceAnswer, network: str) -> tuple[_Counted, ...]:
    homes = (NEW_HOMES_OF_NETWORK, network)
    return (homes, (NEW_REFERENCES_OF_NETWORK, network)) if isinstance(answer, ReferenceAnswer) else (homes,)


async def _refund(limiter: RateLimiter, counted: Iterable[_Counted], now: datetime) -> None:
    for limit, name in counted:
        await limiter.refund(limit, name, now=now)


async def count_message(application: Application, email: str, visitor: Visitor, *, now: datetime) -> None:
    """Count a message to an address, whether it has an account or not."""
    await RateLimiter.of(application).hit(
        (MESSAGES_TO_ADDRESS, email_key(email)), (MESSAGES_FROM_NETWORK, network_of(visitor)), now=now
    )


async def count_password_check(application: Application, visitor: Visitor, *, now: datetime) -> None:
    await RateLimiter.of(application).hit((PASSWORD_CHECKS, network_of(visitor)), now=now)


async def count_support_request(application: Application, visitor: Visitor, *, now: datetime) -> None:
    await RateLimiter.of(application).hit((SUPPORT_REQUESTS, network_of(visitor)), now=now)
