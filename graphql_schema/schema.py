"""The schema: all nouns together. `python -m graphql_schema` prints it for `schema.graphql`."""

import strawberry
from graphql import GraphQLError
from strawberry.printer import print_schema as printed
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from graphql_schema.accounts.access_tokens import AccessTokenMutation
from graphql_schema.accounts.account import AccountMutation
from graphql_schema.accounts.passwords import PasswordMutation
from graphql_schema.accounts.second_factor import SecondFactorMutation
from graphql_schema.accounts.sessions import SessionMutation
from graphql_schema.accounts.viewer import ViewerQuery
from graphql_schema.alerts.actions import AlertMutation
from graphql_schema.alerts.recurring_draws import RecurringDrawMutation
from graphql_schema.base.operations import OperationMetrics
from graphql_schema.base.query_limits import QueryLimits
from graphql_schema.base.scalars import SCALARS
from graphql_schema.consumption.limits import OwnLimitMutation
from graphql_schema.consumption.statements import StatementMutation
from graphql_schema.dwellings.consents import ConsentMutation
from graphql_schema.dwellings.dwellings import DwellingQuery
from graphql_schema.dwellings.occupancies import OccupancyMutation
from graphql_schema.gateways import TelegramMutation
from graphql_schema.managers.dwelling_requests import DwellingRequestMutation, DwellingRequestQuery
from graphql_schema.managers.residences import ManagedQuery
from graphql_schema.meters.corrections import DoubtfulReadingMutation, DoubtfulReadingQuery
from graphql_schema.nodes import NodeQuery
from graphql_schema.registration.mutations import RegistrationMutation
from graphql_schema.registration.operators import OperatorMutation, OperatorQuery


@strawberry.type
class Query(
    ViewerQuery,
    DwellingQuery,
    ManagedQuery,
    DwellingRequestQuery,
    DoubtfulReadingQuery,
    NodeQuery,
    OperatorQuery,
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
    DoubtfulReadingMutation,
    TelegramMutation,
):
    pass


class Schema(strawberry.Schema):
    """Leaves logging to `graphql_schema.base.errors`, since a client's mistake is no server error."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        pass


schema = Schema(
    query=Query,
    mutation=Mutation,
    extensions=[OperationMetrics, QueryLimits],
    config=StrawberryConfig(scalar_map=SCALARS),
)


def print_schema() -> str:
    """The schema in the GraphQL schema language, as `schema.graphql` holds it."""
    return printed(schema) + "\n"
