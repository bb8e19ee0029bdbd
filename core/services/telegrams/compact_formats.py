"""Stores the record headers of full telegrams, so that compact frames of their kind can be read.

In: telegrams that were decrypted. Out: the formats that decode the next ones, and their entries as rows.
Two rules: formats are stored, so that the first compact frame after a restart is read; and only an
encrypted telegram adds one, since an attacker could send a plain one whose signature collides with a
genuine one. EN 13757-3 annex G.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from tortoise.backends.base.client import TransactionalDBClient

from core.metering import NO_BATCH, CompactFormats, FormatEntry, Opened, SecurityKind
from core.models import CompactFormat
from core.services.shared.columns import select_by
from core.services.shared.transaction import current_database

MOST_OF_A_KIND: Final = 32
"""Formats stored for the meters of one maker, version and medium; those in the field send up to ten."""


async def stored_formats(manufacturers: Iterable[str]) -> CompactFormats:
    """The formats known so far of these makers' meters."""
    asked = [(manufacturer,) for manufacturer in sorted(set(manufacturers))]
    rows = await select_by(current_database(), {"manufacturer": "text"}, _STORED, asked)
    return CompactFormats(
        tuple(FormatEntry(row["manufacturer"], row["version"], row["medium"], row["headers"]) for row in rows)
    )


_STORED: Final = (
    "SELECT f.manufacturer, f.version, f.medium, f.headers FROM k"
    " JOIN compact_format f ON f.manufacturer = k.manufacturer ORDER BY f.id"
)


def learned(formats: CompactFormats, opened: Iterable[Opened]) -> CompactFormats:
    """The formats with those of these telegrams added; unchanged if there is nothing new."""
    seen: set[tuple[object, ...]] = set()
    for telegram in opened:
        # Telegrams of one layout have the same record headers; those of one batch key one kind of meter.
        identified, layout = telegram.identified, telegram.frame.layout
        kind: tuple[object, ...] = (id(layout), id(identified.batch_key))
        if identified.batch_key is NO_BATCH:
            meter = identified.address
            kind = (id(layout), meter.manufacturer, meter.version, meter.medium)
        if kind not in seen and _was_encrypted(telegram):
            seen.add(kind)
            formats = formats.learn(telegram)
    return formats


def _was_encrypted(telegram: Opened) -> bool:
    frame = telegram.frame
    extended = frame.envelope.extended_link
    encrypted = frame.envelope.security is not SecurityKind.NONE or (
        extended is not None and extended.encrypted
    )
    return encrypted and not frame.opened_with_default_key


async def remember(
    connection: TransactionalDBClient,
    known: CompactFormats,
    updated_formats: CompactFormats,
    *,
    now: datetime,
) -> None:
    """Store new formats; those that another worker has stored meanwhile are left as they are."""
    fresh = updated_formats.entries[len(known.entries) :]
    if not fresh:
        return
    kinds = Counter((entry.manufacturer, entry.version, entry.medium) for entry in known.entries)
    rows = []
    for entry in fresh:
        kind = (entry.manufacturer, entry.version, entry.medium)
        kinds[kind] += 1
        if kinds[kind] <= MOST_OF_A_KIND:
            rows.append(
                CompactFormat(
                    manufacturer=entry.manufacturer,
                    version=entry.version,
                    medium=entry.medium,
                    headers=entry.headers,
                    learned_at=now,
                )
            )
    # In one order, so that two batches with the same formats cannot wait for each other.
    rows.sort(key=lambda row: (row.manufacturer, row.version, row.medium, row.headers))
    await CompactFormat.bulk_create(rows, ignore_conflicts=True, using_db=connection)
