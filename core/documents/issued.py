"""The kinds of paper that are issued with a code.

In: nothing. Out: closed sets. The one rule: what the page that verifies a paper says of it is no more than
its kind, by whom and when it was issued, and its hash.
"""

from enum import StrEnum


class IssuedPaperKind(StrEnum):
    """What was issued."""

    INDEX_STATEMENT = "INDEX_STATEMENT"
    INDEX_CERTIFICATE = "INDEX_CERTIFICATE"
    LEAK_DOSSIER = "LEAK_DOSSIER"


class PaperSide(StrEnum):
    """Whose copy a certificate of a move is."""

    OUTGOING = "OUTGOING"
    INCOMING = "INCOMING"
