"""The key under which an e-mail address is found: equal for two spellings of the same mailbox.

In: an address as somebody typed it. Out: what the account tables compare. The one rule: whoever looks for an
account by its address asks here, and compares nothing else.
"""

import unicodedata

from core.sanitize import escape_for_database


def email_key(email: str) -> str:
    """The form in which e-mail addresses are compared: trimmed and case-folded, dots and tags kept (C-12)."""
    return escape_for_database(unicodedata.normalize("NFC", email).strip().casefold())
