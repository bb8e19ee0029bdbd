"""Publishes a residence, from when on its residents may register, and ends that; its managers are notified.

The one rule: publishing twice is publishing once, and so is unpublishing; each time one e-mail to each
administrator, and one document that everybody with access to the residence can read (R-134 to R-138, C-09,
C-10). Unpublishing stops new registrations alone: existing accounts keep their access. Staff publish
residences of their own operator only; any other does not exist for them.
"""

from dataclasses import dataclass
from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import NOBODY, Act, Permission, Viewer, Visitor
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.errors import Conflict, NotFound, ResidenceNotReady
from core.models import DocumentKind as DocumentKind  # noqa: PLC0414 - the doors, which know no tables, name it from here
from core.models import Dwelling, ManagedResidence, Meter, Operator, Residence, ResidenceDocument
from core.operator_files import sign_up_faults
from core.services.messaging.account_messages import AccountMessage, queue_account_message
from core.services.places.managed_residences import manages, require_managed
from core.services.shared import time_series
from core.services.shared.audit import Subject, record
from core.services.shared.scope import residences_in_charge
from core.services.shared.transaction import current_database, transactional


@dataclass(frozen=True, slots=True)
class Readiness:
    """What residents of a residence would find: `read` are the meters with a reading that counts."""

    dwellings: int
    meters: int
    read: int

    @property
    def lack(self) -> str | None:
        """What is missing before a resident finds anything; None where a meter has a reading."""
        if not self.dwellings:
            return "it has no dwelling, so no resident can register"
        if not self.meters:
            return "it has no meter, so no resident can register by a serial number"
        if not self.read:
            return f"none of its meters ({self.meters}) has a reading yet"
        return None


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document of a residence on the manager's side; `portal` is what its title names."""

    id: int
    kind: DocumentKind
    portal: str
    created_at: datetime


async def readiness(viewer: Viewer, *, operator_code: str, residence_code: str) -> Readiness:
    """What a residence holds, before it is published.

    Raises:
        NotFound: the operator has no such residence.
    """
    viewer.require(Permission.RESIDENCES_PUBLISH)
    residence = await Residence.get_or_none(code=residence_code, operator__code=operator_code)
    if residence is None or viewer.operator_id not in {None, residence.operator_id}:
        raise NotFound(f"{operator_code} has no residence {residence_code}", field="residence")
    meters = Meter.filter(dwelling__residence_id=residence.id, removed_at=None)
    numbers = [meter.id for meter in await meters.only("id")]
    return Readiness(
        dwellings=await Dwelling.filter(residence_id=residence.id).count(),
        meters=len(numbers),
        read=len(await time_series.last_readings(current_database(), numbers)) if numbers else 0,
    )


@transactional
async def publish_residence(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    *,
    operator_code: str,
    residence_code: str,
    visitor: Visitor = NOBODY,
    now: datetime,
) -> bool:
    """Open a residence to its residents; returns False if it was open already.

    Raises:
        NotFound: the operator has no such residence.
        Conflict: the operator has no sign-up, and what it lacks.
    """
    viewer.require(Permission.RESIDENCES_PUBLISH)
    residence = await _residence_to_change(connection, viewer, operator_code, residence_code)
    faults = sign_up_faults(application.registry, application.settings, operator_code)
    if faults:
        raise Conflict(f"residents of {operator_code} cannot register: {'; '.join(faults)}", field="operator")
    latest = await _latest_document(connection, residence.id)
    if residence.published_at is None or residence.published_at > now:
        await Residence.filter(id=residence.id).using_db(connection).update(published_at=now)
    if latest is not None and latest.kind is DocumentKind.PORTAL_READY:
        return False
    await _notify_managers(connection, application, residence, DocumentKind.PORTAL_READY, now=now)
    subject = Subject("residence", residence.id)
    await record(Act.RESIDENCE_PUBLISHED, subject, viewer, visitor, now, connection)
    return True


@transactional
async def unpublish_residence(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    *,
    operator_code: str,
    residence_code: str,
    visitor: Visitor = NOBODY,
    now: datetime,
) -> bool:
    """Stop new registrations at a residence; returns False if it was not published.

    Raises:
        NotFound: the operator has no such residence.
    """
    viewer.require(Permission.RESIDENCES_PUBLISH)
    residence = await _residence_to_change(connection, viewer, operator_code, residence_code)
    if residence.published_at is None:
        return False
    await Residence.filter(id=residence.id).using_db(connection).update(published_at=None)
    await _notify_managers(connection, application, residence, DocumentKind.PORTAL_CLOSED, now=now)
    subject = Subject("residence", residence.id)
    await record(Act.RESIDENCE_UNPUBLISHED, subject, viewer, visitor, now, connection)
    return True


async def publish_in_charge(
    application: Application,
    viewer: Viewer,
    residence_id: int,
    *,
    without_data: bool,
    visitor: Visitor,
    now: datetime,
) -> bool:
    """Open a residence that the viewer is in charge of; returns False if it was open already.

    Raises:
        NotFound: no such residence, or not of the viewer's operator.
        ResidenceNotReady: residents would find nothing there, and that was not confirmed.
        Conflict: the operator has no sign-up, and what it lacks.
    """
    viewer.require(Permission.RESIDENCES_PUBLISH)
    operator_code, residence_code = await _codes(viewer, residence_id)
    found = await readiness(viewer, operator_code=operator_code, residence_code=residence_code)
    if found.lack and not without_data:
        raise ResidenceNotReady(
            found.lack, dwellings=found.dwellings, meters=found.meters, meters_read=found.read
        )
    return await publish_residence(
        application,
        viewer,
        operator_code=operator_code,
        residence_code=residence_code,
        visitor=visitor,
        now=now,
    )


async def unpublish_in_charge(
    application: Application, viewer: Viewer, residence_id: int, *, visitor: Visitor, now: datetime
) -> bool:
    """Stop new registrations at a residence that the viewer is in charge of; False if it was not published.

    Raises:
        NotFound: no such residence, or not of the viewer's operator.
    """
    viewer.require(Permission.RESIDENCES_PUBLISH)
    operator_code, residence_code = await _codes(viewer, residence_id)
    return await unpublish_residence(
        application,
        viewer,
        operator_code=operator_code,
        residence_code=residence_code,
        visitor=visitor,
        now=now,
    )


async def _codes(viewer: Viewer, residence_id: int) -> tuple[str, str]:
    row = (await residences_in_charge(viewer, [residence_id])).get(residence_id)
    if row is None:
        raise NotFound("No such residence.", field="residence")
    return row["operator_code"], row["code"]


async def _residence_to_change(
    connection: TransactionalDBClient, viewer: Viewer, operator_code: str, residence_code: str
) -> Residence:
    """The residence, locked; another operator's is none of the staff's."""
    query = Residence.filter(code=residence_code, operator__code=operator_code).using_db(connection)
    residence = await query.select_for_update().first()
    if residence is None or viewer.operator_id not in {None, residence.operator_id}:
        raise NotFound(f"{operator_code} has no residence {residence_code}", field="residence")
    return residence


async def _latest_document(connection: TransactionalDBClient, residence_id: int) -> ResidenceDocument | None:
    rows = ResidenceDocument.filter(residence_id=residence_id).using_db(connection)
    return await rows.order_by("-created_at", "-id").first()


_TEMPLATES = {DocumentKind.PORTAL_READY: "portal_ready", DocumentKind.PORTAL_CLOSED: "portal_closed"}


async def _notify_managers(
    connection: TransactionalDBClient,
    application: Application,
    residence: Residence,
    kind: DocumentKind,
    *,
    now: datetime,
) -> None:
    """Add the document for all managers, and one e-mail for each administrator."""
    document = await ResidenceDocument.create(
        residence_id=residence.id, kind=kind, created_at=now, using_db=connection
    )
    operator = await Operator.get(id=residence.operator_id, using_db=connection)
    profile = application.registry.profile(operator.code)
    values = {
        "portal": profile.portal_name if profile else "Submeter",
        "residence": f"{residence.code} {residence.name}".strip(),
        "day": civil_day(now, residence.time_zone).isoformat(),
    }
    rows = ManagedResidence.filter(residence_id=residence.id, administrator=True, account__disabled_at=None)
    for row in await rows.using_db(connection).select_related("account"):
        account_message = AccountMessage.to(
            row.account,
            _TEMPLATES[kind],
            key=f"{_TEMPLATES[kind]}:{document.id}:{row.account_id}",
            values=values,
        )
        await queue_account_message(connection, application.settings, account_message, now=now)


async def residence_documents(
    application: Application, viewer: Viewer, residence_id: int
) -> list[DocumentView]:
    """The documents of one of the manager's residences, the newest first («Mes documents», R-136).

    Raises:
        NotFound: no such residence, or not the viewer's.
    """
    viewer.require(Permission.ALERTS_READ)
    await require_managed(viewer, residence_id)
    rows = ResidenceDocument.filter(residence_id=residence_id).order_by("-created_at", "-id")
    found = await rows.select_related("residence__operator")
    return [
        DocumentView(
            id=row.id,
            kind=row.kind,
            portal=profile.portal_name
            if (profile := application.registry.profile(row.residence.operator.code))
            else "Submeter",
            created_at=row.created_at,
        )
        for row in found
    ]


async def residence_document(application: Application, viewer: Viewer, document_id: int) -> DocumentView:
    """One document.

    Raises:
        NotFound: no such document, or of a residence that the viewer does not manage.
    """
    viewer.require(Permission.ALERTS_READ)
    row = await ResidenceDocument.get_or_none(id=document_id)
    if row is not None and await manages(viewer, row.residence_id):
        for view in await residence_documents(application, viewer, row.residence_id):
            if view.id == document_id:
                return view
    raise NotFound("No such document.", field="id")
