"""Prints the schema: `python -m graphql_schema > graphql_schema/schema.graphql`."""

import sys

from graphql_schema.schema import print_schema

sys.stdout.write(print_schema())
