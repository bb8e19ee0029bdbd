"""Makes any text fit a column: strangers' lines, names and browsers may hold what no database stores."""


def escape_for_database(text: str) -> str:
    """The text with what a database's text cannot hold (NUL, lone surrogates) written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
