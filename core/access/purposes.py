"""What people agree to, each on its own (CN-02), and the state of an archive of their data.

In: nothing. Out: closed sets of names, which tables and the API have in common.
"""

from enum import StrEnum


class AccountPurpose(StrEnum):
    """What an account agrees to for itself."""

    LEAK_EMAIL = "LEAK_EMAIL"
    LEAK_SMS = "LEAK_SMS"
    OVER_CONSUMPTION_EMAIL = "OVER_CONSUMPTION_EMAIL"
    OVER_CONSUMPTION_SMS = "OVER_CONSUMPTION_SMS"
    NEW_DOCUMENT_EMAIL = "NEW_DOCUMENT_EMAIL"
    NEW_DOCUMENT_SMS = "NEW_DOCUMENT_SMS"
    SLOW_LEAK_EMAIL = "SLOW_LEAK_EMAIL"
    NEWSLETTER = "NEWSLETTER"
    THIRD_PARTY = "THIRD_PARTY"


class Purpose(StrEnum):
    """Everything that is agreed to: the manager's access to days, and what is of an account alone."""

    MANAGER_DAILY_DATA = "MANAGER_DAILY_DATA"
    LEAK_EMAIL = "LEAK_EMAIL"
    LEAK_SMS = "LEAK_SMS"
    OVER_CONSUMPTION_EMAIL = "OVER_CONSUMPTION_EMAIL"
    OVER_CONSUMPTION_SMS = "OVER_CONSUMPTION_SMS"
    NEW_DOCUMENT_EMAIL = "NEW_DOCUMENT_EMAIL"
    NEW_DOCUMENT_SMS = "NEW_DOCUMENT_SMS"
    SLOW_LEAK_EMAIL = "SLOW_LEAK_EMAIL"
    NEWSLETTER = "NEWSLETTER"
    THIRD_PARTY = "THIRD_PARTY"


class ExportState(StrEnum):
    """The state of an archive of somebody's data."""

    REQUESTED = "REQUESTED"
    READY = "READY"
    FAILED = "FAILED"
