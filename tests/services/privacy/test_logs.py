"""Who looked, in the resident's words (CN-13); and what was agreed to, purpose by purpose (CN-02,
CN-07).
"""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from core.access import NOBODY, Role, Viewer
from core.access.purposes import AccountPurpose, Purpose
from core.consumption.fluids import Fluid
from core.consumption.resolutions import Resolution
from core.errors import Forbidden, NotFound
from core.language import Language
from core.models import Account, AccountConsent, Dwelling, ManagedResidence, Meter, Occupancy, Residence
from core.services.accounts.account import NotificationTopic, choose_notification
from core.services.accounts.password_change import NewPassword
from core.services.alerts.slow_leak_hints import choose_slow_leak_hints
from core.services.auth.sessions import viewer_of_token
from core.services.consumption.by_resolution import ConsumptionAsked, consumptions
from core.services.consumption.consumption import daily_series, dashboard
from core.services.consumption.manager_consumption import (
    managed_daily_series,
    managed_dashboards,
    managed_readings,
)
from core.services.occupancy.consents import ConsentAnswer, answer_consent
from core.services.places.meters import ReadingsAsked
from core.services.privacy.access_log import LookView, access_log
from core.services.privacy.consent_log import consent_history, consents_by_purpose
from core.services.privacy.grants import GrantAsked, issue_grant
from core.services.privacy.household import accept_invitation, invite_member
from core.texts.access_log import LookedAt, LookerKind, LookWords, look_sentence
from core.texts.consents import PURPOSE_TEXTS, PURPOSES_VERSION
from tests.services.privacy.conftest import READ_SINCE_OCTOBER
from tests.support import factories
from tests.support.factories import NOW
from tests.support.servers.prepared import prepared_for

WATER = Fluid.COLD_WATER
FIRST, LAST = date(2026, 11, 2), date(2026, 11, 8)


prepared = prepared_for("claire", READ_SINCE_OCTOBER)


@pytest.fixture
async def claire(application) -> Viewer:
    """She lives there since 1 October, has consented, and her manager is boss@example.org."""
    boss = await factories.account(email="boss@example.org", role=Role.MANAGER, first_name="Bruno")
    await ManagedResidence.create(account_id=boss, residence=await Residence.get(), granted_at=NOW)
    account = await Account.get(email="claire.martin@example.org")
    viewer = Viewer(role=Role.RESIDENT, account_id=account.id, operator_id=account.operator_id, asked_at=NOW)
    home = (await Dwelling.get()).id
    await answer_consent(application, viewer, home, granted=True, visitor=NOBODY, now=NOW)
    return viewer


async def _log(viewer: Viewer, **page: int) -> list[LookView]:
    return (await access_log(viewer, (await Dwelling.get()).id, **{"first": 50, **page})).items


async def _manager() -> Viewer:
    return Viewer(role=Role.MANAGER, account_id=(await Account.get(email="boss@example.org")).id)


@pytest.mark.requirement("CN-13")
async def test_a_resident_reads_who_looked_at_which_days(application, claire) -> None:
    """The manager's looks at days, dashboard and readings, each with its days, the newest first; the
    manager is not named.
    """
    boss, home = await _manager(), (await Dwelling.get()).id
    later = NOW + timedelta(hours=1)
    await managed_daily_series(boss, home, WATER, first=FIRST, last=LAST, visitor=NOBODY, now=NOW)
    await managed_dashboards(boss, [home], visitor=NOBODY, now=later)
    asked = ReadingsAsked(3, None, True, None, None)
    await managed_readings(boss, (await Meter.get()).id, asked, visitor=NOBODY, now=later)
    looks = await _log(claire)
    assert [(one.words.what, one.words.fluid, one.words.first, one.words.last) for one in looks] == [
        (LookedAt.READINGS, WATER, date(2026, 11, 19), date(2026, 11, 20)),
        (LookedAt.DASHBOARD, None, date(2026, 11, 1), date(2026, 11, 22)),
        (LookedAt.DAYS, WATER, FIRST, LAST),
    ]
    assert {(one.words.kind, one.words.name) for one in looks} == {(LookerKind.MANAGER, "")}
    assert look_sentence(looks[-1].words, Language.FR) == (
        "Votre gestionnaire a consulté le 22/11/2026 vos consommations journalières d'eau froide du"
        " 02/11/2026 au 08/11/2026."
    )
    assert look_sentence(looks[-1].words, Language.EN) == (
        "Your manager looked on 2026-11-22 at your daily consumption of cold water from 2026-11-02 to"
        " 2026-11-08."
    )


@pytest.mark.requirement("CN-13")
async def test_looks_of_the_household_and_of_providers_are_in_it(
    application, claire, posted: Callable
) -> None:
    """With the names that the resident gave them; the resident's own looks are not."""
    home = (await Dwelling.get()).id
    asked = GrantAsked("Énergies & Cie", "a@b.example", [WATER], Resolution.DAILY, date(2027, 1, 1))
    issued = await issue_grant(application, claire, home, asked, visitor=NOBODY, now=NOW)
    provider = await viewer_of_token(application, issued.token, now=NOW)
    week = [ConsumptionAsked(Resolution.DAILY, 7, LAST, fluid=WATER, dwelling_id=home)]
    await consumptions(provider, week, now=NOW)
    await invite_member(
        application, claire, home, email="child@example.org", name="Camille", visitor=NOBODY, now=NOW
    )
    ((_, values),) = await posted("household_invited")
    new = NewPassword("Another-Horse-43", "Another-Horse-43")
    await accept_invitation(application, str(values["link"]).partition("#")[2], new, visitor=NOBODY, now=NOW)
    account = await Account.get(email="child@example.org")
    child = Viewer(role=account.role, account_id=account.id, asked_at=NOW)
    await dashboard(child, home, now=NOW)
    await daily_series(child, home, WATER, first=FIRST, last=LAST, now=NOW)
    await dashboard(claire, home, now=NOW)
    await consumptions(claire, week, now=NOW)
    looks = await _log(claire)
    assert [(one.words.kind, one.words.name, one.words.what) for one in looks] == [
        (LookerKind.HOUSEHOLD_MEMBER, "Camille", LookedAt.DAYS),
        (LookerKind.HOUSEHOLD_MEMBER, "Camille", LookedAt.DASHBOARD),
        (LookerKind.THIRD_PARTY, "Énergies & Cie", LookedAt.DAYS),
    ]
    assert (looks[-1].words.first, looks[-1].words.last) == (FIRST, LAST)
    for viewer in (child, provider):
        with pytest.raises(Forbidden):
            await access_log(viewer, home, first=5)


@pytest.mark.requirement("CN-13")
async def test_a_log_is_of_the_own_occupancy_alone(application, claire) -> None:
    """Paul, who came on 10 November, sees the look of the 12th, Claire that of the 8th; a stranger no
    home.
    """
    boss, home = await _manager(), (await Dwelling.get()).id
    for day in (8, 12):
        at = datetime(2026, 11, day, 12, tzinfo=UTC)
        if day == 12:
            await Occupancy.filter(account_id=claire.account_id).update(move_out=date(2026, 11, 10))
            paul = await factories.account(email="paul@example.org")
            await Occupancy.create(
                dwelling_id=home, account_id=paul, kind="TENANT", move_in=date(2026, 11, 10)
            )
            his = Viewer(role=Role.RESIDENT, account_id=paul, asked_at=NOW)
            await answer_consent(application, his, home, granted=True, visitor=NOBODY, now=at)
        await managed_daily_series(boss, home, WATER, visitor=NOBODY, now=at)
    assert [one.at.day for one in await _log(claire)] == [8]
    assert [one.at.day for one in await _log(his)] == [12]
    assert (await _log(his))[0].words.first == date(2026, 11, 10)
    stranger = Viewer(role=Role.RESIDENT, account_id=await factories.account(email="x@example.org"))
    with pytest.raises(NotFound):
        await access_log(stranger, home, first=5)


async def test_the_log_comes_page_by_page(application, claire) -> None:
    """Two and one, without a repetition."""
    boss, home = await _manager(), (await Dwelling.get()).id
    for _ in range(3):
        await managed_daily_series(boss, home, WATER, visitor=NOBODY, now=NOW)
    page = await access_log(claire, home, first=2)
    rest = await access_log(claire, home, first=2, after=page.items[-1].id)
    assert (len(page.items), page.has_next, len(rest.items), rest.has_next) == (2, True, 1, False)
    assert len({one.id for one in [*page.items, *rest.items]}) == 3


def test_every_look_has_its_words() -> None:
    """Whoever looked at whatever, of one day or of several, in both languages: a sentence with a full stop
    and no gap.
    """
    for kind in LookerKind:
        for what in LookedAt:
            for first, last in ((FIRST, LAST), (FIRST, FIRST), (None, None)):
                for fluid in (None, *Fluid):
                    words = LookWords(kind, "Camille", what, fluid, first, last, date(2026, 11, 22))
                    for language in Language:
                        sentence = look_sentence(words, language)
                        assert sentence.endswith(".")
                        assert "{" not in sentence
                        assert "  " not in sentence


@pytest.mark.requirement("CN-02", "CN-07")
async def test_each_purpose_has_its_own_answer_and_history(application, claire) -> None:
    """Nothing is agreed to in advance; each answer is a row with the version of its text, a withdrawal
    another; what is answered again with the same answer is no new row.
    """
    now = NOW + timedelta(hours=1)
    before = {one.purpose: one.answer for one in await consents_by_purpose(application, claire)}
    assert before.pop(Purpose("MANAGER_DAILY_DATA")) is ConsentAnswer.GRANTED
    assert set(before.values()) == {ConsentAnswer.UNANSWERED}
    for wish in (True, True, False):
        now += timedelta(hours=1)
        await choose_notification(
            claire, NotificationTopic.OVER_CONSUMPTION, by_email=wish, visitor=NOBODY, now=now
        )
    await choose_slow_leak_hints(claire, wished=True, visitor=NOBODY, now=now)
    answers = {one.purpose.value: one for one in await consents_by_purpose(application, claire)}
    assert answers["OVER_CONSUMPTION_EMAIL"].answer is ConsentAnswer.REFUSED
    assert answers["SLOW_LEAK_EMAIL"].answer is ConsentAnswer.GRANTED
    assert answers["LEAK_EMAIL"].answer is ConsentAnswer.UNANSWERED, "one purpose answers for no other"
    page = await consent_history(application, claire, first=50)
    assert sorted((one.purpose.value, one.granted) for one in page.items) == [
        ("MANAGER_DAILY_DATA", True),
        ("OVER_CONSUMPTION_EMAIL", False),
        ("OVER_CONSUMPTION_EMAIL", True),
        ("SLOW_LEAK_EMAIL", True),
    ]
    assert all(one.text is not None and one.text_version for one in page.items)
    assert page.items[-1].dwelling_id == (await Dwelling.get()).id
    first = await consent_history(application, claire, first=3)
    rest = await consent_history(application, claire, first=3, after=4 - 3 + 1)
    assert [*first.items, *rest.items] == page.items


async def test_an_answer_that_nobody_gave_is_not_recorded(application, claire) -> None:
    """Switching off what was never on leaves no trace of a withdrawal."""
    await choose_notification(claire, NotificationTopic.NEW_DOCUMENT, by_email=False, visitor=NOBODY, now=NOW)
    assert await AccountConsent.all().count() == 0


@pytest.mark.requirement("CN-07")
def test_a_text_that_was_agreed_to_is_never_edited() -> None:
    """Each version's sentences as they were when the version was made; and each purpose has one, in the
    version in force.
    """
    digests = {
        version: hashlib.sha256(
            json.dumps({name: [text.fr, text.en] for name, text in texts.items()}, sort_keys=True).encode()
        ).hexdigest()[:16]
        for version, texts in PURPOSE_TEXTS.items()
    }
    assert {purpose.value for purpose in Purpose} - {"MANAGER_DAILY_DATA"} == {
        one.value for one in AccountPurpose
    }
    assert digests == {"2026-11": "8281affd1b62cb8b"}
    assert PURPOSE_TEXTS[PURPOSES_VERSION].keys() == {purpose.value for purpose in AccountPurpose}
