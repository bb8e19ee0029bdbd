"""The API of the portal: one GraphQL schema over HTTP, one file per noun."""
