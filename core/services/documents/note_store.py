"""Stores notes on consumption as documents, with the e-mails that announce them.

In: notes as figures, of a month or a year. Out: rows. The one rule: a note and its message are one
transaction, and each is there once per occupancy and period, whoever stores it (the table's unique key, the
message's idempotency key).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tortoise.backends.base.client import TransactionalDBClient

from core.bootstrap import Application
from core.language import Language, Text
from core.models import Channel, Document, DocumentType, Dwelling, OutboxMessage
from core.services.documents.note_occupancies import NoteOccupancy


@dataclass(frozen=True, slots=True)
class NewNote:
    """A note to be stored, all of one call of one type and period.

    Attributes:
        occupancy: whose.
        home: the dwelling, its residence and operator loaded.
        type: MONTHLY_NOTE or ANNUAL_NOTE.
        period_on: the first day of the month or year.
        figures: what it says, as JSON.
        stem: of the file's name.
        template: of the message.
        values: of the message, beside portal and link.
    """

    occupancy: NoteOccupancy
    home: Dwelling
    type: DocumentType
    period_on: date
    figures: dict[str, Any]
    stem: Text
    template: str
    values: Mapping[str, str]


async def store_notes(
    connection: TransactionalDBClient, application: Application, notes: Sequence[NewNote], *, now: datetime
) -> int:
    """Store the notes with their messages; returns how many there are now."""
    if not notes:
        return 0
    rows = [_document(one, now) for one in notes]
    await Document.bulk_create(rows, ignore_conflicts=True, using_db=connection)
    stored = Document.filter(
        occupancy_id__in=[one.occupancy.occupancy_id for one in notes],
        type=notes[0].type,
        period_on=notes[0].period_on,
    )
    numbers: dict[int, int] = dict(await stored.using_db(connection).values_list("occupancy_id", "id"))
    made = (_message(application, one, numbers[one.occupancy.occupancy_id], now) for one in notes)
    messages = [message for message in made if message is not None]
    await OutboxMessage.bulk_create(messages, ignore_conflicts=True, using_db=connection)
    return len(numbers)


def language_of(occupancy: NoteOccupancy) -> Language:
    """The language of the account; French where there is none."""
    account = occupancy.account
    return Language(account.language) if account and account.language in set(Language) else Language.FR


def _document(new: NewNote, now: datetime) -> Document:
    one, language = new.occupancy, language_of(new.occupancy)
    return Document(
        residence_id=new.home.residence_id,
        dwelling_id=one.dwelling_id,
        occupancy_id=one.occupancy_id,
        type=new.type,
        period_on=new.period_on,
        language=language.value,
        valid_from=one.first,
        shown_from=one.last,
        for_owner=False,
        file_name=f"{new.stem.in_language(language)}.pdf",
        media_type="application/pdf",
        figures=new.figures,
        created_at=now,
        deposited_at=now,
        notified_at=now,
    )


def _message(application: Application, new: NewNote, document_id: int, now: datetime) -> OutboxMessage | None:
    """An e-mail without a figure or a file: consumption is read after signing in. It is a service message
    that the law asks for, so no switch turns it off; None for who has no account.
    """
    account = new.occupancy.account
    if account is None or not new.occupancy.is_reached:
        return None
    operator = new.home.residence.operator
    profile = application.registry.profile(operator.code)
    return OutboxMessage(
        idempotency_key=f"{new.template}:{document_id}:{account.id}",
        account_id=account.id,
        document_id=document_id,
        channel=Channel.EMAIL,
        template=new.template,
        language=language_of(new.occupancy).value,
        values={
            "portal": profile.portal_name if profile else operator.name,
            "link": application.portal_link(operator.code, "/documents"),
            **new.values,
        },
        created_at=now,
    )
