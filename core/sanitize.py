"""Makes any text fit a column, since lines, names and user agents from outside may hold what no database
stores; and serials and codes, as people type them, comparable.
"""

import re
import unicodedata


def escape_for_database(text: str) -> str:
    """The text with characters that no database stores (NUL, lone surrogates) written as escapes."""
    if text.isascii() and "\0" not in text:  # as nearly every line is
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


_SEPARATORS = re.compile(r"[\s.\-/_:]+")
_PREFIX = re.compile(r"^(?:N[°O]|SN)+")


def normalise_serial(text: str) -> str:
    """Normalises what people type: NFKC, upper case, without separators and a leading `N°` or `S/N`.

    Idempotent: what one pass joins, the next may normalise again. Letters that look like digits are left as
    they are.
    """
    while (normalised := _normalise_once(text)) != text:
        text = normalised
    return normalised


def _normalise_once(text: str) -> str:
    return _PREFIX.sub("", _SEPARATORS.sub("", unicodedata.normalize("NFKC", text).upper()))
