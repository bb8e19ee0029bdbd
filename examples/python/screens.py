"""Submeter by the library gql: signs in, asks a screen of examples/screens, and prints what it shows.

    pip install "gql[httpx]"
    export SUBMETER_URL=http://127.0.0.1:8000 SUBMETER_PASSWORD=…
    python examples/python/screens.py claire.martin@example.org dashboard
    python examples/python/screens.py claire.martin@example.org consumption '{"fluid": "COLD_WATER"}'

A program that runs by itself takes an access token (SUBMETER_TOKEN=smp_…) in place of e-mail and password.
"""

import asyncio
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from graphql import DocumentNode, concat_ast, parse
from graphql.utilities import separate_operations

ROOT = Path(__file__).resolve().parents[1]
SCREENS = ROOT / "screens"
SCHEMA = ROOT.parent / "graphql_schema/schema.graphql"

SIGN_IN = gql("""
  mutation ($email: String!, $password: String!) {
    signIn(input: { email: $email, password: $password }) {
      __typename
      ... on SignedIn { token state }
      ... on Refusal { code message }
    }
  }
""")


class RefusedError(Exception):
    """What the server does not do, with its reason as people read it."""


def screen(name: str) -> DocumentNode:
    """A screen with the fragments that it uses, and no others: a server refuses those that nothing uses."""
    texts = [(SCREENS / f"{one}.graphql").read_text(encoding="utf-8") for one in (name, "fragments")]
    (document,) = separate_operations(concat_ast([parse(text) for text in texts])).values()
    return document


def client(url: str, token: str | None = None) -> Client:
    """A client that holds each document against the schema before it sends it."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = HTTPXAsyncTransport(f"{url}/graphql", headers=headers, timeout=30)
    return Client(transport=transport, schema=SCHEMA.read_text(encoding="utf-8"))


async def sign_in(url: str, email: str, password: str) -> str:
    """The token of a new session.

    Raises:
        RefusedError: the server refuses, or something has to be done first.
    """
    request = GraphQLRequest(SIGN_IN, variable_values={"email": email, "password": password})
    async with client(url) as session:
        answer = (await session.execute(request))["signIn"]
    if answer["__typename"] != "SignedIn":
        raise RefusedError(answer["message"])
    if answer["state"] != "READY":
        raise RefusedError(f"{email} has to sign in to the portal first: {answer['state']}")
    token: str = answer["token"]
    return token


async def ask(url: str, token: str, name: str, variables: dict[str, Any]) -> dict[str, Any]:
    """The data of a screen.

    Raises:
        RefusedError: an error of the server, with its code.
    """
    async with client(url, token) as session:
        try:
            return await session.execute(GraphQLRequest(screen(name), variable_values=variables))
        except TransportQueryError as refused:
            codes = sorted({error["extensions"]["code"] for error in refused.errors or ()})
            raise RefusedError(f"{name}: {', '.join(codes)}") from refused


async def main(email: str, name: str, variables: str = "{}") -> str:
    """The screen as JSON."""
    url = os.environ.get("SUBMETER_URL", "http://127.0.0.1:8000")
    token = os.environ.get("SUBMETER_TOKEN")
    if token is None:
        token = await sign_in(url, email, os.environ.get("SUBMETER_PASSWORD") or getpass.getpass())
    return json.dumps(await ask(url, token, name, json.loads(variables)), indent=2, ensure_ascii=False)


if __name__ == "__main__":
    try:
        print(asyncio.run(main(*sys.argv[1:])))
    except RefusedError as reason:
        sys.exit(str(reason))
