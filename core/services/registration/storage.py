"""A registration's row, the draft it holds, and the view of it for a door.

In: a token, or a row. Out: drafts and views. The one rule: a row is written only if it is still at the step
that was answered, so of two concurrent answers one is refused.
"""

from dataclasses import dataclass, field, fields
from datetime import date, datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access.codes import token_hash
from core.bootstrap import Application
from core.consumption.fluids import Fluid
from core.models import Registration
from core.operators import OperatorProfile, Step
from core.registration.confirmation import Block, confirmation_of
from core.registration.draft import Draft
from core.registration.forms import Form, forms_of
from core.registration.refusals import RefusalCode, refused
from core.services.occupancy.occupancies import today_at
from core.services.registration.identification import ResidenceCandidate, fluids_at, found_dwelling_of

_COLUMNS = tuple(column.name for column in fields(Draft))


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """The state of a registration.

    Attributes:
        profile: whose journey.
        draft: what was answered; a door shows only its step and address.
        forms: what has to be sent next.
        confirmation: the dwelling that was found, while it is to be confirmed.
        candidates: the residences that an address has just found.
        expires_at: when it expires.
        token: readable at the start only.
    """

    profile: OperatorProfile
    draft: Draft
    forms: tuple[Form, ...]
    confirmation: tuple[Block, ...]
    candidates: tuple[ResidenceCandidate, ...]
    expires_at: datetime
    token: str | None = field(default=None, repr=False)


def draft_of(row: Registration) -> Draft:
    """The draft stored in a row."""
    return Draft(**{name: getattr(row, name) for name in _COLUMNS})


async def open_registration(
    application: Application, token: str, now: datetime
) -> tuple[Registration, OperatorProfile]:
    row = await Registration.get_or_none(token_hash=token_hash(token), expires_at__gt=now).select_related(
        "operator"
    )
    profile = application.registry.profile(row.operator.code) if row is not None else None
    if row is None or profile is None:
        raise refused(RefusalCode.REGISTRATION_EXPIRED)
    return row, profile


async def lock(connection: TransactionalDBClient, row: Registration) -> None:
    """Lock a registration to the end of the transaction, and read it again.

    Raises:
        RegistrationRefused: REGISTRATION_EXPIRED: it no longer exists.
    """
    if await Registration.filter(id=row.id).using_db(connection).select_for_update().first() is None:
        raise refused(RefusalCode.REGISTRATION_EXPIRED)
    await row.refresh_from_db(using_db=connection)


async def store(
    row: Registration, before: Draft, after: Draft, *, connection: TransactionalDBClient | None = None
) -> None:
    """Write what has changed, if the registration is still at the step that was answered."""
    values = {name: getattr(after, name) for name in _COLUMNS}
    unchanged = Registration.filter(id=row.id, step=before.step, dwelling_id=before.dwelling_id)
    if not await unchanged.using_db(connection).update(**values):
        raise refused(RefusalCode.FORM_NOT_OFFERED)
    for name, value in values.items():
        setattr(row, name, value)


async def view_of(profile: OperatorProfile, row: Registration) -> RegistrationView:
    draft = draft_of(row)
    fluids: frozenset[Fluid] = frozenset()
    if draft.step is Step.DWELLING and draft.residence_id is not None:
        fluids = await fluids_at(draft.residence_id)
    confirmation: tuple[Block, ...] = ()
    if draft.step is Step.ATTESTATION:
        confirmation = confirmation_of(profile, await found_dwelling_of(dwelling_of(draft)))
    return RegistrationView(
        profile=profile,
        draft=draft,
        forms=forms_of(profile, draft, fluids=fluids),
        confirmation=confirmation,
        candidates=(),
        expires_at=row.expires_at,
    )


async def today_of(draft: Draft, now: datetime) -> date:
    return await today_at(dwelling_of(draft), now=now)


def dwelling_of(draft: Draft) -> int:
    assert draft.dwelling_id is not None
    return draft.dwelling_id
