"""Encrypts everything anew after the secret key has changed: meter keys, second factors, messages' secrets.

In: the secret of before, and the new one. Out: how many values were encrypted anew. The one rule: it is one
transaction, and a value that the new secret opens is left alone; so it may be interrupted and run again,
until nothing is left that only the old secret opens. A value that neither opens ends it without a change,
unless the caller spares such values.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.errors import SecretUnusable
from core.models import Account, MeterKey, OutboxMessage
from core.services.accounts.second_factor import second_factor_bound_to, second_factor_encryption
from core.services.messaging.account_messages import secrets_encryption
from core.services.places.key_encryption import meter_key_encryption
from core.services.shared.encryption import Encryption
from core.services.shared.transaction import transactional

PAGE_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of the values of one kind: `unusable` ones are opened by neither secret."""

    kind: str
    encrypted_anew: int
    already: int
    unusable: int


class ValuesUnusable(SecretUnusable):
    """Values that neither secret opens."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A column of encrypted values: how each is bound, and by which purpose it is encrypted."""

    name: str
    model: Any
    column: str
    related: tuple[str, ...]
    bound_to: Callable[[Any], str]
    under: Callable[[str], Encryption]


_KINDS = (
    _Kind(
        "meter keys",
        MeterKey,
        "encrypted_key",
        ("meter",),
        lambda row: str(row.meter.radio_address),
        meter_key_encryption,
    ),
    _Kind(
        "second factors",
        Account,
        "second_factor_encrypted",
        (),
        lambda row: second_factor_bound_to(row.id),
        second_factor_encryption,
    ),
    _Kind(
        "messages",
        OutboxMessage,
        "encrypted_values",
        (),
        lambda row: str(row.idempotency_key),
        secrets_encryption,
    ),
)


@transactional
async def rotate_secret(
    connection: TransactionalDBClient,
    viewer: Viewer,
    *,
    old: str,
    new: str,
    spare_unusable: bool = False,
    progress: Callable[[int], None] = lambda _rows: None,
) -> list[Rotated]:
    """Encrypt with the new secret what the old one opens.

    Args:
        connection: the transaction of it all.
        viewer: the operator's command line.
        old: the secret of before.
        new: the secret from now on.
        spare_unusable: leave values that neither opens as they are.
        progress: called with the number of rows of each page.

    Raises:
        ValuesUnusable: a value is opened by neither; nothing was changed.
    """
    viewer.require(Permission.PLACES_WRITE)
    return [
        await _rotate(connection, kind, old, new, spare_unusable=spare_unusable, progress=progress)
        for kind in _KINDS
    ]


async def _rotate(
    connection: TransactionalDBClient,
    kind: _Kind,
    old: str,
    new: str,
    *,
    spare_unusable: bool,
    progress: Callable[[int], None],
) -> Rotated:
    before, after = kind.under(old), kind.under(new)
    counts = {"anew": 0, "already": 0, "unusable": 0}
    last = 0
    while rows := await _page(connection, kind, last):
        changed = []
        for row in rows:
            encrypted, bound_to = bytes(getattr(row, kind.column)), kind.bound_to(row)
            if _opened(after, encrypted, bound_to) is not None:
                counts["already"] += 1
            elif (plain := _opened(before, encrypted, bound_to)) is not None:
                setattr(row, kind.column, after.encrypt(plain, bound_to=bound_to))
                changed.append(row)
            else:
                counts["unusable"] += 1
        if counts["unusable"] and not spare_unusable:
            raise ValuesUnusable(
                f"Some {kind.name} are opened by neither secret; nothing was changed. Is the old one right?"
            )
        if changed:
            await kind.model.bulk_update(changed, [kind.column], using_db=connection)
        counts["anew"] += len(changed)
        last = rows[-1].id
        progress(len(rows))
    return Rotated(kind.name, counts["anew"], counts["already"], counts["unusable"])


async def _page(connection: TransactionalDBClient, kind: _Kind, last: int) -> Sequence[Any]:
    query = kind.model.filter(**{f"{kind.column}__isnull": False, "id__gt": last}).using_db(connection)
    rows: Sequence[Any] = await query.order_by("id").limit(PAGE_ROWS).prefetch_related(*kind.related)
    return rows


def _opened(encryption: Encryption, encrypted: bytes, bound_to: str) -> bytes | None:
    try:
        return encryption.open(encrypted, bound_to=bound_to)
    except SecretUnusable:
        return None
