"""Rate limits of the registration: per network address, registration, residence and value typed.

In: an answer and its sender. Out: nothing, or RATE_LIMITED. The one rule: a try is counted before it is
checked, whatever it finds, so that hits and misses cost the same. There are 676,000 site codes and about a
hundred lots per building: at these rates guessing either is not worth while. The serials of an operator's
whole stock, and the references of a residence, have one more count, of misses only, over all addresses.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

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

STARTS = RateLimit("registration", 30, _HOUR)
RESIDENCE_LOOKUPS = RateLimit("residence lookup", 20, _HOUR)
SERIAL_TRIES = RateLimit("serial", 15, _HOUR)
SERIAL_TRIES_AT_RESIDENCE = RateLimit("serial at residence", 60, _HOUR)
SAME_SERIAL_TRIES = RateLimit("same serial", 20, _DAY)
MISSED_SERIALS_OF_OPERATOR = RateLimit("missed serials of an operator", 300, _HOUR)
"""Three times the typing errors of a mailing that brings a thousand sign-ups an hour, one in ten mistyped. To
try all nine-digit numbers at this rate takes nearly four centuries, from however many addresses. Whoever is
blocked by somebody else's guesses can still use the code of the building."""
REFERENCE_TRIES = RateLimit("reference", 6, _HOUR)
MISSED_REFERENCES_OF_NETWORK = RateLimit("missed references of a network", 10, _DAY)
MISSED_REFERENCES_AT_RESIDENCE = RateLimit("missed references at a residence", 30, _DAY)
"""Misses only, so that a whole building may sign up in a day; one network has a third of them, so that no
single attacker can block a building."""
_MISSES = frozenset({RefusalCode.DEVICE_NOT_FOUND, RefusalCode.DWELLING_REF_NOT_FOUND})
CODE_TRIES = RateLimit("registration code", 15, _DAY)
PERSONAL_DATA_OF_REGISTRATION = RateLimit("personal data of a registration", 30, _HOUR)
PERSONAL_DATA_FROM_NETWORK = RateLimit("personal data of a network", 120, _HOUR)
"""Each is a password to judge, and a message if it is acceptable."""
MESSAGES_TO_ADDRESS = RateLimit("registration letters", 6, _DAY)
MESSAGES_FROM_NETWORK = RateLimit("registration letters of a network", 20, _DAY)
PASSWORD_CHECKS = RateLimit("password check", 120, timedelta(minutes=1))
SUPPORT_REQUESTS = RateLimit("support request", 5, _DAY)


async def count_start(application: Application, visitor: Visitor, *, now: datetime) -> None:
    await RateLimiter.of(application).hit((STARTS, network_of(visitor)), now=now)


async def count_answer(
    application: Application, row: Registration, answer: Answer, visitor: Visitor, *, now: datetime
) -> None:
    """Count an answer that could be a guess.

    Raises:
        RateLimited: too many of its kind.
    """
    network = network_of(visitor)
    counted: list[tuple[RateLimit, str]] = []
    match answer:
        case CodeAnswer() | AddressAnswer() | ResidenceAnswer():
            counted = [(RESIDENCE_LOOKUPS, network)]
        case SerialAnswer(serial=serial):
            counted = [
                (SERIAL_TRIES, network),
                (SAME_SERIAL_TRIES, normalise_serial(serial[:64])),
                *_missed_serial(row),
            ]
            if row.residence_id is not None:
                counted.append((SERIAL_TRIES_AT_RESIDENCE, str(row.residence_id)))
        case ReferenceAnswer():
            counted = [
                (REFERENCE_TRIES, network),
                *_missed_reference(row, visitor),
            ]
        case VerificationAnswer():
            counted = [(CODE_TRIES, email_key(row.email))]
        case PersonalData():
            counted = [
                (PERSONAL_DATA_OF_REGISTRATION, str(row.id)),
                (PERSONAL_DATA_FROM_NETWORK, network),
            ]
        case _:
            pass
    if counted:
        await RateLimiter.of(application).hit(*counted, now=now)


@asynccontextmanager
async def only_misses_count(
    application: Application,
    row: Registration,
    answer: SerialAnswer | ReferenceAnswer,
    visitor: Visitor,
    *,
    now: datetime,
) -> AsyncIterator[None]:
    """Look up a counted serial or reference; a hit is refunded from the counts of misses.

    Any other refusal is no miss: the device exists, or nothing was looked up.
    """
    try:
        yield
    except RegistrationRefused as refusal:
        if refusal.refusal.code in _MISSES:
            raise
        await _forget_miss(application, row, answer, visitor, now=now)
        raise
    await _forget_miss(application, row, answer, visitor, now=now)


async def _forget_miss(
    application: Application,
    row: Registration,
    answer: SerialAnswer | ReferenceAnswer,
    visitor: Visitor,
    *,
    now: datetime,
) -> None:
    serial = isinstance(answer, SerialAnswer)
    for limit, name in _missed_serial(row) if serial else _missed_reference(row, visitor):
        await RateLimiter.of(application).refund(limit, name, now=now)


def _missed_serial(row: Registration) -> list[tuple[RateLimit, str]]:
    return [(MISSED_SERIALS_OF_OPERATOR, str(row.operator_id))]


def _missed_reference(row: Registration, visitor: Visitor) -> list[tuple[RateLimit, str]]:
    return [
        (MISSED_REFERENCES_OF_NETWORK, network_of(visitor)),
        (MISSED_REFERENCES_AT_RESIDENCE, str(row.residence_id)),
    ]


async def count_message(application: Application, email: str, visitor: Visitor, *, now: datetime) -> None:
    """Count a message to an address, whether it has an account or not."""
    await RateLimiter.of(application).hit(
        (MESSAGES_TO_ADDRESS, email_key(email)), (MESSAGES_FROM_NETWORK, network_of(visitor)), now=now
    )


async def count_password_check(application: Application, visitor: Visitor, *, now: datetime) -> None:
    await RateLimiter.of(application).hit((PASSWORD_CHECKS, network_of(visitor)), now=now)


async def count_support_request(application: Application, visitor: Visitor, *, now: datetime) -> None:
    await RateLimiter.of(application).hit((SUPPORT_REQUESTS, network_of(visitor)), now=now)
