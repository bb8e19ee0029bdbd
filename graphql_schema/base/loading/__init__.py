"""Loaders by subject, which `graphql_schema.base.loaders` gives out."""
