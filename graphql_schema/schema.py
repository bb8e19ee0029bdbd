"""The schema: all nouns together. `python -m graphql_schema` prints it for `schema.graphql`."""

from typing import cast

import strawberry
from graphql import GraphQLFieldResolver, GraphQLObjectType, GraphQLSchema, is_named_type
from strawberry.printer import print_schema as printed
from strawberry.schema.config import StrawberryConfig

from graphql_schema.accounts.access_tokens import AccessTokenMutation
from graphql_schema.accounts.account import AccountMutation
from graphql_schema.accounts.passwords import PasswordMutation
from graphql_schema.accounts.second_factor import SecondFactorMutation
from graphql_schema.accounts.sessions import SessionMutation
from graphql_schema.accounts.viewer import ViewerQuery
from graphql_schema.alerts.actions import AlertMutation
from graphql_schema.alerts.recurring_draws import RecurringDrawMutation
from graphql_schema.analysis.statistics import AnalysisQuery
from graphql_schema.base.scalars import SCALARS
from graphql_schema.certificates.papers import IssuedPaperMutation
from graphql_schema.consumption.limits import OwnLimitMutation
from graphql_schema.consumption.statements import StatementMutation
from graphql_schema.contract.access import guard
from graphql_schema.contract.descriptions import describe
from graphql_schema.documents.deposits import DocumentMutation
from graphql_schema.documents.notes import NoteMutation
from graphql_schema.dwellings.consents import ConsentMutation
from graphql_schema.dwellings.occupancies import OccupancyMutation
from graphql_schema.gateways import TelegramMutation
from graphql_schema.managers.dwelling_requests import DwellingRequestMutation, DwellingRequestQuery
from graphql_schema.managers.moves import MoveMutation
from graphql_schema.managers.papers import PaperMutation
from graphql_schema.managers.residences import ResidenceQuery
from graphql_schema.meters.corrections import DoubtfulReadingMutation, DoubtfulReadingQuery
from graphql_schema.nodes import NodeQuery
from graphql_schema.privacy.grants import GrantMutation, GrantQuery
from graphql_schema.privacy.household import HouseholdMutation
from graphql_schema.privacy.own_data import OwnDataMutation
from graphql_schema.privacy.retention import RetentionQuery
from graphql_schema.registration.mutations import RegistrationMutation
from graphql_schema.registration.operators import OperatorMutation, OperatorQuery
from graphql_schema.staff.accounts import StaffAccountQuery
from graphql_schema.staff.dead_letters import DeadLetterQuery
from graphql_schema.staff.meters import StaffMeterQuery
from graphql_schema.staff.outbox import OutboxQuery
from graphql_schema.staff.publication import PublicationMutation


@strawberry.type
class Query(
    ViewerQuery,
    ResidenceQuery,
    DwellingRequestQuery,
    DoubtfulReadingQuery,
    StaffMeterQuery,
    StaffAccountQuery,
    DeadLetterQuery,
    OutboxQuery,
    NodeQuery,
    OperatorQuery,
    AnalysisQuery,
    GrantQuery,
    RetentionQuery,
):
    pass


@strawberry.type
class Mutation(
    SessionMutation,
    PasswordMutation,
    AccountMutation,
    SecondFactorMutation,
    AccessTokenMutation,
    ConsentMutation,
    RegistrationMutation,
    OperatorMutation,
    OccupancyMutation,
    AlertMutation,
    RecurringDrawMutation,
    OwnLimitMutation,
    StatementMutation,
    DwellingRequestMutation,
    MoveMutation,
    PaperMutation,
    IssuedPaperMutation,
    DocumentMutation,
    NoteMutation,
    DoubtfulReadingMutation,
    PublicationMutation,
    TelegramMutation,
    OwnDataMutation,
    GrantMutation,
    HouseholdMutation,
):
    pass


class Schema(strawberry.Schema):
    """The schema as strawberry builds it; operations are run by `graphql_schema.requests.operations`."""

    @property
    def core(self) -> GraphQLSchema:
        """The schema as graphql-core has it."""
        return self._schema

    def _extend_introspection(self) -> None:
        """Strawberry's reader of `isOneOf` fails on lists and non-null types, which have none."""
        super()._extend_introspection()
        field = cast("GraphQLObjectType", self._schema.type_map["__Type"]).fields["isOneOf"]
        read = cast("GraphQLFieldResolver", field.resolve)
        field.resolve = lambda kind, info: read(kind, info) if is_named_type(kind) else None


schema = Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(scalar_map=SCALARS),
)
describe(schema.core)
guard(schema.core)


def print_schema() -> str:
    """The schema in the GraphQL schema language, as `schema.graphql` holds it."""
    return printed(schema) + "\n"
