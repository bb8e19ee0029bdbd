"""Nouns that several roles see: what a viewer does not see of one is null, and its reason stands beside it.

In: a field's audience, declared where the field is. Out: the field as it is, or null; and `withheld`, which
lists the fields that are null for that reason. The one rule: a field is declared once, and what is withheld
and what is listed follow from the same declaration (`core.access.narrowing`). An occupant's field costs
nothing more.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, cast

import strawberry
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from core.access import Permission, Role, Viewer
from core.access.narrowing import (
    ASKING_FOR_OCCUPANT,
    Audience,
    Basis,
    WithheldReason,
    reason_withheld,
)
from core.access.permissions import PERMISSIONS_OF
from graphql_schema.base.context import Info
from graphql_schema.base.fields import Resolver, resolved

strawberry.enum(
    Basis,
    name="SeenAs",
    description="By what right the viewer sees a residence, a dwelling, or what belongs to one. OCCUPANT: "
    "lives or lived there. OWNER: owns it and lives elsewhere. HOUSEHOLD: the occupant's household. "
    "THIRD_PARTY: a provider whom the occupant lets read. MANAGER: manages the residence. STAFF: of the "
    "operator.",
)
strawberry.enum(
    WithheldReason,
    description="Why a field is withheld. NOT_FOR_ROLE: the viewer's role never sees it. NOT_OCCUPANT: it is "
    "the occupant's, and the viewer owns the dwelling. CONSENT_REQUIRED: the occupant has not consented to "
    "the manager's access to daily data. NO_OCCUPANT: no occupant is known, who could consent. TOKEN_SCOPE: "
    "the access token was not made for it; asking for it is FORBIDDEN.",
)

_NOTES = {
    Audience.BUILDING: "For occupant, manager and staff; null for others.",
    Audience.MANAGERS: "For occupant and manager; null for others.",
    Audience.OCCUPANCY: "For the occupant, and the manager while one is known; null for others.",
    Audience.CONSENTED: "For the occupant, and the manager where the present occupant has consented; null "
    "for others.",
    Audience.OCCUPANT: "For the occupant and the household; null for others.",
    Audience.GRANTED: "For the occupant, the household, and a provider whom the occupant lets read; null for "
    "others.",
    Audience.HOLDER: "For the occupant with the account alone; null for others.",
    Audience.MANAGER_ONLY: "For the manager alone; null for others.",
    Audience.PAPERS: "For occupant, owner, manager and staff; null for others.",
}
_GUESTS = frozenset({Role.HOUSEHOLD_MEMBER, Role.THIRD_PARTY})
_AUDIENCE = "audience"
PERMISSIONS: dict[str, tuple[Permission, ...]] = {}
"""What a field needs, by type and field: filled in when the schema is guarded (`contract.access`)."""


@dataclass(frozen=True, slots=True)
class NarrowedField:
    """A field that not everybody sees, by its name in the schema."""

    name: str
    audience: Audience


def metadata_of(audience: Audience) -> Mapping[str, Any]:
    """The declaration of a field: whom it is for."""
    return {_AUDIENCE: audience}


def noted(description: str, audience: Audience) -> str:
    """A field's description, with whom it is for."""
    return f"{description} {_NOTES[audience]}"


def narrowed(description: str, audience: Audience) -> Callable[[Resolver], StrawberryField]:
    """Make a method the resolver of a field that is null, and listed, for whom it is not for."""

    def field_of(resolver: Resolver) -> StrawberryField:
        @wraps(resolver)
        def shown(self: "Narrowed", info: Info, **arguments: Any) -> Any:
            if self.seen_as is Basis.OCCUPANT and audience is not Audience.MANAGER_ONLY:
                return resolver(self, info, **arguments)
            return self.unless_withheld(info, audience, lambda: resolver(self, info, **arguments))

        return strawberry.field(
            shown, description=noted(description, audience), metadata=metadata_of(audience)
        )

    return field_of


@strawberry.type(description="A field that is withheld from the viewer: it is null.")
class WithheldField:
    field: str = strawberry.field(description="The field's name: `dashboard`.")
    reason: WithheldReason


@strawberry.interface(
    description="An object that several roles see, each as far as it may. A field that this viewer may not "
    "see is null, with its reason in `withheld`."
)
class Narrowed:
    seen_as: Basis = strawberry.field(description="By what right the viewer sees this.")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        NARROWED_TYPES[cls.__name__] = cls

    dwelling_id: strawberry.Private[int | None]
    """The dwelling that decides whether a manager's view depends on a consent; None: of no single one."""

    @resolved("The fields of this object that the viewer may not see, each with the reason.")
    async def withheld(self, info: Info) -> list[WithheldField]:
        viewer = await info.context.viewer()
        fields = narrowed_fields(cast("Any", type(self)))
        occupied, consented = await self._occupant(info, {field.audience for field in fields})
        found = []
        for field in fields:
            reason = reason_withheld(self.seen_as, field.audience, occupied=occupied, consented=consented)
            if reason is None and self._lacks_permission(viewer, field.name):
                reason = WithheldReason.NOT_FOR_ROLE
            if reason is None and not _by_token(viewer, f"{definition_of(self).name}.{field.name}"):
                reason = WithheldReason.TOKEN_SCOPE
            if reason is not None:
                found.append(WithheldField(field=field.name, reason=reason))
        return found

    async def unless_withheld(
        self, info: Info, audience: Audience, resolve: Callable[[], Awaitable[Any] | Any]
    ) -> Any:
        """The field, or null if it is withheld."""
        occupied, consented = await self._occupant(info, {audience})
        if reason_withheld(self.seen_as, audience, occupied=occupied, consented=consented) is not None:
            return None
        if self._lacks_permission(await info.context.viewer(), info.field_name):
            return None
        value = resolve()
        return await value if isinstance(value, Awaitable) else value

    def _lacks_permission(self, viewer: Viewer, name: str) -> bool:
        """Whether the role of a guest never has what the field needs."""
        key = f"{definition_of(self).name}.{name}"
        return viewer.role in _GUESTS and not PERMISSIONS_OF[viewer.role].issuperset(PERMISSIONS.get(key, ()))

    async def _occupant(self, info: Info, audiences: set[Audience]) -> tuple[bool, bool]:
        """Whether an occupant is known and has consented, if that matters to this viewer."""
        if (
            self.seen_as is not Basis.MANAGER
            or self.dwelling_id is None
            or not audiences & ASKING_FOR_OCCUPANT
        ):
            return (False, False)
        present = await info.context.loaders.present_occupancies.load(self.dwelling_id)
        return (present.occupied, present.consented)


NARROWED_TYPES: dict[str, type] = {}
"""The nouns with narrowed fields, by name: filled in as they are defined."""


def narrowed_audiences(name: str) -> Mapping[str, Audience]:
    """Whom the fields of a noun are for that not everybody sees; empty for a type that is not narrowed."""
    kind = NARROWED_TYPES.get(name)
    return {} if kind is None else {field.name: field.audience for field in narrowed_fields(kind)}


@cache
def narrowed_fields(kind: type) -> tuple[NarrowedField, ...]:
    """The fields of a type that not everybody sees."""
    return tuple(
        NarrowedField(
            field.graphql_name or to_camel_case(field.python_name),
            field.metadata[_AUDIENCE],
        )
        for field in definition_of(kind).fields
        if _AUDIENCE in field.metadata
    )


def definition_of(kind: object) -> StrawberryObjectDefinition:
    """What strawberry knows of a type, or of an object of it."""
    definition: StrawberryObjectDefinition = kind.__strawberry_definition__  # type: ignore[attr-defined]
    return definition


def _by_token(viewer: Viewer, key: str) -> bool:
    """Whether the viewer's access token, if there is one, covers what the field needs."""
    return viewer.scopes is None or all(viewer.may(one) for one in PERMISSIONS.get(key, ()))
