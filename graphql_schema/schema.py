"""The schema: all nouns together. `python -m graphql_schema` prints it for `schema.graphql`, our promise."""

import strawberry
from graphql import GraphQLError
from strawberry.printer import print_schema as printed
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from graphql_schema.access_tokens import AccessTokenMutation
from graphql_schema.account import AccountMutation
from graphql_schema.cases import CaseMutation, CaseQuery
from graphql_schema.consents import ConsentMutation
from graphql_schema.dwellings import DwellingQuery
from graphql_schema.handling import AlertMutation
from graphql_schema.limits import Limits
from graphql_schema.managed import ManagedQuery
from graphql_schema.nodes import NodeQuery
from graphql_schema.occupancies import OccupancyMutation
from graphql_schema.operators import OperatorMutation, OperatorQuery
from graphql_schema.own_limits import OwnLimitMutation
from graphql_schema.passwords import PasswordMutation
from graphql_schema.registration import RegistrationMutation
from graphql_schema.scalars import SCALARS
from graphql_schema.second_factor import SecondFactorMutation
from graphql_schema.sessions import SessionMutation
from graphql_schema.statements import StatementMutation
from graphql_schema.telegrams import TelegramMutation
from graphql_schema.viewer import ViewerQuery


@strawberry.type
class Query(ViewerQuery, DwellingQuery, ManagedQuery, CaseQuery, NodeQuery, OperatorQuery):
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
    OwnLimitMutation,
    StatementMutation,
    CaseMutation,
    TelegramMutation,
):
    pass


class Schema(strawberry.Schema):
    """Leaves logging to the door: a client's slip is no error of ours (`graphql_schema.errors`)."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        pass


schema = Schema(
    query=Query,
    mutation=Mutation,
    extensions=[Limits],
    config=StrawberryConfig(scalar_map=SCALARS),
)


def print_schema() -> str:
    """The schema in the GraphQL schema language, as `schema.graphql` holds it."""
    return printed(schema) + "\n"
