"""GraphiQL, served from the package itself: a page that works without the internet."""
