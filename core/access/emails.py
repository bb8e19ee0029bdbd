"""The key under which an e-mail address is found: equal for two spellings of the same mailbox.

In: an address as typed. Out: the key that the account tables compare. The one rule: an account is looked up
by this key and by nothing else.
"""

import unicodedata

from core.sanitize import escape_for_database


def email_key(email: str) -> str:
    """The form in which e-mail addresses are compared: trimmed and case-folded, dots and tags kept
    (C-12).
    """
    return escape_for_database(unicodedata.normalize("NFC", email).strip().casefold())
