"""Prints a session's token: `python sign_in.py <e-mail>`; the password is asked for, or SUBMETER_PASSWORD."""

import getpass
import json
import os
import sys
import urllib.request

SIGN_IN = """mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) { __typename ... on SignedIn { token } }
}"""


def sign_in(url: str, email: str, password: str) -> str:
    """The token of a new session.

    Raises:
        SystemExit: the API refuses.
    """
    body = json.dumps({"query": SIGN_IN, "variables": {"email": email, "password": password}}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/graphql", body, headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as response:  # noqa: S310 - as above
        answer = json.load(response)["data"]["signIn"]
    if answer["__typename"] != "SignedIn":
        sys.exit(f"{email} is not signed in: {answer['__typename']}")
    token: str = answer["token"]
    return token


if __name__ == "__main__":
    secret = os.environ.get("SUBMETER_PASSWORD") or getpass.getpass()
    print(sign_in(os.environ["SUBMETER_URL"], sys.argv[1], secret))
