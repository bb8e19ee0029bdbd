"""What the house remembers: Tortoise tables. Imported by `core.services` alone (a contract checks it).

Readings and hourly and daily volumes have composite keys, which Tortoise 1.x cannot model; their tables are
made by the second migration and written by `core.services.series`.

A model's docstring becomes its table's comment, and Tortoise cuts SQLite statements at every semicolon: so
these docstrings and descriptions hold none.
"""

from core.models.leaks import Alert, AlertKind, LeakEpisode, LeakMemory
from core.models.meters import CompactFormat, MessageCounter, Meter, MeterKey, TelegramState, UnusableTelegram
from core.models.outbox import Channel, MessageState, OutboxMessage
from core.models.people import (
    Account,
    ConsentAuthor,
    ConsentPurpose,
    ConsentRecord,
    ConsentState,
    Gateway,
    Occupancy,
    OccupancyKind,
    Session,
)
from core.models.places import Dwelling, Operator, Residence

__all__ = [
    "Account",
    "Alert",
    "AlertKind",
    "Channel",
    "CompactFormat",
    "ConsentAuthor",
    "ConsentPurpose",
    "ConsentRecord",
    "ConsentState",
    "Dwelling",
    "Gateway",
    "LeakEpisode",
    "LeakMemory",
    "MessageCounter",
    "MessageState",
    "Meter",
    "MeterKey",
    "Occupancy",
    "OccupancyKind",
    "Operator",
    "OutboxMessage",
    "Residence",
    "Session",
    "TelegramState",
    "UnusableTelegram",
]
