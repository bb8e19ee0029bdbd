"""Erasure: nothing of the person is left in any table, and the building's figures are what they were
(CN-09).
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from core.access import NOBODY, SYSTEM, Act, Role, Viewer
from core.access.refusals import PasswordWrong
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.consumption.resolutions import Resolution
from core.errors import Forbidden, RateLimited
from core.models import (
    Account,
    ConsentRecord,
    Dwelling,
    HouseholdMember,
    ManagedResidence,
    Occupancy,
    OutboxMessage,
    Registration,
    Residence,
    Session,
    ThirdPartyGrant,
)
from core.operators import Step
from core.services.accounts.access_tokens import issue_token
from core.services.accounts.account import NotificationTopic, choose_notification
from core.services.accounts.password_change import NewPassword, ask_for_reset
from core.services.alerts.consumption_limits import set_limit
from core.services.auth.sessions import TokenScope
from core.services.consumption.manager_consumption import MonthsAsked, managed_months
from core.services.occupancy.consents import answer_consent
from core.services.occupancy.occupancies import is_taken
from core.services.privacy.erasure import ON_ERASURE, Fate, erase_my_account
from core.services.privacy.exports import make_exports, request_export
from core.services.privacy.grants import GrantAsked, issue_grant
from core.services.privacy.household import accept_invitation, invite_member
from core.services.shared.audit import acts_on
from core.services.shared.transaction import current_database
from tests.services.privacy.conftest import READ_SINCE_OCTOBER
from tests.support import factories
from tests.support.factories import NOW, PASSWORD
from tests.support.servers.prepared import prepared_for

WATER = Fluid.COLD_WATER
VISITOR = NOBODY
PERSON = ("claire.martin@example.org", "Claire", "Martin", "+33639980012", "0639980012")


async def _everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    database = current_database()
    if database.capabilities.dialect == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    else:
        query = (
            "SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        )
    names = sorted({row["name"] for row in await database.execute_query_dict(query)})
    return {
        name: list(map(dict, await database.execute_query_dict(f"SELECT * FROM {name}")))
        for name in names
        if name != "tortoise_migrations"
    }


prepared = prepared_for("claire", READ_SINCE_OCTOBER)


@pytest.fixture
async def claire(application, posted: Callable) -> Viewer:
    """Who has used everything: limits, consents, tokens, a grant, a household, an archive, an alert's
    note.
    """
    account = await Account.get(email="claire.martin@example.org")
    await Session.create(
        account_id=account.id, token_hash="s", created_at=NOW, expires_at=NOW + timedelta(days=30)
    )
    viewer = Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id)
    home = (await Dwelling.get()).id
    await answer_consent(application, viewer, home, granted=True, visitor=VISITOR, now=NOW)
    await choose_notification(viewer, NotificationTopic.LEAK, by_email=False, visitor=VISITOR, now=NOW)
    await set_limit(viewer, home, WATER, "MONTH", 100_000, now=NOW)
    await issue_token(
        application, viewer, name="Claire's", scopes=[TokenScope.ALERTS], visitor=VISITOR, now=NOW
    )
    asked = GrantAsked("Énergies & Cie", "a@b.example", [WATER], Resolution.DAILY, date(2027, 1, 1))
    await issue_grant(application, viewer, home, asked, visitor=VISITOR, now=NOW)
    await invite_member(
        application, viewer, home, email="child@example.org", name="Camille", visitor=VISITOR, now=NOW
    )
    ((_, values),) = await posted("household_invited")
    new = NewPassword("Another-Horse-43", "Another-Horse-43")
    token = str(values["link"]).partition("#")[2]
    await accept_invitation(application, token, new, visitor=VISITOR, now=NOW)
    await ask_for_reset(application, account.email, visitor=VISITOR, now=NOW)
    await request_export(viewer, visitor=VISITOR, now=NOW)
    await make_exports(application, now=NOW)
    await Registration.create(
        operator_id=account.operator_id,
        token_hash="r",
        step=Step.VERIFICATION,
        email=account.email,
        first_name="Claire",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )
    return viewer


@pytest.mark.requirement("CN-09")
async def test_what_becomes_of_every_table_is_decided(application) -> None:
    """Walks all tables: a new one needs a decision."""
    assert ON_ERASURE.keys() == (await _everything()).keys()
    assert all(len(erased.why) > 8 for erased in ON_ERASURE.values())


@pytest.mark.requirement("CN-09")
async def test_no_row_names_the_person_any_more(application, claire, posted: Callable) -> None:
    """No table holds e-mail address, name or phone number, but for the confirmation that is yet to be sent;
    no row refers to the account but the audit's; the invited child's account is gone as well.
    """
    before = await _everything()
    assert len(before["third_party_grant"]) == len(before["household_member"]) == 1
    filled = {name for name, rows in before.items() if rows}
    await erase_my_account(application, claire, PASSWORD, visitor=VISITOR, now=NOW)
    after = await _everything()
    for name, rows in after.items():
        for row in rows:
            text = " ".join(map(str, row.values()))
            if name == "outbox_message" and row["template"] == "account_erased":
                continue
            assert not [part for part in PERSON if part in text], (name, row)
            owners = {
                column: value
                for column, value in row.items()
                if column in {"account_id", "author_account_id", "holder_id", "member_id", "added_by_id"}
            }
            assert claire.account_id not in owners.values(), (name, row)
    for name in filled:
        if ON_ERASURE[name].fate is Fate.DELETED and not name.startswith(("reading", "outbox")):
            assert after[name] == [], name
    assert [row["template"] for row in after["outbox_message"]] == ["account_erased"]
    (entry,) = await acts_on(SYSTEM, act=Act.ACCOUNT_ERASED)
    assert entry.actor_id == claire.account_id
    assert await HouseholdMember.all().count() == await ThirdPartyGrant.all().count() == 0
    ((recipient, values),) = await posted("account_erased")
    assert (recipient, values) == ("claire.martin@example.org", {"operator": "OCEA Smart Building"})


@pytest.mark.requirement("CN-09")
async def test_the_buildings_figures_remain_and_the_home_is_free(application, claire) -> None:
    """The manager's months and all daily volumes are what they were, the consent is on record without a
    name, the occupancy ended yesterday, and somebody else may have the one account of the home.
    """
    home = (await Dwelling.get()).id
    boss = await factories.account(email="boss@example.org", role=Role.MANAGER)
    await ManagedResidence.create(account_id=boss, residence=await Residence.get(), granted_at=NOW)
    manager = Viewer(role=Role.MANAGER, account_id=boss)
    asked = [MonthsAsked(home, WATER, Month(2026, 10), Month(2026, 10))]
    months, days = await managed_months(manager, asked, now=NOW), (await _everything())["daily_volume"]
    readings = len((await _everything())["reading"])
    await erase_my_account(application, claire, PASSWORD, visitor=VISITOR, now=NOW)
    assert await managed_months(manager, asked, now=NOW) == months
    after = await _everything()
    assert after["daily_volume"] == days
    assert len(after["reading"]) < readings / 5, "the hours of the occupancy are gone"
    consent = await ConsentRecord.get()
    assert (consent.author_account_id, consent.text_version) == (None, "2026-11")
    occupancy = await Occupancy.get()
    assert (occupancy.account_id, occupancy.move_out) == (None, NOW.date())
    assert not await is_taken(home, None, today=NOW.date())


async def test_the_password_is_asked_again_and_others_may_not(application, claire) -> None:
    """A wrong password erases nothing, and ten end the trying; a manager's account is the operator's."""
    with pytest.raises(PasswordWrong):
        await erase_my_account(application, claire, "Wrong-Horse-42", visitor=VISITOR, now=NOW)
    assert await Account.exists(id=claire.account_id)
    manager = Viewer(role=Role.MANAGER, account_id=claire.account_id)
    with pytest.raises(Forbidden):
        await erase_my_account(application, manager, PASSWORD, visitor=VISITOR, now=NOW)
    for _ in range(9):
        with pytest.raises(PasswordWrong):
            await erase_my_account(application, claire, "Wrong-Horse-42", visitor=VISITOR, now=NOW)
    with pytest.raises(RateLimited):
        await erase_my_account(application, claire, PASSWORD, visitor=VISITOR, now=NOW)
    assert await OutboxMessage.filter(template="account_erased").count() == 0
