"""What is decided about a request before a resolver runs: its size, its document, its points."""
