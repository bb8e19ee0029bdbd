"""Rows of every kind that an operation may reach, of everybody: something to be found, and to be kept apart.

In: accounts, dwellings, meters. Out: a row of each kind that a node of the schema is, for each of them. The
one rule: whatever text a row holds names its owner, so an answer that shows it to a stranger is recognized.
"""

from datetime import date, datetime, timedelta

from core.access.sessions import TokenScope
from core.consumption.fluids import Fluid
from core.consumption.plausibility import Doubt
from core.consumption.resolutions import Resolution
from core.models import (
    AccessToken,
    Account,
    Channel,
    DataExport,
    DeadLetter,
    Document,
    DocumentKind,
    DocumentType,
    DoubtfulReading,
    DwellingRequest,
    DwellingRequestKind,
    HouseholdMember,
    Meter,
    Occupancy,
    OccupancyKind,
    OutboxMessage,
    RecurringDraw,
    Residence,
    ResidenceDocument,
    ThirdPartyGrant,
)


async def add_rows(now: datetime) -> None:
    """Rows of every account with a home, of every residence, and of every meter."""
    for occupancy in await Occupancy.exclude(account_id=None).order_by("id"):
        assert occupancy.account_id is not None
        await _of_a_person(occupancy.account_id, occupancy.dwelling_id, now)
    for account in await Account.all().order_by("id"):
        await _of_an_account(account, now)
    for residence in await Residence.all().order_by("id"):
        await ResidenceDocument.create(residence=residence, kind=DocumentKind.PORTAL_READY, created_at=now)
        await _document(residence.id, None, f"paper of residence {residence.id}", now)
    for meter in await Meter.all().select_related("dwelling").order_by("id"):
        await _of_a_meter(meter, now)


async def _of_a_person(account_id: int, dwelling_id: int, now: datetime) -> None:
    who = f"{account_id}-{dwelling_id}"
    await ThirdPartyGrant.create(
        account_id=account_id,
        dwelling_id=dwelling_id,
        provider=f"provider of {who}",
        contact=f"contact-of-{who}@example.org",
        fluids=[Fluid.COLD_WATER],
        resolution=Resolution.DAILY,
        first_day=now.date() - timedelta(days=90),
        last_day=now.date() + timedelta(days=90),
        token_hash=f"grant {who}",
        created_at=now,
    )
    await HouseholdMember.create(
        dwelling_id=dwelling_id,
        holder_id=account_id,
        name=f"guest of {who}",
        email=f"guest-of-{who}@example.org",
        email_key=f"guest-of-{who}@example.org",
        token_hash=f"invitation {who}",
        invited_at=now,
        expires_at=now + timedelta(days=3),
    )
    await DwellingRequest.create(
        dwelling_id=dwelling_id,
        account_id=account_id,
        kind=next(iter(DwellingRequestKind)),
        occupancy_kind=OccupancyKind.TENANT,
        move_in=date(2026, 1, 1),
        attested_at=now,
        opened_at=now,
    )


async def _of_an_account(account: Account, now: datetime) -> None:
    await AccessToken.create(
        account=account,
        name=f"token of {account.email}",
        token_hash=f"token {account.id}",
        scopes=[TokenScope.ALERTS],
        created_at=now,
    )
    await DataExport.create(account=account, requested_at=now)
    await OutboxMessage.create(
        idempotency_key=f"message to {account.email}",
        account=account,
        recipient=account.email,
        channel=Channel.EMAIL,
        template="leak",
        language="en",
        values={},
        created_at=now,
    )


async def _of_a_meter(meter: Meter, now: datetime) -> None:
    at_s = int(now.timestamp()) - 7200
    await DoubtfulReading.create(
        meter=meter,
        read_at=at_s,
        index_value=10**6 + meter.id,
        status_bits=0,
        received_at=at_s,
        telegram_digest=meter.id,
        evidence=0,
        doubt=Doubt.RISE_TOO_FAST,
    )
    await RecurringDraw.create(
        meter=meter,
        first_on=now.date() - timedelta(days=20),
        last_on=now.date() - timedelta(days=6),
        draws=3,
        minute_of_day=60,
        litres=500,
    )
    await DeadLetter.create(
        line=f"a line of {meter.radio_address}",
        line_digest=f"digest {meter.id}",
        source="generated",
        received_at=now,
        stage="SECURITY",
        reason="KEY_MISSING",
        message="There is no key.",
        radio_address=meter.radio_address,
    )
    dwelling = meter.dwelling
    await _document(dwelling.residence_id, dwelling.id, f"paper {meter.id} of dwelling {dwelling.id}", now)


async def _document(residence_id: int, dwelling_id: int | None, title: str, now: datetime) -> None:
    await Document.create(
        residence_id=residence_id,
        dwelling_id=dwelling_id,
        type=DocumentType.WORKS,
        title=title,
        language="en",
        valid_from=now.date() - timedelta(days=5),
        shown_from=now.date() - timedelta(days=5),
        file_name="paper.pdf",
        media_type="application/pdf",
        size_bytes=3,
        sha256=f"{len(title):064d}",
        created_at=now,
        deposited_at=now,
    )
