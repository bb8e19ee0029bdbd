"""Retention: expired data are deleted, younger data kept, and no notification is repeated because of it."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tortoise.transactions import in_transaction

from core.access import SYSTEM, Act, Role
from core.bootstrap import open_application
from core.consumption.fluids import Fluid
from core.models import (
    AccessToken,
    Account,
    Alert,
    AlertKind,
    AuditRecord,
    Challenge,
    ChallengePurpose,
    Channel,
    Device,
    Dwelling,
    DwellingRequest,
    DwellingRequestKind,
    MessageState,
    Occupancy,
    OccupancyKind,
    Operator,
    OutboxMessage,
    Registration,
    Session,
)
from core.operators import Step
from core.retention_periods import RetentionPeriods
from core.services.messaging import outbox
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.messaging.outbox import Notification, Topic, list_messages
from core.services.operation import retention
from core.services.operation.retention import CHALLENGES_FOR, SIGN_INS_FOR, UNUSED_DEVICES_FOR, purge
from core.services.places.meter_directory import meters_by_address
from core.services.privacy.series_retention import READINGS
from core.services.shared.audit import Subject, record
from core.services.shared.scope import occupancy_periods
from core.services.shared.transaction import current_database
from core.services.telegrams.pipeline import take_in
from core.services.telegrams.recompute import recompute_meter
from tests.support import factories
from tests.support.factories import NOW

MOMENT = timedelta(seconds=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
"""Old by every clock: the audit's table uses the database's."""


async def session(account_id: int, name: str, *, expires_at: datetime, revoked_at=None) -> None:
    await Session.create(
        account_id=account_id,
        token_hash=name,
        created_at=LONG_AGO,
        expires_at=expires_at,
        revoked_at=revoked_at,
    )


async def names(model, column: str = "token_hash") -> list[str]:
    return sorted(await model.all().values_list(column, flat=True))


async def test_expired_secrets_are_deleted_after_their_period(application, settings) -> None:
    """Codes and links after a week, sessions and access tokens after a month, devices after thirteen; a
    sign-up that was abandoned when it expires, and with it the e-mails that have its address.
    """
    mine = await factories.account()
    for name, edge in (("old", timedelta()), ("young", MOMENT)):
        ended = NOW - SIGN_INS_FOR + edge
        await session(mine, f"lapsed {name}", expires_at=ended)
        await session(mine, f"revoked {name}", expires_at=NOW + SIGN_INS_FOR, revoked_at=ended)
        await AccessToken.create(
            account_id=mine, name="x", token_hash=name, scopes=[], created_at=LONG_AGO, expires_at=ended
        )
        used = NOW - UNUSED_DEVICES_FOR + edge
        await Device.create(account_id=mine, token_hash=name, created_at=LONG_AGO, last_used_at=used)
        await Challenge.create(
            account_id=mine,
            purpose=ChallengePurpose.RESET_PASSWORD,
            secret_hash=name,
            target="claire.martin@example.org",
            created_at=LONG_AGO,
            expires_at=NOW - CHALLENGES_FOR + edge,
        )
        lapsing = await Registration.create(
            operator=await Operator.get(),
            token_hash=name,
            step=Step.VERIFICATION,
            messages_sent=2,
            created_at=LONG_AGO,
            expires_at=NOW + edge,
        )
        for number in (1, 2):
            mail = AccountMessage(
                key=f"registration:{lapsing.id}:{number}",
                channel=Channel.EMAIL,
                template="registration_code",
                language="fr",
                recipient=name,
            )
            await queue_account_message(current_database(), settings, mail, now=NOW)
    await AccessToken.create(
        account_id=mine, name="for ever", token_hash="for ever", scopes=[], created_at=LONG_AGO
    )
    gone = await purge(settings, now=NOW)
    assert {kind: count for kind, count in gone.items() if count} == {
        "registrations": 1,
        "challenges": 1,
        "sessions": 2,
        "access tokens": 1,
        "devices": 1,
    }
    assert await names(Session) == ["lapsed young", "revoked young"]
    assert await names(AccessToken) == ["for ever", "young"]
    assert await names(OutboxMessage, "recipient") == ["young", "young"]
    for model, column in ((Device, "token_hash"), (Registration, "token_hash"), (Challenge, "secret_hash")):
        assert await names(model, column) == ["young"]
    assert not any((await purge(settings, now=NOW)).values())


async def _leak(key_encryption) -> Notification:
    """The notification of a leak that has run for months, as intake makes it each day."""
    await factories.residence(key_encryption, factories.meter())
    dwelling = await Dwelling.get()
    alert = await Alert.create(
        alert_key="leak:1",
        kind=AlertKind.LEAK,
        dwelling_id=dwelling.id,
        fluid=Fluid.COLD_WATER,
        started_on=date(2026, 3, 1),
        raised_at=NOW,
    )
    return Notification(
        dwelling_id=dwelling.id,
        topic=Topic.LEAK,
        template="leak_opened",
        key="leak:1:opened",
        started_on=date(2026, 3, 1),
        happened_on=NOW.date(),
        alert_id=alert.id,
        values={"fluid": "COLD_WATER", "meter": "H18CA029620", "level": 1, "ended_on": None},
        figures={"loss_litres": "100", "loss_eur": None, "mean_flow_lph": "3"},
    )


async def _queue(notification: Notification, *, now: datetime) -> int:
    async with in_transaction() as connection:
        return await outbox.queue(connection, [notification], now=now)


@pytest.mark.requirement("WAR-04")
async def test_an_alerts_messages_are_erased_and_never_sent_again(
    application, settings, key_encryption
) -> None:
    """Text and address are erased; state and time are kept, and the same leak queues no second message."""
    notification = await _leak(key_encryption)
    assert await _queue(notification, now=NOW) == 2
    await OutboxMessage.all().update(state=MessageState.SENT, sent_at=NOW, recipient="claire@example.org")
    later = NOW + settings.message_retention
    assert not any((await purge(settings, now=later - MOMENT)).values())
    assert (await purge(settings, now=later))["alert messages"] == 2
    for row in await OutboxMessage.all():
        assert (row.values, row.recipient, row.encrypted_values) == ({}, None, None)
        assert (row.state, row.sent_at, row.erased_at) == (MessageState.SENT, NOW, later)
    assert await _queue(replace(notification, happened_on=later.date()), now=later) == 0
    assert await _queue(replace(notification, happened_on=later.date(), key="leak:1:level_2"), now=later) == 2
    assert [(shown.erased, shown.recipient) for shown in await list_messages(SYSTEM)][2:] == [(True, "")] * 2
    assert not any((await purge(settings, now=later)).values())


async def test_an_account_message_is_deleted_once_it_is_settled(application, settings) -> None:
    """Sent or given up; one that still waits for its channel is kept, unless it has long expired."""
    kept = NOW - settings.message_retention
    for key, state, created_at, expires_at in (
        ("sent", MessageState.SENT, kept, None),
        ("failed", MessageState.FAILED, kept, None),
        ("sent later", MessageState.SENT, kept + MOMENT, None),
        ("waits", MessageState.PENDING, kept, None),
        ("expired", MessageState.PENDING, kept - timedelta(days=1), kept),
        ("expired later", MessageState.PENDING, kept - timedelta(days=1), kept + MOMENT),
    ):
        mail = AccountMessage(
            key=key,
            channel=Channel.EMAIL,
            template="email_code",
            language="fr",
            recipient="claire@example.org",
            secrets={"code": "123456"},
            expires_at=expires_at,
        )
        async with in_transaction() as connection:
            await queue_account_message(connection, settings, mail, now=created_at)
        await OutboxMessage.filter(idempotency_key=key).update(state=state)
    assert (await purge(settings, now=NOW))["account messages"] == 3
    assert await names(OutboxMessage, "idempotency_key") == ["expired later", "sent later", "waits"]


async def test_an_alerts_message_that_could_not_be_sent_is_erased_too(
    application, settings, key_encryption
) -> None:
    """Without a mail server its messages wait; once they have long expired they are given up and erased."""
    notification = await _leak(key_encryption)
    await _queue(notification, now=NOW)
    later = NOW + outbox.NOTIFICATION_MAX_AGE + settings.message_retention
    assert (await purge(settings, now=later))["alert messages"] == 2
    rows = await OutboxMessage.all()
    assert {(row.state, row.failure, str(row.values)) for row in rows} == {
        (MessageState.FAILED, "EXPIRED", "{}")
    }
    assert await _queue(replace(notification, happened_on=later.date()), now=later) == 0


async def test_the_audit_is_kept_for_its_period(application, settings, visitor) -> None:
    """A longer period keeps more; the table still refuses a change."""
    for at in (LONG_AGO, datetime.now(UTC)):
        await record(Act.SIGNED_IN, Subject("account", 7), None, visitor, at)
    longer = replace(settings, audit_retention=NOW - LONG_AGO)
    assert (await purge(longer, now=NOW))["audit records"] == 0
    assert (await purge(settings, now=NOW))["audit records"] == 1
    assert await AuditRecord.filter(at__gt=LONG_AGO).count() == 1
    with pytest.raises(Exception, match="audit records are never changed"):
        await current_database().execute_query("UPDATE audit_record SET address = NULL")


async def test_a_wrong_clock_does_not_delete_the_audit(application, settings, visitor) -> None:
    """A process in the year 2100 is refused by the table, which uses the database's clock."""
    await record(Act.SIGNED_IN, Subject("account", 7), None, visitor, datetime.now(UTC))
    with pytest.raises(Exception, match="audit records are kept for a year"):
        await purge(settings, now=datetime(2100, 1, 1, tzinfo=UTC))
    assert await AuditRecord.all().count() == 1


async def _period(
    dwelling_id: int, account_id: int, *, access_until: date | None, move_out: date | None
) -> None:
    await Occupancy.create(
        dwelling_id=dwelling_id,
        account_id=account_id,
        kind=OccupancyKind.TENANT,
        move_in=date(2023, 1, 1),
        move_out=move_out,
        access_until=access_until,
    )


@pytest.mark.requirement("CN-10")
async def test_a_former_occupant_is_deleted_after_the_look_back(
    application, settings, key_encryption, resident
) -> None:
    """With mailbox, name and sessions; the occupancy has no account then, the successor's is unchanged."""
    await factories.residence(key_encryption, factories.meter())
    dwelling = await Dwelling.get()
    today = NOW.date()
    left = {"access_until": today, "move_out": date(2024, 1, 1)}
    people = {
        name: await factories.account(email=f"{name}@example.org", role=role)
        for name, role in (
            ("gone", Role.RESIDENT),
            ("until-tomorrow", Role.RESIDENT),
            ("elsewhere", Role.RESIDENT),
            ("asks-again", Role.RESIDENT),
            ("manager", Role.MANAGER),
            ("homeless", Role.RESIDENT),
        )
    }
    for name in ("gone", "elsewhere", "asks-again", "manager"):
        await _period(dwelling.id, people[name], **left)
    await _period(
        dwelling.id, people["until-tomorrow"], access_until=today + timedelta(days=1), move_out=today
    )
    other = await Dwelling.create(residence_id=dwelling.residence_id, number="13")
    await _period(other.id, people["elsewhere"], access_until=None, move_out=None)
    await DwellingRequest.create(
        dwelling_id=other.id,
        account_id=people["asks-again"],
        kind=DwellingRequestKind.REVIEW,
        occupancy_kind=OccupancyKind.TENANT,
        move_in=today,
        attested_at=NOW,
        opened_at=NOW,
    )
    await session(people["gone"], "gone", expires_at=NOW + timedelta(days=1))
    successor = await occupancy_periods(await resident())
    assert (await purge(settings, now=NOW))["accounts"] == 1
    assert not await Account.filter(id=people["gone"]).exists()
    assert await Account.filter(id__in=list(people.values())).count() == len(people) - 1
    assert await names(Session) == []
    (nobodys,) = await Occupancy.filter(account_id=None)
    assert (nobodys.move_in, nobodys.move_out) == (date(2023, 1, 1), date(2024, 1, 1))
    assert await occupancy_periods(await resident()) == successor
    (erased,) = await AuditRecord.filter(act=Act.ACCOUNT_ERASED)
    assert (erased.subject, erased.subject_id, erased.details) == ("account", people["gone"], {})
    assert (await purge(settings, now=NOW))["accounts"] == 0


async def test_several_workers_purge_together(application, settings, monkeypatch) -> None:
    """Everything expired is deleted, and each row is counted by one of them."""
    monkeypatch.setattr(retention, "BATCH_ROWS", 3)
    mine = await factories.account()
    for number in range(20):
        await session(mine, str(number), expires_at=LONG_AGO)
    reported = await asyncio.gather(*(purge(settings, now=NOW) for _ in range(4)))
    assert sum(gone["sessions"] for gone in reported) == 20
    assert await Session.all().count() == 0


async def test_an_interrupted_purge_keeps_what_it_has_deleted(application, settings, monkeypatch) -> None:
    """Each batch is a transaction of its own."""
    monkeypatch.setattr(retention, "BATCH_ROWS", 3)
    mine = await factories.account()
    for number in range(8):
        await session(mine, str(number), expires_at=LONG_AGO)
    delete, deleted = retention._delete, []

    async def falter(connection, rows, now) -> int:
        deleted.append(await delete(connection, rows, now))
        if len(deleted) == 3:
            raise ConnectionError
        return deleted[-1]

    monkeypatch.setattr(retention, "_delete", falter)
    with pytest.raises(ConnectionError):
        await purge(settings, now=NOW)
    assert (deleted, await Session.all().count()) == ([3, 3, 2], 2)


async def test_readings_are_kept_for_whole_months_and_their_volumes_for_good(
    application, settings, key_encryption, izar
) -> None:
    """Without a period all are kept; with thirteen months the fourteenth before this one is dropped, on
    PostgreSQL as a partition; the days that were computed from it remain, after a recomputation too.
    """
    await factories.residence(key_encryption, factories.meter(izar.address))
    moments = [datetime(2025, 9, 30, hour, tzinfo=UTC) for hour in (6, 12, 18)]
    moments += [datetime(2025, 10, 1, 6, tzinfo=UTC), datetime(2026, 11, 20, 6, tzinfo=UTC)]
    lines = [izar.line(1000 + 10 * place, at) for place, at in enumerate(moments)]
    await take_in(application, SYSTEM, lines, source="test", now=NOW)
    database = current_database()
    volumes = "SELECT * FROM daily_volume WHERE day < 20251001 ORDER BY day"
    before = list(map(dict, await database.execute_query_dict(volumes)))
    assert before
    assert (await purge(settings, now=NOW))[READINGS] == 0
    kept = replace(settings, retention=RetentionPeriods(reading_months=13))
    rows = "SELECT read_at FROM reading ORDER BY read_at"
    assert len(await database.execute_query_dict(rows)) == 5
    assert (await purge(kept, now=NOW))[READINGS] == (3 if settings.is_sqlite else 1)
    assert [row["read_at"] for row in await database.execute_query_dict(rows)] == [
        int(at.timestamp()) for at in moments[3:]
    ]
    assert list(map(dict, await database.execute_query_dict(volumes))) == before
    assert (await purge(kept, now=NOW))[READINGS] == 0
    (meter,) = (await meters_by_address(SYSTEM, [izar.address], key_encryption=key_encryption)).values()
    async with in_transaction() as connection:
        await recompute_meter(connection, meter, thresholds_of=application.registry.leak_thresholds, now=NOW)
    assert list(map(dict, await database.execute_query_dict(volumes))) == before


async def test_a_line_of_a_time_whose_readings_are_dropped_is_a_dead_letter(
    settings, registry, key_encryption, izar
) -> None:
    """The last second of the fourteenth month before this one is refused, the next one is stored."""
    async with open_application(
        replace(settings, retention=RetentionPeriods(reading_months=13)), registry=registry
    ) as application:
        await factories.residence(key_encryption, factories.meter(izar.address))
        border = datetime(2025, 10, 1, tzinfo=UTC)
        lines = [izar.line(1000, border - MOMENT), izar.line(1001, border)]
        summary = await take_in(application, SYSTEM, lines, source="test", now=NOW)
        assert (summary.stored, summary.unusable) == (1, {"TIME_PAST_RETENTION": 1})


async def test_the_months_ahead_are_ready_for_intake(application, settings) -> None:
    """A purge makes the partitions of this month and of the next two."""
    await purge(settings, now=NOW)
    if not settings.is_sqlite:
        rows = await current_database().execute_query_dict(
            "SELECT relid::text AS name FROM pg_partition_tree('reading') WHERE isleaf ORDER BY 1"
        )
        assert [row["name"] for row in rows] == ["reading_202611", "reading_202612", "reading_202701"]
