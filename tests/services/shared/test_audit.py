"""The audit: who did what, to what, when and from where; no record is changed afterwards."""

from datetime import UTC, datetime

import pytest

from core.access import SYSTEM, Act, Role, Viewer, Visitor
from core.errors import Forbidden
from core.services.shared.audit import AuditEntry, Subject, acts_on, record
from core.services.shared.transaction import current_database, transactional

CLAIRE = Viewer(role=Role.RESIDENT, account_id=7, operator_id=1)
HOME = Visitor("192.0.2.7", "a browser")


async def test_a_record_has_who_what_when_and_from_where(application, now) -> None:
    """It is found by its subject and by its act."""
    await record(Act.SIGN_IN_REFUSED, Subject("account"), None, HOME, now, reason="PASSWORD")
    await record(Act.PASSWORD_CHANGED, Subject("account", 7), CLAIRE, HOME, now, sessions_ended=2)
    (found,) = await acts_on(SYSTEM, Subject("account", 7))
    assert found == AuditEntry(
        at=now,
        act=Act.PASSWORD_CHANGED,
        role="RESIDENT",
        actor_id=7,
        subject=Subject("account", 7),
        address="192.0.2.7",
        details={"sessions_ended": 2},
    )
    (refused,) = await acts_on(SYSTEM, act=Act.SIGN_IN_REFUSED)
    assert (refused.role, refused.actor_id, refused.details) == (None, None, {"reason": "PASSWORD"})
    assert [entry.act for entry in await acts_on(SYSTEM)] == [Act.PASSWORD_CHANGED, Act.SIGN_IN_REFUSED]


async def test_the_audit_is_read_by_the_operator_alone(application, now) -> None:
    """Residents are refused."""
    with pytest.raises(Forbidden):
        await acts_on(CLAIRE)


async def test_a_record_is_never_changed_and_kept_for_a_year(application, now) -> None:
    """The table itself refuses; older records may be deleted."""
    young = datetime.now(UTC)  # the table uses the database's clock
    await record(Act.SIGNED_IN, Subject("account", 7), None, HOME, young)
    await record(Act.SIGNED_IN, Subject("account", 7), None, HOME, datetime(2020, 1, 1, tzinfo=UTC))
    database = current_database()
    for statement in (
        "UPDATE audit_record SET address = NULL",
        "DELETE FROM audit_record",
    ):
        with pytest.raises(Exception, match="audit records are"):
            await database.execute_query(statement)
    assert len(await acts_on(SYSTEM)) == 2
    await database.execute_query("DELETE FROM audit_record WHERE at < '2021-01-01 00:00:00+00:00'")
    assert [entry.at for entry in await acts_on(SYSTEM)] == [young]


async def test_an_act_that_is_rolled_back_leaves_no_record(application, now) -> None:
    """The record is part of the act's transaction."""

    @transactional
    async def fail(connection) -> None:
        await record(Act.SIGNED_IN, Subject("account", 7), CLAIRE, HOME, now, connection)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await acts_on(SYSTEM) == []
