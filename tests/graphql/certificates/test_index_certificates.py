"""Index certificates for an inventory of fixtures: who may have which day, what stands on them, and who reads
them later.
"""

import hashlib
import threading
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import x509
from tortoise.transactions import in_transaction

from core.access import SYSTEM, Act
from core.bootstrap import Application
from core.consumption.fluids import Fluid
from core.consumption.plausibility import Doubt
from core.models import Account, DoubtfulReading, Dwelling, IssuedPaper, Meter, Occupancy, OccupancyKind
from core.services.auth.download_links import LIFETIME
from core.services.auth.issued_papers import KEPT_FOR
from core.services.certificates import signatures
from core.services.certificates.index_certificates import PAPERS_BY_ACCOUNT
from core.services.operation.retention import purge
from core.services.shared.audit import acts_on
from tests.graphql.certificates.conftest import CERTIFY, OPEN, PAPERS, fetched
from tests.graphql.conftest import HEAT, WATER
from tests.graphql.dwellings.test_managed_home import consent
from tests.support import factories, seats
from tests.support.attack import watched
from tests.support.factories import NOW
from tests.support.signatures import is_genuine, text_of

DAY = "2026-11-20"
Numbered = Callable[[], Awaitable[str]]


async def certify(portal: Any, dwelling: str, day: str = DAY, language: str = "FR") -> dict[str, Any]:
    answer = await portal.ask(CERTIFY, dwelling=dwelling, day=day, language=language)
    found: dict[str, Any] = answer["issueIndexCertificate"]
    return found


async def test_the_file_is_signed_and_its_hash_is_the_one_that_is_stored(
    claire: Any, signing_home: Any, dwelling_id: Numbered, trusted: x509.Certificate
) -> None:
    """What the door hands out is whole to a validator; one bit less, and neither signature nor hash fit."""
    issued = await certify(claire, await dwelling_id())
    content = await fetched(claire, issued)
    assert is_genuine(content, trusted, now=NOW)
    paper = issued["paper"]
    assert paper["sha256"] == hashlib.sha256(content).hexdigest()
    assert paper["size"] == len(content)
    assert (paper["kind"], paper["side"], paper["lastDay"]) == ("INDEX_CERTIFICATE", None, DAY)
    assert paper["name"] == "certificat-index-AA000-12-2026-11-20.pdf"
    assert issued["urlExpiresAt"] == (NOW + LIFETIME).isoformat()
    changed = bytearray(content)
    changed[1_000] ^= 1
    assert not is_genuine(bytes(changed), trusted, now=NOW)
    assert hashlib.sha256(changed).hexdigest() != paper["sha256"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "FR",
            (
                *("Certificat d'index", "bâtiment A, escalier 1, étage 2, porte 12, lot 104"),
                *("20/11/2026 à minuit (fin de journée)", "12,145 m3 20/11/2026 10:30 relevé le jour même"),
                *("non relevé : aucun relevé reçu", "Code de vérification", "Occupant sortant"),
            ),
        ),
        (
            "EN",
            (
                *("Index certificate", "building A, staircase 1, floor 2, door 12, lot 104"),
                *("20 November 2026 at midnight", "12.145 m3 2026-11-20 10:30 read on the day"),
                *("not read: no reading received", "Verification code", "Outgoing occupant"),
            ),
        ),
    ],
)
async def test_what_stands_on_it(
    claire: Any, signing_home: Any, dwelling_id: Numbered, language: str, expected: tuple[str, ...]
) -> None:
    """Every meter with its last index by then and when it was read; one that was not read with the reason;
    the code; and nobody's name.
    """
    issued = await certify(claire, await dwelling_id(), language=language)
    text = text_of(await fetched(claire, issued))
    for part in (*expected, WATER, HEAT, "Résidence Les Tilleuls (AA000)", issued["paper"]["code"]):
        assert part in text, part
    for name in ("Claire", "Martin", "claire.martin"):
        assert name not in text


async def test_an_older_index_and_the_reasons_for_none(
    claire: Any, signing_home: Any, dwelling_id: Numbered
) -> None:
    """An index from before the day says how old it is; readings that do not count are no index."""
    heat = await Meter.get(printed_serial=HEAT)
    await DoubtfulReading.create(
        meter_id=heat.id, read_at=int(NOW.timestamp()), index_value=5, status_bits=0, evidence=1,
        received_at=int(NOW.timestamp()), telegram_digest=1, doubt=Doubt.RISE_TOO_FAST,
    )  # fmt: skip
    claire.clock.now = NOW + timedelta(days=3)
    claire.token = None
    await claire.sign_in()
    text = text_of(await fetched(claire, await certify(claire, await dwelling_id(), day="2026-11-24")))
    assert "12,345 m3 22/11/2026 10:30 relevé 2 jours avant" in text
    assert "non relevé : les relevés reçus sont douteux" in text


async def test_meters_are_those_in_service_on_the_day(
    claire: Any, signing_home: Any, dwelling_id: Numbered, data_of: Any
) -> None:
    """A meter that was removed before, or put in later, is not on it; both of a replacement's day are."""
    dwelling = await Dwelling.get()
    swap = datetime.fromisoformat("2026-11-19T10:00:00+00:00")
    await Meter.filter(printed_serial=HEAT).update(removed_at=swap)
    await Meter.create(
        dwelling_id=dwelling.id, fluid=Fluid.HEAT, vendor="kamstrup", printed_serial="NEW-HEAT",
        serial_key="NEWHEAT", radio_address="KAM-76348800-1B-16", installed_at=swap,
    )  # fmt: skip
    number = await dwelling_id()
    shown = {}
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        text = text_of(await fetched(claire, await certify(claire, number, day=day)))
        shown[day] = (HEAT in text, "NEW-HEAT" in text)
    assert shown == {
        "2026-11-18": (True, False),
        "2026-11-19": (True, True),
        "2026-11-20": (False, True),
    }


async def test_midnight_is_the_residences(
    claire: Any, signing_home: Any, home: Any, dwelling_id: Numbered
) -> None:
    """A reading at 22:59 UTC is of the day in Paris, one at 23:00 of the next one."""
    at = datetime.fromisoformat("2026-11-20T22:59:59+00:00")
    await home.read(WATER, [(at, 12_200), (at + timedelta(seconds=1), 12_201)])
    text = text_of(await fetched(claire, await certify(claire, await dwelling_id())))
    assert "12,200 m3 20/11/2026 23:59" in text


async def test_the_move_in_shows_the_index_and_nothing_before_it(
    claire: Any, signing_home: Any, dwelling_id: Numbered
) -> None:
    """Claire may have the evening before her first day, whose index is hers as well; no day before, none
    after her last one, and none to come; a meter that was read before her only has no index in her days.
    """
    await Occupancy.all().update(move_in=date(2026, 11, 21))
    number = await dwelling_id()
    text = text_of(await fetched(claire, await certify(claire, number, day="2026-11-20")))
    assert "12,145 m3" in text
    assert (await certify(claire, number, day="2026-11-19"))["code"] == "FORBIDDEN_PERIOD"
    refused = await certify(claire, number, day="2026-11-23")
    assert (refused["code"], refused["field"]) == ("INVALID_INPUT", "day")
    await Occupancy.all().update(move_in=date(2026, 11, 22))
    async with in_transaction() as connection:
        await connection.execute_query("DELETE FROM reading WHERE index_value = 12345")
    text = text_of(await fetched(claire, await certify(claire, number, day="2026-11-22")))
    assert "non relevé depuis l'emménagement" in text
    await Occupancy.all().update(move_in=date(2024, 2, 1), move_out=date(2026, 11, 21))
    assert (await certify(claire, number, day="2026-11-21"))["code"] == "FORBIDDEN_PERIOD"
    assert (await certify(claire, number, day="2026-11-20"))["paper"]["lastDay"] == "2026-11-20"


async def test_strangers_get_nothing(
    portal: Any, application: Application, signing_home: Any, dwelling_id: Numbered
) -> None:
    """A resident of elsewhere, an owner who lives elsewhere, a manager and staff of others: no such home."""
    number = await dwelling_id()
    for seat in (
        lambda: seats.stranger(portal, application),
        lambda: seats.owner(portal, application),
        lambda: seats.manager(portal, application, residence=None),
        lambda: seats.staff(portal, application, operator=seats.OTHER_OPERATOR),
    ):
        await seat()
        assert (await certify(portal, number))["code"] == "NOT_FOUND"
    assert await IssuedPaper.all().count() == 0


@pytest.mark.requirement("CN-01")
@pytest.mark.parametrize("seat", ["manager", "staff"])
async def test_those_in_charge_get_moves_and_ends_of_months(
    portal: Any, application: Application, signing_home: Any, dwelling_id: Numbered, seat: str
) -> None:
    """Indexes of days one after the other would be the days: without a consent only those of moves, and the
    last of a month that is over. By consent a manager gets the present occupant's days, each of which is
    recorded as a look at them; staff never do.
    """
    await (seats.manager if seat == "manager" else seats.staff)(portal, application)
    number = await dwelling_id()
    asked = {"dwelling": number, "language": "FR"}
    assert (await portal.refusal(CERTIFY, day=DAY, **asked))["code"] == "CONSENT_REQUIRED"
    assert (await portal.refusal(CERTIFY, day="2026-11-22", **asked))["code"] == "CONSENT_REQUIRED"
    for day in ("2026-10-31", "2024-01-31"):  # a month's end, and the evening before the move-in
        assert "paper" in await certify(portal, number, day=day), day
    await Occupancy.all().update(move_out=date(2026, 11, 21))
    assert "paper" in await certify(portal, number)
    await Occupancy.all().update(move_out=None)
    await consent(application, granted=True)
    if seat == "staff":
        assert (await portal.refusal(CERTIFY, day=DAY, **asked))["code"] == "CONSENT_REQUIRED"
        return
    issued = await certify(portal, number)
    assert [entry.details for entry in await acts_on(SYSTEM, act=Act.DATA_ACCESSED)] == [
        {"paper": "INDEX_CERTIFICATE"}
    ]
    await consent(application, granted=False)
    response = await portal.client.get(issued["url"])
    assert (response.status_code, response.json()["code"]) == (403, "CONSENT_REQUIRED")


async def test_a_paper_is_opened_again_by_whom_it_was_issued_to(
    claire: Any, application: Application, signing_home: Any, dwelling_id: Numbered
) -> None:
    """The same bytes months later, whatever was read since, by the code as it is typed; nobody else sees that
    it exists: neither the next tenant nor the manager.
    """
    number = await dwelling_id()
    issued = await certify(claire, number)
    first = await fetched(claire, issued)
    await signing_home.read(WATER, [(NOW - timedelta(days=2, hours=-1), 12_190)])
    code = issued["paper"]["code"]
    again = (await claire.ask(OPEN, code=f" {code.lower().replace('-', ' ')} "))["openIssuedPaper"]
    assert await fetched(claire, again) == first
    listed = (await claire.ask(PAPERS, dwelling=number))["dwelling"]["issuedPapers"]
    assert [one["code"] for one in listed] == [code]
    await seats.manager(claire, application)
    assert (await claire.ask(PAPERS, dwelling=number))["dwelling"]["issuedPapers"] == []
    assert (await claire.ask(OPEN, code=code))["openIssuedPaper"]["code"] == "NOT_FOUND"
    await factories.account(email="luc@example.org", first_name="Luc")
    await Occupancy.all().update(move_out=date(2026, 11, 22))
    await Occupancy.create(
        dwelling_id=(await Dwelling.get()).id,
        account_id=(await Account.get(email="luc@example.org")).id,
        kind=OccupancyKind.TENANT,
        move_in=date(2026, 11, 22),
    )
    await seats.enter(claire, application, "luc@example.org")
    assert (await claire.ask(OPEN, code=code))["openIssuedPaper"]["code"] == "NOT_FOUND"
    assert (await claire.ask(PAPERS, dwelling=number))["dwelling"]["issuedPapers"] == []
    for text in ("", "0" * 16, "x"):
        assert (await claire.ask(OPEN, code=text))["openIssuedPaper"]["code"] == "NOT_FOUND"


async def test_a_file_is_kept_for_three_years_and_the_paper_verified_after(
    claire: Any, application: Application, signing_home: Any, dwelling_id: Numbered
) -> None:
    """The file goes, the row with its hash remains, and the page still confirms it."""
    issued = await certify(claire, await dwelling_id())
    kept = KEPT_FOR[(await IssuedPaper.get()).kind]
    assert issued["paper"]["keptUntil"] == (NOW + kept).isoformat()
    await IssuedPaper.all().update(issued_at=NOW - kept + timedelta(seconds=1))
    assert (await purge(application.settings, now=NOW))["files of issued papers"] == 0
    await IssuedPaper.all().update(issued_at=NOW - kept)
    code = issued["paper"]["code"]
    assert (await claire.ask(OPEN, code=code))["openIssuedPaper"]["code"] == "NOT_FOUND"
    assert (await purge(application.settings, now=NOW))["files of issued papers"] == 1
    assert (await IssuedPaper.get()).content is None
    page = await claire.client.get(f"/verify/{code}", headers={"Accept": "application/json"})
    assert page.json()["sha256"] == issued["paper"]["sha256"]


async def test_the_file_of_an_erased_account_is_kept_for_nobody(
    claire: Any, application: Application, signing_home: Any, dwelling_id: Numbered
) -> None:
    """Whoever it was issued to is gone, so nobody could open it."""
    await certify(claire, await dwelling_id())
    await IssuedPaper.all().update(account_id=None)
    assert (await purge(application.settings, now=NOW))["files of issued papers"] == 1


async def test_each_is_recorded_and_they_are_limited(
    claire: Any, signing_home: Any, dwelling_id: Numbered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With kind and days, without index or serial; one more than the hour's is refused, and not recorded."""
    few = type(PAPERS_BY_ACCOUNT)(PAPERS_BY_ACCOUNT.event, 2, PAPERS_BY_ACCOUNT.window)
    monkeypatch.setattr("core.services.certificates.index_certificates.PAPERS_BY_ACCOUNT", few)
    number = await dwelling_id()
    for _ in range(2):
        assert "paper" in await certify(claire, number)
    assert (await certify(claire, number))["code"] == "RATE_LIMITED"
    entries = await acts_on(SYSTEM, act=Act.PAPER_ISSUED)
    assert [entry.details for entry in entries] == [
        {"kind": "INDEX_CERTIFICATE", "from": DAY, "to": DAY} for _ in range(2)
    ]


async def test_without_a_certificate_nothing_is_issued(claire: Any, home: Any, dwelling_id: Numbered) -> None:
    """The refusal says whose fault it is, and nothing is stored."""
    refused = await certify(claire, await dwelling_id())
    assert refused["code"] == "SIGNATURE_UNAVAILABLE"
    assert await IssuedPaper.all().count() == 0


async def test_papers_of_many_homes_are_read_by_one_statement(
    portal: Any, application: Application, signing_home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many dwellings a manager's list has."""
    await seats.manager(portal, application)
    asked = "{ residences { edges { node { dwellings { edges { node { issuedPapers { code } } } } } } } }"
    counts = []
    residence = (await Dwelling.get()).residence_id
    for number in range(3):
        with watched(monkeypatch) as work:
            await portal.ask(asked)
        counts.append(len(work.statements))
        await Dwelling.create(residence_id=residence, number=f"more {number}")
    assert counts[1:] == counts[:1] * 2


async def test_signing_does_not_hold_the_event_loop_up(
    claire: Any, signing_home: Any, dwelling_id: Numbered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page and signature are made in another thread than the one that answers requests."""
    threads = []
    sign = signatures.signed

    def noted(*arguments: Any, **more: Any) -> bytes:
        threads.append(threading.get_ident())
        return sign(*arguments, **more)

    monkeypatch.setattr(signatures, "signed", noted)
    assert "paper" in await certify(claire, await dwelling_id())
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()
