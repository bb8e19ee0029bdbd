"""The portal's door: one GraphQL schema over HTTP, one file a noun."""
