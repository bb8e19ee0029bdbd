"""Makes any text fit a column: lines, names and user agents from outside may hold what no database stores."""


def escape_for_database(text: str) -> str:
    """The text with characters that no database stores (NUL, lone surrogates) written as escapes."""
    if text.isascii() and "\0" not in text:  # as nearly every line is
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
