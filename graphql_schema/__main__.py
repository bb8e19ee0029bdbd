"""Prints what is made of the schema: `python -m graphql_schema` itself, `… who-sees-what` its table."""

import sys

from graphql_schema.contract.disclosure import page
from graphql_schema.schema import print_schema, schema

if __name__ == "__main__":
    sys.stdout.write(page(schema.core) if sys.argv[1:] == ["who-sees-what"] else print_schema())
